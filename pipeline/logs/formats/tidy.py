"""Raw rows of any format, turned into the columns of the two logs: times, numbers in W, words; or refused
by row."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pandas as pd

from pipeline.core.errors import InputError
from pipeline.logs.cells import EXPECTED, JOULES, MISSING, WATTS, Style, read_numbers, read_times, style_of
from pipeline.logs.deployment import Deployment
from pipeline.logs.formats.declare import Format, Head, Raw
from pipeline.logs.formats.rows import COUNTED
from pipeline.logs.typed import FAILED, HTTP, HTTP_FAILED, SUCCEEDED

POWER = ["time", "node", "watts", "scope", "device", "gpu"]
REQUESTS = [
    "time", "end", "node", "model", "input_tokens", "output_tokens", "request", "status",
    "cached_input_tokens", "reasoning_tokens", "device", "gpus", "instance",
]  # fmt: skip
SECONDS = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
LIKELY_TOKENS_PER_S = (1.0, 1000.0)
LEAST_COUNTER = 1e5  # a reading in `watts` above it is no power of one node
PLAUSIBLE_W = {"gpu": (5.0, 2500.0), "node_wall": (40.0, 20_000.0)}


@dataclass(frozen=True)
class Tidy:
    """Rows of one file in the columns of a log; `zoned` whether its times say their zone."""

    table: pd.DataFrame
    zoned: bool
    notes: tuple[str, ...]


def tidy(head: Head, of: Format, given: Deployment) -> Iterator[Tidy]:
    """The rows of a file, a block at a time; raises InputError with file, row, column and value."""
    styles: dict[str, Style | None] = {}
    for raw in of.rows(head, of, given):
        times, zoned = _times(head, of, given, raw, styles)
        table = _power(head, of, given, raw) if of.log == "power" else _requests(head, raw)
        said = [*of.notes, *raw.notes]
        if of.log == "requests" and "end" not in times and "lasted" in raw.table:
            times, unit = _from_lengths(head, raw, times, table, of.ends_at)
            said.append(
                f"ends follow from the lengths of requests, in {unit}"
                if not of.ends_at
                else f"times are of ends; starts follow from the lengths of requests, in {unit}"
            )
        names = (head.path.name, head.path.stem)
        node = _text(raw.table, "node").map(_host, na_action="ignore")
        keys = [_text(raw.table, "device"), node] if of.log == "power" else [node]
        table["node"] = [_node(given, label, names) for label in zip(*keys, strict=True)]
        columns = [*POWER, *({"joules"} & set(table))] if of.log == "power" else REQUESTS
        table = pd.concat([times, table], axis=1).reindex(columns=columns)
        if given.model and of.log == "requests":
            table["model"] = table["model"].fillna(given.model)
        yield Tidy(table.reset_index(drop=True), zoned, tuple(said))


def _node(given: Deployment, labels: tuple[object, ...], files: tuple[str, ...]) -> str | None:
    """The node of a row: what `nodes` says of its meter or host, else the host itself, else that of its
    file."""
    said = [str(label) for label in labels if isinstance(label, str)]
    mapped = next((given.nodes[label] for label in said if label in given.nodes), None)
    host = labels[-1] if isinstance(labels[-1], str) else None
    return mapped or host or given.node_of(*files) or None


def _times(
    head: Head, of: Format, given: Deployment, raw: Raw, styles: dict[str, Style | None]
) -> tuple[pd.DataFrame, bool]:
    """Columns time and end in microseconds, and whether they say their zone: all do, or none does."""
    found, zoned = {}, []
    start_us = _start(head, of, given) if of.relative else 0
    for ours, ready in (("time", "time_us"), ("end", "end_us")):
        if ready in raw.table:
            found[ours] = raw.table[ready].astype("Int64")
            zoned += raw.table["zoned"].tolist()
        elif ours in raw.table and of.relative:
            numbers = read_numbers(raw.table[ours], {"": 1.0})
            _refuse(head, raw, ours, numbers.bad, "a number")
            found[ours] = (numbers.values * of.relative).round().astype("Int64") + start_us
            zoned += [bool(start_us)] * len(numbers.values)
        elif ours in raw.table:
            where = f"{head.path}, column {ours!r}"
            if styles.get(ours) is None:
                dates = "month_first" if _writes_months_first(of) else given.dates
                styles[ours] = style_of(raw.table[ours], dates, where)
            read = read_times(raw.table[ours], styles[ours], given.time_zone)
            _refuse(head, raw, ours, read.bad, EXPECTED)
            timed = read.zoned[read.us.notna()]
            if timed.any() and not timed.all():
                _refuse(
                    head, raw, ours, read.us.notna() & ~read.zoned, "a zone, as other times of this log have"
                )
            found[ours] = read.us
            zoned += timed.tolist()
    if "time" not in found:
        raise InputError(f"{head.path}: no column of times, expected one such as `time`")
    if zoned and any(zoned) != all(zoned):
        raise InputError(
            f"{head.path}: times with a zone and times without, expected one kind in `time` and `end`"
        )
    return pd.DataFrame(found, index=raw.table.index), bool(zoned) and all(zoned)


def _from_lengths(
    head: Head, raw: Raw, times: pd.DataFrame, table: pd.DataFrame, ends_at: bool
) -> tuple[pd.DataFrame, str]:
    """Times and ends from one of them and the length of requests, and the unit of these.

    The unit is the one in which answers come at a speed that there is; with units a thousand apart and
    speeds of LIKELY_TOKENS_PER_S it is one or none.
    """
    numbers = read_numbers(raw.table["lasted"], {"": 1.0})
    _refuse(head, raw, "lasted", numbers.bad, "a number")
    lasted = numbers.values.where(numbers.values > 0)
    speed = float((table["output_tokens"].astype("float64") / lasted).median())
    low, high = LIKELY_TOKENS_PER_S
    units = [unit for unit, a_second in SECONDS.items() if low <= speed * a_second < high]
    if not units:
        raise InputError(
            f"{head.path}: lengths of requests of {lasted.median():.3g} (median) are of no unit in which "
            f"answers come at {low:g} to {high:g} tokens/s, expected a column of ends"
        )
    us = (numbers.values * 1e6 / SECONDS[units[0]]).round().astype("Int64")
    if ends_at:
        return times.assign(end=times["time"], time=times["time"] - us), units[0]
    return times.assign(end=times["time"] + us), units[0]


def _writes_months_first(of: Format) -> bool:
    return of.name.startswith(("ipmitool", "PTDaemon"))


def _start(head: Head, of: Format, given: Deployment) -> int:
    start = given.starts.get(head.path.name)
    if start is None:
        raise InputError(
            f"{head.path}: times count from the start of the trace, expected `starts: {{{head.path.name}: "
            f"TIME}}` "
            "in deployment.yaml"
        )
    values = pd.Series([start])
    read = read_times(values, style_of(values), given.time_zone or "UTC")
    if read.bad.any():
        raise InputError(f"deployment.yaml, key 'starts.{head.path.name}': {start!r}, expected a time")
    return int(read.us[0])


def _power(head: Head, of: Format, given: Deployment, raw: Raw) -> pd.DataFrame:
    table = pd.DataFrame(index=raw.table.index)
    table["device"], table["gpu"] = _text(raw.table, "device"), _text(raw.table, "gpu")
    table["scope"] = _text(raw.table, "scope").fillna(of.scope or given.scope or _scope_of(head))
    if (table["scope"] == "").any():
        raise InputError(
            f"{head.path}: nothing says whether accelerators or whole nodes are measured, expected a column "
            f"`scope` "
            "(gpu or node_wall), or `scope:` in deployment.yaml"
        )
    _refuse(head, raw, "scope", ~table["scope"].isin(list(PLAUSIBLE_W)), "gpu or node_wall")
    if "watts" in raw.table and raw.table["watts"].notna().any():
        numbers = read_numbers(raw.table["watts"], WATTS, raw.units.get("watts", ""), raw.comma)
        _refuse(head, raw, "watts", numbers.bad, "a number")
        table["watts"] = numbers.values
        return table
    unit = raw.units.get("energy", "")
    if "energy" not in raw.table or not unit:
        expected = (
            "a unit of the energy in its header, such as energy_kwh"
            if "energy" in raw.table
            else "a column of power"
        )
        raise InputError(f"{head.path}: expected {expected}")
    numbers = read_numbers(raw.table["energy"], JOULES, unit, raw.comma)
    _refuse(head, raw, "energy", numbers.bad, "a number")
    table["joules"] = numbers.values
    return table


def _scope_of(head: Head) -> str:
    names = head.names or (head.json if isinstance(head.json, dict) else ())
    return "gpu" if any("gpu" in str(name).lower() for name in names) else ""


def _requests(head: Head, raw: Raw) -> pd.DataFrame:
    table = pd.DataFrame(
        {name: _text(raw.table, name) for name in ("model", "request", "device", "instance")}
    )
    for name in (*COUNTED, "gpus"):
        if name in raw.table:
            numbers = read_numbers(raw.table[name], {"": 1.0}, comma=raw.comma)
            text = raw.table[name].astype("str").str.strip()
            thousands = text.str.fullmatch(r"[0-9]{1,3}([.][0-9]{3})+").fillna(False) & (not raw.comma)
            _refuse(head, raw, name, numbers.bad | thousands, "a whole number")
            table[name] = numbers.values
    if "cached_input_tokens" in table and "input_tokens" in table:
        table["input_tokens"] = _with_cached(raw, table)
    words = _text(raw.table, "status").fillna("").str.lower()
    failed = words.isin(FAILED) | words.str.contains(HTTP_FAILED)
    known = failed | words.isin(SUCCEEDED) | words.str.contains(HTTP)
    _refuse(head, raw, "status", ~known, "a word such as success or failure, or an HTTP status")
    if "failed" in raw.table:
        said = _text(raw.table, "failed").fillna("").str.lower()
        failed |= ~said.isin(["", "false", "0", "ok"])
    if "cache_hit" in raw.table:  # answered by the gateway: no work of the model
        hit = _text(raw.table, "cache_hit").fillna("").str.lower().isin(["true", "1"])
        failed |= hit
        table["output_tokens"] = table["output_tokens"].mask(hit, 0.0)
    table["status"] = failed.map({True: "failed", False: "ok"})
    return table


def _with_cached(raw: Raw, table: pd.DataFrame) -> pd.Series:
    """Input tokens with the cached ones, which some count beside them: where they say what was put into the
    cache, or have more cached than all."""
    cached = table["cached_input_tokens"].fillna(0)
    if "cache_creation" in raw.table:
        made = read_numbers(raw.table["cache_creation"], {"": 1.0}).values
        return table["input_tokens"] + (cached + made).fillna(0)
    return table["input_tokens"]


def counted_to_watts(table: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Mean power between readings of energy counters, at the earlier reading; a reading that falls starts
    anew."""
    keys = ["node", "scope", "device"]
    table = table.sort_values([*keys, "time"], ignore_index=True, kind="stable")
    groups = table.groupby(keys, dropna=False, sort=False)
    seconds = (groups["time"].shift(-1) - table["time"]).astype("Float64") / 1e6
    joules = groups["joules"].shift(-1) - table["joules"]
    resets = int((joules < 0).sum())
    watts = (joules / seconds).where((joules >= 0) & (seconds > 0)).astype("float64")
    last = seconds.isna()
    notes: tuple[str, ...] = ("energy counters are read as mean power between readings",)
    if resets:
        notes += (
            f"{resets} readings below the one before: the counter began anew, that interval is not used",
        )
    return table.assign(watts=watts)[~last].drop(columns="joules"), notes


def counter_in_watts(table: pd.DataFrame, path: Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Read `watts` that can only be a counter of energy as one, where a single unit gives power that
    hardware has."""
    if table["watts"].median() < LEAST_COUNTER:
        return table, ()
    groups = table.sort_values("time").groupby(["node", "scope", "device"], dropna=False)["watts"]
    if not groups.apply(
        lambda values: values.is_monotonic_increasing and values.iloc[-1] > values.iloc[0]
    ).all():
        return table, ()
    units = {}
    for unit in ("mj", "j", "uj", "wh", "kwh"):
        read, _ = counted_to_watts(table.assign(joules=table["watts"] * JOULES[unit]))
        low, high = PLAUSIBLE_W[str(table["scope"].iloc[0])]
        if low <= read["watts"].mean() <= high:
            units[unit] = read
    if len(units) != 1:
        raise InputError(
            f"{path}, column 'watts': values only rise, so they count energy, in one of "
            f"{', '.join(units) or 'no known unit'}: "
            "expected the column to be named energy_mj, energy_j, energy_wh or energy_kwh"
        )
    unit, read = next(iter(units.items()))
    return read, (
        f"`watts` only rises and is too high for power: read as a counter of energy in {unit} by its "
        f"differences",
    )


def _text(table: pd.DataFrame, name: str) -> pd.Series:
    if name not in table:
        return pd.Series(None, index=table.index, dtype="object")
    text = table[name].map(_plain, na_action="ignore")
    return text.mask(text.isin(MISSING)).astype("object").where(text.notna(), None)


def _plain(value: object) -> str:
    """A label without control characters and half of a surrogate pair; whole numbers without `.0`."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value).encode("utf-8", "replace").decode("utf-8").strip()
    return "".join(sign for sign in text[:200] if sign.isprintable())


def _host(name: str) -> str:
    """The host of an address, or the name as it stands."""
    return urlsplit(name).hostname or name if "://" in name else name


def _refuse(head: Head, raw: Raw, column: str, wrong: pd.Series, expected: str) -> None:
    if wrong.any():
        at = wrong.to_numpy().argmax()
        row = int(raw.table["row"].iloc[at])
        raise InputError.at(
            head.path, row=row, column=column, value=_shown(raw.table[column].iloc[at]), expected=expected
        )


def _shown(value: object) -> object:
    return value[:60] if isinstance(value, str) else value
