"""What refuses a whole log: cells that cannot be read, mixed time zones, wrong units, a wrong interval."""

import ibis.expr.types as ir
import pandas as pd
from ibis import _

from pipeline.core.errors import InputError
from pipeline.logs.contract import POWER_REASONS, REQUEST_REASONS, LogColumn
from pipeline.logs.engines import Engine
from pipeline.logs.rows import LEAST_W, MILLIWATTS_PER_WATT, reason_name
from pipeline.logs.settings import Settings
from pipeline.logs.sources import Source, locate
from pipeline.logs.typed import ZONE, filled, number, status_known, time_columns, unreadable_time
from pipeline.logs.windows import total

SMALL_BOARD_W = 15.0  # at the wall; a server in kW reads less
KILO_APART = 100.0  # times, between nodes of one log
EXPECTED = {
    "time": "a time such as 2026-01-31T23:59:59Z", "count": "a whole number", "number": "a number",
    "text": "gpu or node_wall", "status": "a word such as success or failure, or an HTTP status",
}  # fmt: skip


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
            bad &= unreadable_time(raw[column])
        elif column == "status":
            bad = ~status_known(raw[column])
        else:
            bad &= number(raw, column)[f"{column}_unreadable"]
        value = _first(engine, raw.filter(bad), column)
        kind = "status" if column == "status" else contract[column].kind
        raise _at(source, column, value, EXPECTED[kind])


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
    expected = (
        f"a zone (Z or +hh:mm) as in {beside.name}, or none in either, which means UTC; `time_zone` in "
        "deployment.yaml gives one"
    )
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


def reasons(engine: Engine, table: ir.Table, names: list[str], rows: str) -> pd.DataFrame:
    """Rows of the log by reason; zoned and timed count the text times with a zone, and all text times."""
    counts = engine.fetch(
        table.group_by("reason").agg(rows=total(_[rows]), zoned=total(_.zoned), timed=total(_.timed))
    )
    counts["reason"] = [reason_name(None if pd.isna(code) else code, names) for code in counts["reason"]]
    return counts


def refuse_units(engine: Engine, source: Source, of_meters: ir.Table, settings: Settings) -> None:
    """Refuse power that looks like mW (some samples above what hardware draws) or kW (most of them below)."""
    low, high = (POWER_REASONS.index(name) for name in ("watts_too_low", "watts_too_high"))
    judged = of_meters.filter(_.reason.isnull() | _.reason.isin([low, high]))
    nodes = judged.group_by(["node", "scope"]).agg(
        samples=total(_.samples),
        low=total((_.reason == low).ifelse(_.samples, 0)),
        high=total((_.reason == high).ifelse(_.samples, 0)),
        watts=_.milliwatts.sum() / _.samples.sum() / MILLIWATTS_PER_WATT,
    )
    limit = settings.maximum_share_of_wrong_units
    table = engine.fetch(nodes.order_by("node"))
    # a small board may draw little, but not beside servers
    servers = table[table["scope"] == "node_wall"]["watts"].max()
    small = (table["scope"] == "node_wall") & (table["watts"] < min(SMALL_BOARD_W, servers / KILO_APART))
    wrong = table[
        small | (table["low"] > 0.5 * table["samples"]) | (table["high"] > limit * table["samples"])
    ]
    if wrong.empty:
        return
    node = wrong.iloc[0]
    too_high = node["high"] > limit * node["samples"]
    raw = engine.read(source)
    watts = raw.watts.try_cast("float64") if raw.watts.type().is_string() else raw.watts.cast("float64")
    below = SMALL_BOARD_W if node["watts"] >= LEAST_W else LEAST_W
    beyond = watts > settings.plausible_watts_max if too_high else (watts > 0) & (watts < below)
    found = raw.filter((raw.node == node["node"]) & (raw.scope == node["scope"]) & beyond)
    shown = int(engine.fetch(found.count()))
    value = _first(engine, found, "watts") if shown else None
    expected = (
        f"watts up to {settings.plausible_watts_max:g}; this looks like {'mW' if too_high else 'kW'} (node "
        f"{node['node']!r}: {node['high'] if too_high else shown} of {node['samples']} samples; the limit is "
        "logs.plausible_watts_max)"
    )
    raise _at(source, "watts", value, expected)


def logs_apart(
    engine: Engine,
    requests: Source,
    power: Source,
    of_spans: ir.Table,
    of_meters: ir.Table,
    settings: Settings,
) -> InputError:
    """No request has power: what nodes and times either log has, one node each."""
    outside = REQUEST_REASONS.index("outside_power_log")
    spans, samples = (
        of_spans.filter(_.reason.isnull() | (_.reason == outside)),
        of_meters.filter(_.reason.isnull()),
    )
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
    return values["value"].tolist()[0]


def _at(source: Source, column: str, value: object, expected: str) -> InputError:
    file, row = locate(source, column, value)
    return InputError.at(file, row=row, column=column, value=value, expected=expected)
