"""Columns of a log as the engine reads them, turned into the types that the expressions take."""

import ibis
import ibis.expr.types as ir

from pipeline.contracts.logs import LogColumn
from pipeline.errors import InputError
from pipeline.logs.engines import Engine
from pipeline.logs.sources import Source

TIMES = ("time", "end")
ZONE = r"(Z|[+-][0-9]{2}(:?[0-9]{2})?)$"


def read_log(engine: Engine, source: Source, contract: dict[str, LogColumn]) -> ir.Table:
    """The rows of a log, refused when a column is unknown, missing or of a wrong type."""
    raw = engine.read(source)
    check_types(source, raw, contract)
    return raw


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


def time(engine: Engine, raw: ir.Table, column: str, name: str) -> dict[str, ir.Value]:
    """`name`: microseconds since 1970 UTC; from text also `<column>_unreadable`."""
    value = raw[column]
    if not value.type().is_string():
        return {name: engine.microseconds(value)}
    parsed = engine.microseconds(value.try_cast("timestamp('UTC')"))
    return {name: parsed, f"{column}_unreadable": parsed.isnull() & filled(value)}


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
    wrong = parsed.isnull() & filled(value) & (value.lower() != "nan")
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
