"""Rows of the two logs: typed, weighed, placed in windows, marked with the reason why they are not used,
once each.

Times are microseconds since 1970 UTC, token weights whole 1/100,000ths, power whole milliwatts: sums of
whole numbers do not depend on the order in which threads and machines add them up. Of repeats a cheap test
that cannot miss one runs first; only the rows that it suspects are compared whole. An id says what is the
same request. Without one, equal rows are repeats unless the log would have them by chance: a load test with
fixed lengths and stamps of whole seconds has many.
"""

import operator
from collections.abc import Callable
from functools import reduce

import ibis
import ibis.expr.types as ir
from ibis import _

from pipeline.logs.contract import POWER_REASONS, REQUEST_REASONS, SCOPES, LogColumn
from pipeline.logs.deployment import Deployment
from pipeline.logs.engines import Engine
from pipeline.logs.places import Places
from pipeline.logs.settings import UNITS_PER_TOKEN, Settings, TokenWeights
from pipeline.logs.sources import Source
from pipeline.logs.typed import (
    MAXIMUM_TOKENS,
    TOKENS,
    missing,
    number,
    read_log,
    status_failed,
    status_known,
    time,
    whole,
    zones,
)

MILLIWATTS_PER_WATT = 1000
OPTIONAL_TOKENS = ("cached_input_tokens", "reasoning_tokens")
SHARE = 1_000_000  # a whole query, in parts
LEAST_W = 1.0  # no accelerator and no node draws less; what is in kW the energy of a token tells


def request_rows(
    engine: Engine,
    raw: ir.Table,
    settings: Settings,
    weights: TokenWeights,
    places: Places,
    powered: ir.Table,
) -> ir.Table:
    """Typed rows of the requests `raw`: + weight, first and last window, weight in each, usable, reason,
    failed, share.

    powered: node, t0_us, t1_us, between which a node's power is known. A request that goes beyond counts
    with the share of its time inside: its weight, and itself (`share`, of SHARE).
    """
    has_end = "end" in raw.columns
    optional = [name for name in OPTIONAL_TOKENS if name in raw.columns]
    table = raw.select(
        **time(engine, raw, "time", "start_us"),
        **(time(engine, raw, "end", "end_us") if has_end else {}), **zones(engine, raw),
        **number(raw, "input_tokens"), **number(raw, "output_tokens"),
        **{name: value for column in optional for name, value in number(raw, column).items()},
        **(_status(raw) if "status" in raw.columns else {}),
        **{name: raw[name] for name in ("model", "request") if name in raw.columns},
        node=places.of_request(raw),
    )  # fmt: skip
    table = _shifted(table, settings.shift_us, has_end)
    table = table.left_join(powered, "node").drop("node_right")
    table = table.mutate(weight=_weight(table, settings, weights), **_clipped(table, has_end))
    if has_end:
        table = table.mutate(until_us=table.end_us)
    table = _marked(table, REQUEST_REASONS, _request_tests)
    # tokens that are not whole numbers by type may not fit one where they are why the row is not usable
    fit = table.usable | (table.reason == REQUEST_REASONS.index("outside_power_log")).fill_null(False)
    whole_tokens = {
        name: ibis.ifelse(fit, table[name], ibis.null()).cast("int64")
        for name in TOKENS
        if not table[name].type().is_integer()
    }
    if whole_tokens:
        table = table.mutate(weight=ibis.ifelse(fit, table.weight, 0), **whole_tokens)
    table = table.mutate(weight=whole(table.weight) if table.weight.type().is_floating() else table.weight)
    dropped = [
        name
        for name in table.columns
        if name.endswith("_unreadable") or name in ("t0_us", "t1_us", *optional)
    ]
    return _spread(table.drop(dropped), settings.window_us, has_end)


def power_rows(
    engine: Engine, source: Source, contract: dict[str, LogColumn], settings: Settings, places: Places
) -> ir.Table:
    """Typed rows of `power_series`: + milliwatts, window, usable, reason (a number)."""
    raw = places.without_shared_walls(read_log(engine, source, contract))
    table = raw.select(
        **time(engine, raw, "time", "start_us"), **zones(engine, raw), **number(raw, "watts"),
        node=places.of_sample(raw), scope=raw.scope, device=places.meter_of(raw),
    )  # fmt: skip
    table = _marked(table, POWER_REASONS, lambda of: _power_tests(of, settings))
    watts = ibis.ifelse(table.usable, table.watts, 0)
    table = table.mutate(
        window=(table.start_us // settings.base_window_us).cast("int64"),
        milliwatts=whole(watts * float(MILLIWATTS_PER_WATT)),
    )
    return table.drop([column for column in table.columns if column.endswith("_unreadable")]).drop("watts")


def reason_name(code: int | None, reasons: list[str]) -> str:
    """The name of a reason from its number; blank for a row that is used."""
    return "" if code is None else reasons[int(code)]


def _status(raw: ir.Table) -> dict[str, ir.Value]:
    return {"failed": status_failed(raw.status), "status_unreadable": ~status_known(raw.status)}


def _shifted(table: ir.Table, shift_us: int, has_end: bool) -> ir.Table:
    if not shift_us:
        return table
    return table.mutate(
        start_us=table.start_us + shift_us, **({"end_us": table.end_us + shift_us} if has_end else {})
    )


def _weight(table: ir.Table, settings: Settings, weights: TokenWeights) -> ir.NumericValue:
    """Token weight in whole units where the type of the tokens is whole, else float64.

    Tokens that are out of range, and so not usable, are clipped, lest their weight overflow.
    """
    given, taken = (table[name].clip(0, MAXIMUM_TOKENS) for name in TOKENS)
    if "reasoning_tokens" in table.columns and settings.deployment.output_includes_reasoning is False:
        taken = taken + _known(table.reasoning_tokens)
    price_in, price_out, price_cached = _prices(table, weights, settings.deployment)
    if "cached_input_tokens" not in table.columns:
        return given * price_in + taken * price_out
    cached = ibis.least(_known(table.cached_input_tokens), given)
    return (given - cached) * price_in + cached * price_cached + taken * price_out


def _known(tokens: ir.NumericValue) -> ir.NumericValue:
    """Tokens of an optional column; blank or NaN is none."""
    known = tokens.fill_null(0)
    if known.type().is_floating():
        known = ibis.ifelse(known.isnan(), 0.0, known)
    return known.clip(0, MAXIMUM_TOKENS)


def _prices(table: ir.Table, weights: TokenWeights, given: Deployment) -> tuple[ir.IntegerValue, ...]:
    """Units of weight of an input, an output and a cached input token, by the model of the row."""
    prices = {
        model: (*weights.price(model), weights.price(model)[0] * weights.cached_price(model, given))
        for model in sorted(weights.models)
    }
    defaults = (weights.other, 1.0, weights.other * weights.cached_price("", given))
    values = []
    for place, default in enumerate(defaults):
        other = ibis.literal(round(default * UNITS_PER_TOKEN), "int64")
        branches = [
            (table.model == model, ibis.literal(round(price[place] * UNITS_PER_TOKEN), "int64"))
            for model, price in prices.items()
            if price[place] != default
        ]
        values.append(ibis.cases(*branches, else_=other) if branches else other)
    return tuple(values)


def _clipped(table: ir.Table, has_end: bool) -> dict[str, ir.Value]:
    """The time of a request inside the power log of its node, and its share of the whole."""
    start = table.start_us
    if not has_end:
        outside = (start < table.t0_us) | (start >= table.t1_us)
        return {"outside": outside.fill_null(False), "share": ibis.literal(SHARE, "int64")}
    end = table.end_us
    point = end <= start
    outside = ibis.ifelse(
        point, (start < table.t0_us) | (start >= table.t1_us), (end <= table.t0_us) | (start >= table.t1_us)
    )
    from_us = ibis.ifelse(outside | table.t0_us.isnull(), start, ibis.greatest(start, table.t0_us))
    to_us = ibis.ifelse(outside | table.t1_us.isnull() | point, end, ibis.least(end, table.t1_us))
    length = ibis.greatest(end - start, 1)
    share = ibis.ifelse((to_us - from_us) >= (end - start), SHARE, (to_us - from_us) * SHARE // length)
    return {
        "outside": outside.fill_null(False),
        "share": share.cast("int64"),
        "from_us": from_us.cast("int64"),
        "to_us": to_us.cast("int64"),
    }


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
        "time_missing": table.start_us.isnull(), "node_missing": missing(table.node),
        "model_missing": missing(table.model), "tokens_missing": missing(given) | missing(taken),
        "tokens_negative": (given < 0) | (taken < 0),
        "tokens_out_of_range": (given >= MAXIMUM_TOKENS) | (taken >= MAXIMUM_TOKENS),
        "outside_power_log": table.outside, "no_tokens": table.weight <= 0,
    }  # fmt: skip
    fractional = [value % 1 != 0 for value in (given, taken) if value.type().is_floating()]
    if fractional:
        tests["tokens_not_whole"] = reduce(operator.or_, fractional)
    if "cached_input_tokens" in table.columns:
        tests["cached_more_than_input"] = _known(table.cached_input_tokens) > given
    if "failed" in table.columns:
        # refused before it was served; one that gave tokens took energy, and is kept apart later
        tests["failed_request"] = table.failed & (taken == 0)
        tests["tokens_missing"] &= ~table.failed
        tests["no_tokens"] &= ~table.failed
    if "end_us" in table.columns:
        tests["end_missing"] = table.end_us.isnull()
        tests["ends_before_start"] = table.end_us < table.start_us
    columns = {"time": "a_time", "end": "a_time"} | dict.fromkeys((*TOKENS, *OPTIONAL_TOKENS), "a_number")
    found = tests | _unreadable(table, columns)
    if "status_unreadable" in table.columns:
        found["status_unknown"] = table.status_unreadable
    return found


def _power_tests(table: ir.Table, settings: Settings) -> dict[str, ir.BooleanValue]:
    watts = table.watts
    tests = {
        "scope_unknown": table.scope.isnull() | table.scope.notin(SCOPES),
        "time_missing": table.start_us.isnull(), "node_missing": missing(table.node),
        "watts_missing": missing(watts), "watts_negative": watts < 0, "watts_zero": watts == 0,
        "watts_too_low": watts < LEAST_W, "watts_too_high": watts > settings.plausible_watts_max,
    }  # fmt: skip
    return tests | _unreadable(table, {"time": "a_time", "watts": "a_number"})


def _unreadable(table: ir.Table, columns: dict[str, str]) -> dict[str, ir.BooleanValue]:
    return {
        f"{column}_not_{what}": table[f"{column}_unreadable"]
        for column, what in columns.items()
        if f"{column}_unreadable" in table.columns
    }


def _spread(table: ir.Table, window_us: int, has_end: bool) -> ir.Table:
    """Spread a request's weight evenly over its time under power: its first, its last and the windows
    between.

    The three parts are whole numbers that add up to the weight exactly.
    """
    if not has_end:
        first = table.start_us // window_us
        return table.mutate(
            first=first, last=first, weight_first=table.weight, weight_between=0,
            weight_last=ibis.literal(0, "int64"),
        )  # fmt: skip
    first = table.from_us // window_us
    # the end is not part of the request: one that ends on a window's edge does not touch the next window
    last = ibis.greatest(first, (table.to_us - 1) // window_us)
    table = table.mutate(full_weight=table.weight)
    inside = ibis.ifelse(table.share == SHARE, table.weight, whole(table.weight * (table.share / SHARE)))
    table = table.mutate(
        first=first, last=last, weight=inside, length_us=ibis.greatest(table.to_us - table.from_us, 1)
    )
    per_us = table.weight / table.length_us
    in_first = (per_us * ((table.first + 1) * window_us - table.from_us)).floor().cast("int64")
    between = ibis.ifelse(table.last > table.first + 1, (per_us * window_us).floor().cast("int64"), 0)
    table = table.mutate(
        weight_first=ibis.ifelse(table.last == table.first, table.weight, in_first), weight_between=between
    )
    rest = table.weight - table.weight_first - table.weight_between * (table.last - table.first - 1)
    table = table.mutate(weight_last=ibis.ifelse(table.last == table.first, 0, rest))
    return table.drop("length_us", "from_us", "to_us")


LENGTHS = ["input_tokens", "output_tokens"]
RESOLUTIONS_US = (1_000_000, 1000, 1)
MARGIN = 3.0  # repeats that are still chance, over those expected


def without_repeated_ids(engine: Engine, requests: ir.Table) -> tuple[ir.Table, int]:
    """Each id once: the row that gave most tokens, then the first; rows without an id all stay.

    Also how many usable rows were set aside so.
    """
    if "request" not in requests.columns:
        return requests, 0
    named = requests.filter(_.usable & _.request.notnull() & (_.request != ""))
    again = engine.keep(named.group_by("request").agg(n=_.count()).filter(_.n > 1))
    rows = engine.fetch(again.agg(rows=_.n.sum(), ids=_.count())).iloc[0]
    if not rows["ids"]:
        return requests, 0
    suspected = named.semi_join(again, "request")
    order = [
        ibis.desc("output_tokens"),
        *(name for name in suspected.columns if name not in ("reason", "output_tokens")),
    ]
    kept = suspected.mutate(place=ibis.row_number().over(ibis.window(group_by="request", order_by=order)))
    kept = kept.filter(_.place == 0).drop("place")
    rest = requests.filter(~_.usable | _.request.isnull() | (_.request == ""))
    return rest.union(named.anti_join(again, "request"), kept), int(rows["rows"] - rows["ids"])


def without_duplicate_requests(engine: Engine, requests: ir.Table) -> tuple[ir.Table, int, int]:
    """The usable rows once each plus all other rows, how many were repeats, and how many look equal by
    chance."""
    keys = ["start_us", *LENGTHS]
    suspects = engine.keep(requests.group_by(keys).agg(n=_.count()).filter(_.n > 1).drop("n"))
    if not int(engine.fetch(suspects.count())):
        return requests, 0, 0
    once, repeats = _once(engine, requests, suspects)
    if repeats and repeats <= MARGIN * _by_chance(engine, requests, suspects) + 0.5:
        return requests, 0, repeats
    return once, repeats, 0


def without_duplicate_samples(engine: Engine, samples: ir.Table, suspects: ir.Table) -> tuple[ir.Table, int]:
    """The same for power samples; `suspects` are the meters' windows in which two samples share a slot."""
    return _once(engine, samples, suspects)


def _by_chance(engine: Engine, requests: ir.Table, suspects: ir.Table) -> float:
    """Pairs of equal rows that are expected of this many rows, lengths and this fine a clock."""
    usable = requests.filter(_.usable)
    by_lengths = usable.group_by(LENGTHS).agg(n=_.count(), first=_.start_us.min(), last=_.start_us.max())
    sums = by_lengths.agg(
        pairs=(_.n.cast("float64") * _.n.cast("float64")).sum(), first=_["first"].min(), last=_["last"].max()
    )
    clock = suspects.agg(**{f"off_{us}": (_.start_us % us != 0).sum() for us in RESOLUTIONS_US})
    found, off = engine.fetch(sums).iloc[0], engine.fetch(clock).iloc[0]
    resolution = next(us for us in RESOLUTIONS_US if not off[f"off_{us}"])
    return float(found["pairs"]) * resolution / (2 * max(float(found["last"] - found["first"]), resolution))


def _once(engine: Engine, table: ir.Table, suspects: ir.Table) -> tuple[ir.Table, int]:
    if not int(engine.fetch(suspects.count())):
        return table, 0
    usable, keys = table.filter(_.usable), list(suspects.columns)
    suspected = usable.semi_join(suspects, keys)
    groups = suspected.group_by(list(suspected.columns)).agg(n=_.count()).filter(_.n > 1)
    repeats = engine.fetch(groups.agg(repeats=(_.n - 1).sum()))["repeats"].iloc[0]
    if not repeats or repeats != repeats:
        return table, 0
    rest = table.filter(~_.usable)
    return rest.union(usable.anti_join(suspects, keys), suspected.distinct()), int(repeats)
