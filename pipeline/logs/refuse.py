"""What refuses a whole log: cells that cannot be read, mixed time zones, wrong units, a wrong interval."""

import ibis.expr.types as ir
import pandas as pd
from ibis import _

from pipeline.contracts.logs import POWER_REASONS, LogColumn
from pipeline.errors import InputError
from pipeline.logs.engines import Engine
from pipeline.logs.settings import Settings
from pipeline.logs.sources import Source, locate
from pipeline.logs.typed import ZONE, filled, time_columns
from pipeline.logs.windows import total

EXPECTED = {
    "time": "a time such as 2026-01-31T23:59:59Z",
    "count": "a whole number",
    "number": "a number",
    "text": "gpu or node_wall",
}


def refuse_unreadable(
    engine: Engine,
    source: Source,
    counts: pd.DataFrame,
    refused: dict[str, str],
    contract: dict[str, LogColumn],
) -> None:
    """Refuse a log in which a cell is not what its column holds; `counts` has a row a reason (by name)."""
    for reason, column in refused.items():
        if not (counts["reason"] == reason).any():
            continue
        raw = engine.read(source)
        bad = raw[column].notnull() & (raw[column] != "")
        if column == "scope":
            bad = raw[column].isnull() | raw[column].notin(["gpu", "node_wall"])
        elif contract[column].kind == "time":
            bad &= raw[column].try_cast("timestamp('UTC')").isnull()
        else:
            bad &= raw[column].try_cast("float64").isnull()
        value = _first(engine, raw.filter(bad), column)
        raise _at(source, column, value, EXPECTED[contract[column].kind])


def says_zones(engine: Engine, source: Source, counts: pd.DataFrame) -> bool | None:
    """Whether the times of the log say their zone (none: it has no time); refuses when only some do."""
    zoned, timed = int(counts["zoned"].sum()), int(counts["timed"].sum())
    if 0 < zoned < timed:
        expected = f"a zone (Z or +hh:mm) as {zoned} of the {timed} times of this log have"
        raise _without_zone(engine, source, expected)
    return zoned > 0 if timed else None


def refuse_zones_apart(
    engine: Engine, requests: Source, requests_say: bool | None, power: Source, power_says: bool | None
) -> None:
    """Refuse two logs of which only one says its zone; without one, both are taken as UTC."""
    if None in (requests_say, power_says) or requests_say == power_says:
        return
    without, beside = (power, requests) if requests_say else (requests, power)
    expected = f"a zone (Z or +hh:mm) as in {beside.name}, or none in either, which means UTC"
    raise _without_zone(engine, without, expected)


def _without_zone(engine: Engine, source: Source, expected: str) -> InputError:
    raw = engine.read(source)
    for column in time_columns(raw):
        value = raw[column]
        if not value.type().is_string():
            if not engine.has_zone(raw, column):
                return InputError(
                    f"{source.name}, column {column!r}: times without a zone, expected {expected}"
                )
            continue
        found = raw.filter(filled(value) & ~value.re_search(ZONE))
        if int(engine.fetch(found.count())):
            return _at(source, column, _first(engine, found, column), expected)
    return InputError(f"{source.name}: expected {expected}")


def refuse_units(engine: Engine, source: Source, of_meters: ir.Table, settings: Settings) -> None:
    """Refuse power that looks like mW or kW at some node; which of them it is, is not guessed."""
    low, high = (POWER_REASONS.index(name) for name in ("watts_too_low", "watts_too_high"))
    judged = of_meters.filter(_.reason.isnull() | _.reason.isin([low, high]))
    nodes = judged.group_by("node").agg(
        samples=total(_.samples),
        low=total((_.reason == low).ifelse(_.samples, 0)),
        high=total((_.reason == high).ifelse(_.samples, 0)),
    )
    limit = settings.maximum_share_of_wrong_units
    wrong = nodes.filter((_.low > limit * _.samples) | (_.high > limit * _.samples)).order_by("node")
    rows = engine.fetch(wrong.limit(1))
    if rows.empty:
        return
    node = rows.iloc[0]
    too_high = node["high"] > limit * node["samples"]
    raw = engine.read(source)
    watts = raw.watts.try_cast("float64") if raw.watts.type().is_string() else raw.watts.cast("float64")
    beyond = watts > settings.plausible_watts_max
    if not too_high:
        beyond = (watts > 0) & (watts < settings.plausible_watts_min)
    value = _first(engine, raw.filter((raw.node == node["node"]) & beyond), "watts")
    expected = (
        f"watts from {settings.plausible_watts_min:g} to {settings.plausible_watts_max:g}; this looks like "
        f"{'mW' if too_high else 'kW'} (node {node['node']!r}: {node['high' if too_high else 'low']} of "
        f"{node['samples']} samples; the limits are logs.plausible_watts_min and _max)"
    )
    raise _at(source, "watts", value, expected)


def refuse_interval(engine: Engine, source: Source, of_meters: ir.Table, settings: Settings) -> None:
    """Refuse a power log whose samples come in another interval than the settings say."""
    usable = of_meters.filter(_.reason.isnull())
    expected = settings.samples_per_window
    few = _.samples < settings.minimum_coverage * expected
    many = _.samples > (2 - settings.minimum_coverage) * expected + 1
    found = engine.fetch(
        usable.agg(
            windows=_.count(),
            few=total(few.cast("int64")),
            many=total(many.cast("int64")),
            samples=_.samples.median(),
        )
    ).iloc[0]
    if not found["windows"]:
        raise InputError(f"{source.name}: no usable power sample, expected some")
    if max(found["few"], found["many"]) * 2 > found["windows"]:
        raise InputError(
            f"{source.name}: {found['samples']:g} samples a meter and window of {settings.window_seconds} s "
            f"(median), expected {expected:g} from logs.sample_seconds = {settings.sample_seconds:g}"
        )


def logs_apart(
    engine: Engine,
    requests: Source,
    power: Source,
    of_spans: ir.Table,
    of_meters: ir.Table,
    settings: Settings,
) -> InputError:
    """No request has power: what nodes and times either log has, one node each."""
    spans, samples = of_spans.filter(_.reason.isnull()), of_meters.filter(_.reason.isnull())
    there = {
        requests.name: (spans, spans.first, spans["last"]),
        power.name: (samples, samples.window, samples.window),
    }
    found = []
    for name, (table, first, last) in there.items():
        row = engine.fetch(table.agg(node=_.node.min(), first=first.min(), last=last.max())).iloc[0]
        if pd.isna(row["first"]):
            return InputError(f"{name}: every row is set aside, expected a usable one")
        start, end = (
            pd.Timestamp(int(window) * settings.window_us, unit="us").strftime("%Y-%m-%dT%H:%M:%SZ")
            for window in (row["first"], row["last"] + 1)
        )
        found.append(f"{name} has node {row['node']!r} and times from {start} to {end}")
    return InputError(
        f"{requests.name}: no request could be given energy, expected nodes and times as in power: "
        + ", ".join(found)
    )


def _first(engine: Engine, rows: ir.Table, column: str) -> object:
    """One value of the column, the same on every engine."""
    values = engine.fetch(rows.select(value=rows[column]).order_by("value").limit(1))
    return values["value"].iloc[0]


def _at(source: Source, column: str, value: object, expected: str) -> InputError:
    file, row = locate(source, column, value)
    return InputError.at(file, row=row, column=column, value=value, expected=expected)
