"""Columns of a log as the engine reads them, turned into the types that the expressions take."""

import ibis
import ibis.expr.types as ir

from pipeline.core.errors import InputError
from pipeline.logs.cells import MISSING
from pipeline.logs.contract import LogColumn
from pipeline.logs.engines import Engine
from pipeline.logs.sources import Source

SUCCEEDED = [
    "", "ok", "success", "succeeded", "successful", "completed", "complete", "done", "stop", "length",
    "true", "finished", "eos", "tool_calls", "function_call", "content_filter", "none",
]  # fmt: skip
FAILED = [
    "failed", "failure", "fail", "error", "errored", "timeout", "timed_out", "cancelled", "canceled",
    "aborted", "abort", "incomplete", "rejected", "false", "rate_limited", "exception", "dropped",
    "throttled", "overloaded", "preempted", "disconnected", "killed", "server_error", "internal_error",
    "bad_request",
]  # fmt: skip
HTTP = r"^[1-5][0-9][0-9](?:[.]0)?(?: [a-z -]+)?$"
HTTP_FAILED = r"^[1345][0-9][0-9](?:[.]0)?(?: [a-z -]+)?$"


def status_known(status: ir.StringValue) -> ir.BooleanValue:
    """Whether a word says how a request ended; a blank one says that nothing failed."""
    word = status.fill_null("").strip().lower()
    return word.isin([*SUCCEEDED, *FAILED]) | word.re_search(HTTP)


def status_failed(status: ir.StringValue) -> ir.BooleanValue:
    """Whether a request failed."""
    word = status.fill_null("").strip().lower()
    return ibis.or_(word.isin(FAILED), word.re_search(HTTP_FAILED))


TIMES = ("time", "end")
TOKENS = ("input_tokens", "output_tokens")
MAXIMUM_TOKENS = 1 << 31
ZONE = r"(Z|[+-][0-9]{2}(:?[0-9]{2})?)$"
# engines read more than this (zone names, years of two digits) and each its own; the grammar is ours
ISO = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}"
    r"(:[0-9]{2}(\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}(:?[0-9]{2})?)?$"
)
THOUSANDS = r"^[0-9]{1,3}([.][0-9]{3})+$"
BLANKS = [word.lower() for word in MISSING]


def read_log(engine: Engine, source: Source, contract: dict[str, LogColumn]) -> ir.Table:
    """The rows of a log, refused when a column is unknown, missing or of a wrong type."""
    raw = engine.read(source)
    raw = raw.select([name for name in contract if name in raw.columns])
    check_types(source, raw, contract)
    # numbers of devices, ids and statuses are names
    plain = {
        name: (raw[name].try_cast("int64") if raw[name].type().is_floating() else raw[name]).cast("string")
        for name in raw.columns
        if contract[name].kind == "text" and raw[name].type().is_numeric()
    }
    return raw.mutate(**plain) if plain else raw


def check_types(source: Source, raw: ir.Table, contract: dict[str, LogColumn]) -> None:
    """Refuse missing and wrongly typed columns of what the engine reads."""
    schema = raw.schema()
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
            "text": found.is_string() or (found.is_numeric() and not wanted.required),
            "count": found.is_numeric() or (source.is_text and found.is_string()),
            "number": found.is_numeric() or (source.is_text and found.is_string()),
        }[wanted.kind]
        if not right:
            expected = {"time": "timestamp", "text": "text"}.get(wanted.kind, "number")
            raise InputError(f"{source.name}, column {column!r}: type {found}, expected {expected}")


def time(engine: Engine, raw: ir.Table, column: str, name: str) -> dict[str, ir.Value]:
    """`name`: microseconds since 1970 UTC; from text also `<column>_unreadable`."""
    value = raw[column]
    if not value.type().is_string():
        return {name: engine.microseconds(value)}
    parsed = engine.microseconds(value.try_cast("timestamp('UTC')"))
    return {name: parsed, f"{column}_unreadable": filled(value) & unreadable_time(value)}


def unreadable_time(value: ir.StringValue) -> ir.BooleanValue:
    """Whether a text is no time of our grammar, or no moment that there was."""
    return value.try_cast("timestamp('UTC')").isnull() | ~value.re_search(ISO)


def zones(engine: Engine, raw: ir.Table) -> dict[str, ir.Value]:
    """`timed`: how many times a row has; `zoned`: how many of them say their zone."""
    timed, zoned = ibis.literal(0, "int8"), ibis.literal(0, "int8")
    for column in time_columns(raw):
        value = raw[column]
        if value.type().is_string():
            there = filled(value)
            says = there & value.re_search(ZONE)
        else:
            there = value.notnull()
            says = there if engine.has_zone(raw, column) else ibis.literal(False)
        timed, zoned = timed + there.cast("int8"), zoned + says.cast("int8")
    return {"timed": timed.cast("int8"), "zoned": zoned.cast("int8")}


def time_columns(raw: ir.Table) -> list[str]:
    """The columns of the log that hold times."""
    return [column for column in TIMES if column in raw.columns]


def number(raw: ir.Table, column: str) -> dict[str, ir.Value]:
    """`column`: a whole number where the log has that type, else float64; from text also `_unreadable`."""
    value = raw[column]
    if value.type().is_integer():
        return {column: value.cast("int64")}
    if not value.type().is_string():
        return {column: value.cast("float64")}
    parsed = value.try_cast("float64")
    wrong = parsed.isnull() & ~value.lower().isin(BLANKS)
    if column.endswith("_tokens"):  # 1.000 is a thousand to some and one to others
        wrong |= value.re_search(THOUSANDS)
    return {column: parsed, f"{column}_unreadable": wrong}


def filled(value: ir.StringValue) -> ir.BooleanValue:
    """Neither missing nor blank."""
    return value.notnull() & (value != "")


def missing(value: ir.Value) -> ir.BooleanValue:
    """Missing, blank, NaN or infinite."""
    if value.type().is_string():
        return value.isnull() | (value == "")
    if value.type().is_floating():
        return value.isnull() | value.isnan() | value.isinf()
    return value.isnull()


def whole(value: ir.NumericValue) -> ir.IntegerValue:
    """Rounded to the nearest whole number."""
    return (value + 0.5).floor().cast("int64")
