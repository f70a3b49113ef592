"""Rows of the two logs: typed, weighed, placed in windows, and marked with the reason why they are not used.

Times are microseconds since 1970 UTC, token weights whole 1/100,000ths, power whole milliwatts: sums of whole
numbers do not depend on the order in which threads and machines add them up.
"""

import operator
from collections.abc import Callable
from functools import reduce

import ibis
import ibis.expr.types as ir

from pipeline.contracts.logs import POWER_REASONS, REQUEST_REASONS, SCOPES, LogColumn
from pipeline.logs.engines import Engine
from pipeline.logs.settings import UNITS_PER_TOKEN, Settings
from pipeline.logs.sources import Source
from pipeline.logs.typed import missing, number, read_log, time, whole, zones

MILLIWATTS_PER_WATT = 1000
MAXIMUM_TOKENS = 1 << 31
TOKENS = ("input_tokens", "output_tokens")


def request_rows(
    engine: Engine, source: Source, contract: dict[str, LogColumn], settings: Settings
) -> ir.Table:
    """Typed rows of `requests`: + weight, first and last window, weight in each, usable, reason."""
    raw = read_log(engine, source, contract)
    has_end = "end" in raw.columns
    table = raw.select(
        **time(engine, raw, "time", "start_us"),
        **(time(engine, raw, "end", "end_us") if has_end else {}),
        **zones(engine, raw),
        **number(raw, "input_tokens"),
        **number(raw, "output_tokens"),
        **{name: raw[name] for name in ("node", "model", "request") if name in raw.columns},
    )
    table = _marked(
        table.mutate(weight=_weight(engine, raw, table, settings)), REQUEST_REASONS, _request_tests
    )
    # tokens that are not whole numbers by type may not fit one where the row is not usable
    whole_tokens = {
        name: ibis.ifelse(table.usable, table[name], ibis.null()).cast("int64")
        for name in TOKENS
        if not table[name].type().is_integer()
    }
    if whole_tokens:
        table = table.mutate(weight=ibis.ifelse(table.usable, table.weight, 0), **whole_tokens)
    table = table.mutate(weight=whole(table.weight) if table.weight.type().is_floating() else table.weight)
    table = table.drop([column for column in table.columns if column.endswith("_unreadable")])
    return _spread(table, settings.window_us, has_end)


def power_rows(
    engine: Engine, source: Source, contract: dict[str, LogColumn], settings: Settings
) -> ir.Table:
    """Typed rows of `power_series`: + milliwatts, window, usable, reason (a number)."""
    raw = read_log(engine, source, contract)
    table = raw.select(
        **time(engine, raw, "time", "start_us"),
        **zones(engine, raw),
        **number(raw, "watts"),
        node=raw.node,
        scope=raw.scope,
        device=raw.device.fill_null("") if "device" in raw.columns else ibis.literal(""),
    )
    table = _marked(table, POWER_REASONS, lambda of: _power_tests(of, settings))
    watts = ibis.ifelse(table.usable, table.watts, 0)
    table = table.mutate(
        window=(table.start_us // settings.window_us).cast("int64"),
        milliwatts=whole(watts * float(MILLIWATTS_PER_WATT)),
    )
    return table.drop([column for column in table.columns if column.endswith("_unreadable")]).drop("watts")


def reason_name(code: int | None, reasons: list[str]) -> str:
    """The name of a reason from its number; blank for a row that is used."""
    return "" if code is None else reasons[int(code)]


def _weight(engine: Engine, raw: ir.Table, table: ir.Table, settings: Settings) -> ir.NumericValue:
    """Token weight in whole units where the type of the tokens is whole, else float64.

    Tokens that are out of range, and so not usable, are clipped, lest their weight overflow.
    """
    given, taken = (table[name].clip(0, MAXIMUM_TOKENS) for name in TOKENS)
    return given * _input_units(engine, raw, table, settings) + taken * UNITS_PER_TOKEN


def _input_units(engine: Engine, raw: ir.Table, table: ir.Table, settings: Settings) -> ir.IntegerValue:
    """Units of weight of an input token, by the model of the row; only models of the log make a branch."""
    weights = settings.weights
    other = ibis.literal(round(weights.other * UNITS_PER_TOKEN), "int64")
    if not weights.fitted:
        return other
    models = engine.fetch(raw.select("model").distinct())["model"].dropna()
    branches = [
        (table.model == model, ibis.literal(round(weight * UNITS_PER_TOKEN), "int64"))
        for model, weight in sorted(weights.apart(models).items())
    ]
    return ibis.cases(*branches, else_=other) if branches else other


def _marked(
    table: ir.Table, reasons: list[str], tests_of: Callable[[ir.Table], dict[str, ir.BooleanValue]]
) -> ir.Table:
    """Add `usable`, and `reason`: the number of the first reason whose test holds, blank when usable.

    A test may be blank only where another one holds, so `usable` is never blank.
    """
    tests = tests_of(table)
    table = table.mutate(usable=~reduce(operator.or_, tests.values()))
    tests = tests_of(table)
    branches = [(tests[name], ibis.literal(reasons.index(name), "int8")) for name in reasons if name in tests]
    # the chain is evaluated for unusable rows only, which are few
    return table.mutate(
        reason=ibis.ifelse(table.usable, ibis.null("int8"), ibis.cases(*branches, else_=ibis.null("int8")))
    )


def _request_tests(table: ir.Table) -> dict[str, ir.BooleanValue]:
    given, taken = (table[name] for name in TOKENS)
    tests = {
        "time_missing": table.start_us.isnull(),
        "node_missing": missing(table.node),
        "model_missing": missing(table.model),
        "tokens_missing": missing(given) | missing(taken),
        "tokens_negative": (given < 0) | (taken < 0),
        "tokens_out_of_range": (given >= MAXIMUM_TOKENS) | (taken >= MAXIMUM_TOKENS),
        "no_tokens": table.weight <= 0,
    }
    fractional = [value % 1 != 0 for value in (given, taken) if value.type().is_floating()]
    if fractional:
        tests["tokens_not_whole"] = reduce(operator.or_, fractional)
    if "end_us" in table.columns:
        tests["end_missing"] = table.end_us.isnull()
        tests["ends_before_start"] = table.end_us < table.start_us
    return tests | _unreadable(table, {"time": "a_time", "end": "a_time"} | dict.fromkeys(TOKENS, "a_number"))


def _power_tests(table: ir.Table, settings: Settings) -> dict[str, ir.BooleanValue]:
    watts = table.watts
    tests = {
        "scope_unknown": table.scope.isnull() | table.scope.notin(SCOPES),
        "time_missing": table.start_us.isnull(),
        "node_missing": missing(table.node),
        "watts_missing": missing(watts),
        "watts_negative": watts < 0,
        "watts_zero": watts == 0,
        "watts_too_low": watts < settings.plausible_watts_min,
        "watts_too_high": watts > settings.plausible_watts_max,
    }
    return tests | _unreadable(table, {"time": "a_time", "watts": "a_number"})


def _unreadable(table: ir.Table, columns: dict[str, str]) -> dict[str, ir.BooleanValue]:
    return {
        f"{column}_not_{what}": table[f"{column}_unreadable"]
        for column, what in columns.items()
        if f"{column}_unreadable" in table.columns
    }


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
