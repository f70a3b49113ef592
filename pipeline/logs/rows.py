"""Rows of the two logs: typed, weighed, placed in windows, and marked with the reason why they are not used.

Times are microseconds since 1970 UTC, token weights whole 1/100,000ths, power whole milliwatts: sums of whole
numbers do not depend on the order in which threads and machines add them up.
"""

import ibis
import ibis.expr.types as ir

from pipeline.contracts.logs import POWER_REASONS, REQUEST_REASONS, SCOPES, LogColumn
from pipeline.errors import InputError
from pipeline.logs.engines import Engine
from pipeline.logs.settings import UNITS_PER_TOKEN, Settings
from pipeline.logs.sources import Source

MILLIWATTS_PER_WATT = 1000
MAXIMUM_TOKENS = 1 << 31
ZONE = r"(Z|[+-][0-9]{2}(:?[0-9]{2})?)$"


def request_rows(
    engine: Engine, source: Source, contract: dict[str, LogColumn], settings: Settings
) -> ir.Table:
    """Typed rows of `requests`: + weight, first and last window, weight in each, reason (a number)."""
    raw = engine.read(source)
    check_types(source, raw, contract)
    has_end = "end" in raw.columns
    table = raw.select(
        **_time(engine, raw, "time", "start_us"),
        **(_time(engine, raw, "end", "end_us") if has_end else {}),
        zoned=_zoned(raw, "time"),
        node=_text(raw.node),
        model=_text(raw.model),
        input_tokens=_number(raw.input_tokens),
        output_tokens=_number(raw.output_tokens),
        input_unreadable=_unreadable(raw.input_tokens),
        output_unreadable=_unreadable(raw.output_tokens),
        **({"request": _text(raw.request)} if "request" in raw.columns else {}),
    )
    tokens = settings.weight_input * table.input_tokens + settings.weight_output * table.output_tokens
    table = table.mutate(weight=_whole(tokens * UNITS_PER_TOKEN))
    table = table.mutate(reason=_request_reason(table, has_end))
    usable = table.reason.isnull()
    kept = [
        "zoned",
        "node",
        "model",
        "start_us",
        "reason",
        *(["request"] if "request" in raw.columns else []),
    ]
    table = table.select(
        *kept,
        **({"end_us": table.end_us} if has_end else {}),
        # float tokens may be NaN or out of the range of whole numbers where the row is not usable
        **{
            name: ibis.ifelse(usable, table[name], ibis.null()).cast("int64")
            for name in ("input_tokens", "output_tokens", "weight")
        },
    )
    return _spread(table, settings.window_us, has_end)


def power_rows(
    engine: Engine, source: Source, contract: dict[str, LogColumn], settings: Settings
) -> ir.Table:
    """Typed rows of `power_series`: + milliwatts, window, slot in the window, reason (a number)."""
    raw = engine.read(source)
    check_types(source, raw, contract)
    table = raw.select(
        **_time(engine, raw, "time", "start_us"),
        zoned=_zoned(raw, "time"),
        node=_text(raw.node),
        scope=_text(raw.scope),
        device=_text(raw.device).fill_null("") if "device" in raw.columns else ibis.literal(""),
        watts=_number(raw.watts),
        watts_unreadable=_unreadable(raw.watts),
    )
    table = table.mutate(reason=_power_reason(table, settings))
    window = (table.start_us // settings.window_us).cast("int64")
    usable_watts = ibis.ifelse(table.reason.isnull(), table.watts, 0.0)
    return table.select(
        "zoned",
        "node",
        "scope",
        "device",
        "start_us",
        "reason",
        window=window,
        milliwatts=_whole(usable_watts * MILLIWATTS_PER_WATT),
    )


def reason_name(code: int | None, reasons: list[str]) -> str:
    """The name of a reason from its number; blank for a row that is used."""
    return "" if code is None else reasons[int(code)]


def check_types(source: Source, raw: ir.Table, contract: dict[str, LogColumn]) -> None:
    """Refuse unknown, missing and wrongly typed columns of what the engine reads."""
    schema = raw.schema()
    for column in schema:
        if column not in contract:
            raise InputError(f"{source.name}, row 1: unknown column {column!r}, expected {list(contract)}")
    for column, wanted in contract.items():
        if column not in schema:
            if wanted.required:
                raise InputError(
                    f"{source.name}, row 1: column {column!r} is missing, expected {list(contract)}"
                )
            continue
        found = schema[column]
        right = {
            "time": found.is_timestamp() or found.is_string(),
            "text": found.is_string(),
            "count": found.is_numeric() or (source.is_text and found.is_string()),
            "number": found.is_numeric() or (source.is_text and found.is_string()),
        }[wanted.kind]
        if not right:
            expected = {"time": "timestamp", "text": "text"}.get(wanted.kind, "number")
            raise InputError(f"{source.name}, column {column!r}: type {found}, expected {expected}")


def _time(engine: Engine, raw: ir.Table, column: str, name: str) -> dict[str, ir.Value]:
    value = raw[column]
    if not value.type().is_string():
        return {name: engine.microseconds(value), f"{column}_unreadable": ibis.literal(False)}
    parsed = engine.microseconds(value.try_cast("timestamp('UTC')"))
    return {name: parsed, f"{column}_unreadable": parsed.isnull() & _filled(value)}


def _zoned(raw: ir.Table, column: str) -> ir.Value:
    """1 where a time in text says its zone, 0 where it does not, blank where there is no time."""
    value = raw[column]
    if not value.type().is_string():
        return ibis.literal(None, type="int8")
    return ibis.cases((~_filled(value), ibis.null()), (value.re_search(ZONE), 1), else_=0).cast("int8")


def _filled(value: ir.StringValue) -> ir.BooleanValue:
    return value.notnull() & (value != "")


def _text(value: ir.StringValue) -> ir.StringValue:
    return value.nullif("")


def _number(value: ir.Value) -> ir.FloatingValue:
    """A number; NaN and infinity become missing."""
    number = value.try_cast("float64") if value.type().is_string() else value.cast("float64")
    return ibis.ifelse(number.isnan() | number.isinf(), ibis.null(), number).cast("float64")


def _unreadable(value: ir.Value) -> ir.BooleanValue:
    if not value.type().is_string():
        return ibis.literal(False)
    return value.try_cast("float64").isnull() & _filled(value) & (value.lower() != "nan")


def _whole(value: ir.NumericValue) -> ir.IntegerValue:
    return (value + 0.5).floor().cast("int64")


def _coded(reasons: list[str], tests: dict[str, ir.BooleanValue]) -> ir.IntegerValue:
    """The number of the first reason whose test holds."""
    branches = [(tests[name], ibis.literal(reasons.index(name), "int8")) for name in reasons if name in tests]
    return ibis.cases(*branches, else_=ibis.null("int8"))


def _request_reason(table: ir.Table, has_end: bool) -> ir.IntegerValue:
    given, taken = table.input_tokens, table.output_tokens
    tests = {
        "time_not_a_time": table.time_unreadable,
        "input_tokens_not_a_number": table.input_unreadable,
        "output_tokens_not_a_number": table.output_unreadable,
        "time_missing": table.start_us.isnull(),
        "node_missing": table.node.isnull(),
        "model_missing": table.model.isnull(),
        "tokens_missing": given.isnull() | taken.isnull(),
        "tokens_negative": (given < 0) | (taken < 0),
        "tokens_not_whole": (given != given.floor()) | (taken != taken.floor()),
        "tokens_out_of_range": (given >= MAXIMUM_TOKENS) | (taken >= MAXIMUM_TOKENS),
        "no_tokens": table.weight <= 0,
    }
    if has_end:
        tests["end_not_a_time"] = table.end_unreadable
        tests["end_missing"] = table.end_us.isnull()
        tests["ends_before_start"] = table.end_us < table.start_us
    return _coded(REQUEST_REASONS, tests)


def _power_reason(table: ir.Table, settings: Settings) -> ir.IntegerValue:
    watts = table.watts
    return _coded(
        POWER_REASONS,
        {
            "time_not_a_time": table.time_unreadable,
            "watts_not_a_number": table.watts_unreadable,
            "scope_unknown": table.scope.isnull() | table.scope.notin(SCOPES),
            "time_missing": table.start_us.isnull(),
            "node_missing": table.node.isnull(),
            "watts_missing": watts.isnull(),
            "watts_negative": watts < 0,
            "watts_zero": watts == 0,
            "watts_too_low": watts < settings.plausible_watts_min,
            "watts_too_high": watts > settings.plausible_watts_max,
        },
    )


def _spread(table: ir.Table, window_us: int, has_end: bool) -> ir.Table:
    """Spread a request's weight evenly over [start, end): its first, its last and the windows between.

    The three parts are whole numbers that add up to the weight exactly.
    """
    first = table.start_us // window_us
    if not has_end:
        return table.mutate(
            first=first,
            last=first,
            weight_first=table.weight,
            weight_between=0,
            weight_last=ibis.literal(0, "int64"),
        )
    # the end is not part of the request: one that ends on a window's edge does not touch the next window
    last = ibis.greatest(first, (table.end_us - 1) // window_us)
    table = table.mutate(first=first, last=last, length_us=ibis.greatest(table.end_us - table.start_us, 1))
    per_us = table.weight / table.length_us
    in_first = (per_us * ((table.first + 1) * window_us - table.start_us)).floor().cast("int64")
    between = ibis.ifelse(table.last > table.first + 1, (per_us * window_us).floor().cast("int64"), 0)
    table = table.mutate(
        weight_first=ibis.ifelse(table.last == table.first, table.weight, in_first), weight_between=between
    )
    rest = table.weight - table.weight_first - table.weight_between * (table.last - table.first - 1)
    return table.mutate(weight_last=ibis.ifelse(table.last == table.first, 0, rest)).drop("length_us")
