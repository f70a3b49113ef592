"""Columns that contracts are built from: of hand-kept tables, and of the tables that the analyses produce."""

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal

import pandas as pd
import pandera.pandas as pa

# seen-primary: read in the source itself; seen-secondary: read in somebody's account of it
CONFIDENCES = ["seen-primary", "seen-secondary", "computed-from-primary-data"]
POSITIVE = pa.Check.gt(0)
NOT_NEGATIVE = pa.Check.ge(0)
SHARE = pa.Check.in_range(0, 1)
KEY = pa.Check.str_matches(r"^[a-z0-9][A-Za-z0-9._-]*$", error="letters, digits, dot, hyphen or underscore")

ANALYSES = ["as_published", "re_estimated"]
Regime = Literal["short", "long", "agent step", "agent task"]
REGIMES: tuple[Regime, ...] = ("short", "long")  # those of the published analysis
AGENTS: tuple[Regime, ...] = ("agent step", "agent task")
EVERY_REGIME: tuple[Regime, ...] = (*REGIMES, *AGENTS)
REGIME_WORDS = "short: chat; long: reasoning; agent step: a call of an agent; agent task: all of its calls"
BLEND = "blend"  # the subject that pools the models of an analysis
BOUNDARIES = ["gpu", "node", "facility"]
STATISTICS = ["mean", "p5", "p25", "p50", "p75", "p95"]
NAMES = {f"p{p}": f"{p}th percentile" for p in (1, 5, 10, 25, 50, 75, 90, 95, 99)} | {"p50": "median"}
INTERVALS = [
    "IQR",
    "P5-P95",
    "1 sd",
    "min-max",
    "range as stated",
    "scenario range",
    "upper bound",  # "up to": high repeats the value
    "lower bound",  # "more than": low repeats the value
]


def key() -> pa.Column:
    """The unique name of a row."""
    return pa.Column("str", KEY, unique=True, description="names the row")


def text(description: str, *checks: pa.Check, nullable: bool = False) -> pa.Column:
    """Free text."""
    return pa.Column("str", list(checks), nullable=nullable, description=description)


def word(description: str, words: list[str], nullable: bool = False) -> pa.Column:
    """One of a closed list of words."""
    return text(description, pa.Check.isin(words), nullable=nullable)


def codes(description: str, words: list[str]) -> pa.Column:
    """Words of a closed list joined with ';', blank where there is none."""
    one = "|".join(map(re.escape, words))
    check = pa.Check.str_matches(rf"^({one})(;({one}))*$", error=f"{', '.join(words)}, joined with ';'")
    return text(description, check, nullable=True)


def number(description: str, check: pa.Check | None = POSITIVE, nullable: bool = False) -> pa.Column:
    """A number, more than zero unless said otherwise."""
    return pa.Column("float64", check, nullable=nullable, description=description)


def count(description: str, check: pa.Check) -> pa.Column:
    """A whole number."""
    return pa.Column("int64", check, description=description)


def yes_no(description: str) -> pa.Column:
    """Whether something is so."""
    return word(description, ["yes", "no"])


def band(
    of: str,
    name: str = "{}",
    wanted: str = "p5 p50 p95",
    check: pa.Check | None = NOT_NEGATIVE,
    **blank: bool,
) -> dict[str, pa.Column]:
    """Percentiles of a quantity, a column each; `name` has {} in the place of p50."""
    return {name.format(p): number(f"{NAMES[p]} of {of}", check, **blank) for p in wanted.split()}


def with_errors(columns: dict[str, pa.Column]) -> dict[str, pa.Column]:
    """Columns, and behind them the Monte Carlo standard error of each."""
    error = "Monte Carlo standard error of {}"
    return columns | {f"mc_error_{name}": number(error.format(name), NOT_NEGATIVE) for name in columns}


def summary(unit: str, of: str = "draws") -> dict[str, pa.Column]:
    """Mean and percentiles with their Monte Carlo errors, and how many draws they rest on."""
    names = [f"{name}_{unit}" for name in STATISTICS]
    columns = {name: number(f"{name.partition('_')[0]} over {of}", NOT_NEGATIVE) for name in names}
    return {**with_errors(columns), "n_draws": count("draws that it rests on", POSITIVE)}


def ends(check: pa.Check = NOT_NEGATIVE) -> dict[str, pa.Column]:
    """The interval of a transcribed value."""
    return {
        "low": number("lower end of the interval", check, nullable=True),
        "high": number("upper end of the interval", check, nullable=True),
        "interval": word("what low and high mean", INTERVALS, nullable=True),
    }


def origin(confidences: list[str] = CONFIDENCES, placed: bool = True) -> dict[str, pa.Column]:
    """Where a transcribed row stands; `placed`: also within its source."""
    return {
        "source": text("key of paper/references.bib"),
        "where": text("version, table, page or address within the source", nullable=not placed),
        "confidence": word("how it was read", confidences),
        "note": text("what else matters", nullable=True),
    }


def row_check(column: str, expected: str, rule: str | Callable[[pd.DataFrame], pd.Series]) -> pa.Check:
    """A check over whole rows, whose message points at a column; rule: of columns by name, or a function."""
    check = partial(pd.DataFrame.eval, expr=rule, engine="python") if isinstance(rule, str) else rule
    return pa.Check(check, name=column, error=expected)


def schema(
    columns: dict[str, pa.Column],
    description: str,
    unique: list[str] | None = None,
    checks: Sequence[pa.Check] = (),
) -> pa.DataFrameSchema:
    """A table with exactly these columns in this order; `unique` names a row, checks see whole rows."""
    layout: dict[str, Any] = {"unique": unique, "strict": True, "ordered": True, "description": description}
    return pa.DataFrameSchema(columns, checks=list(checks), **layout)


_CASE = {
    "analysis": word("as published, or estimated anew", ANALYSES),
    "variant": text("choices of the analysis, as in params.yaml; for ours the lengths"),
    "regime": word(REGIME_WORDS, [*EVERY_REGIME]),
    "subject": text("model, blend of models, or blend with a lever"),
}
ENERGY_PER_QUERY = schema(
    {**_CASE, "boundary": word("what the energy includes", BOUNDARIES), **summary("wh")},
    "Energy per query in Wh of every model and blend, in both analyses, with Monte Carlo errors.",
    ["analysis", "variant", "regime", "subject", "boundary"],
)

TOKEN_LENGTHS = schema(
    {**_CASE, **summary("tokens")},
    "Output tokens per query as drawn, with Monte Carlo errors.",
    ["analysis", "variant", "regime", "subject"],
)

FLEET = schema(
    {
        "analysis": _CASE["analysis"],
        "variant": _CASE["variant"],
        "scenario": text("mix of queries, as published or with better serving"),
        "component": word("all queries, or the part of one kind", ["total", "short", "long"]),
        "boundary": word("what the energy includes", BOUNDARIES),
        "value_gwh_per_day": number("energy of a day", NOT_NEGATIVE),
        "p5_gwh_per_day": number("lower end of `interval`", NOT_NEGATIVE),
        "p95_gwh_per_day": number("upper end of `interval`", NOT_NEGATIVE),
        "interval": text("what the two ends are"),
        "mc_error_gwh_per_day": number("Monte Carlo standard error of the value", NOT_NEGATIVE),
        "n_draws": count("draws that it rests on", POSITIVE),
    },
    "Energy of a billion queries a day by scenario, in both analyses.",
    ["analysis", "variant", "scenario", "component"],
)


WATTS = {"W": 1.0, "kW": 1000.0}
# Of what exists or is announced, with room: from idle to the largest rated power.
POWER_W = {
    "gpu": (10, 20_000),  # one, or those of a node together
    "board": (50, 5_000),
    "superchip": (100, 10_000),
    "component": (10, 20_000),
    "gpu+host": (50, 50_000),
    "node": (200, 50_000),
    "rack": (5_000, 2_000_000),
    "cluster": (20_000, 1e9),
    "facility": (100, 10_000),  # of one accelerator, all-in
}
AMOUNTS = {
    "fraction": (0, 1),
    "ratio": (0, 1_000),
    "Wh/query": (1e-4, 1_000),
    "Wh/session": (0.01, 10_000),
    "Wh/1000 output tokens": (0.01, 20),
    "Wh/million tokens": (1, 20_000),
    "J/output token": (0.01, 1_000),
    "J/token": (0.01, 1_000),
    "GWh/day": (0.001, 1_000),
    "tokens/s/MW": (1_000, 1e8),
}

ONE_UNIT = row_check(
    "unit",
    "the unit of the other rows of this quantity",
    lambda table: table["unit"] == table.groupby("quantity")["unit"].transform(lambda unit: unit.mode()[0]),
)


def _within(value: pd.Series, concerned: pd.Series, low: float, high: float) -> pd.Series:
    return ~concerned | value.isna() | value.between(low, high)


def _power(boundary: str, low: float, high: float) -> pa.Check:
    def check(table: pd.DataFrame) -> pd.Series:
        watts = table["value"] * table["unit"].map(WATTS)
        return _within(watts, watts.notna() & (table["boundary"] == boundary), low, high)

    return row_check("value", f"a power of {low:g} to {high:g} W (boundary {boundary})", check)


def _amount(unit: str, low: float, high: float) -> pa.Check:
    def check(table: pd.DataFrame) -> pd.Series:
        return _within(table["value"], table["unit"] == unit, low, high)

    return row_check("value", f"{low:g} to {high:g} {unit}", check)


PLAUSIBLE = [
    ONE_UNIT,
    *(_power(boundary, *limits) for boundary, limits in POWER_W.items()),
    *(_amount(unit, *limits) for unit, limits in AMOUNTS.items()),
]
