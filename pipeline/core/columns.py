"""Columns that contracts are built from: of hand-kept tables, and of the tables that the analyses produce."""

from typing import Literal

import pandas as pd
import pandera.pandas as pa

# seen-primary: read in the source itself; seen-secondary: read in somebody's account of it
CONFIDENCES = ["seen-primary", "seen-secondary", "computed-from-primary-data"]
POSITIVE = pa.Check.gt(0)
NOT_NEGATIVE = pa.Check.ge(0)
SHARE = pa.Check.in_range(0, 1)
KEY = pa.Check.str_matches(r"^[a-z0-9][A-Za-z0-9._-]*$", error="letters, digits, dot, hyphen or underscore")


def key() -> pa.Column:
    """The unique name of a row."""
    return pa.Column("str", KEY, unique=True, description="names the row")


def text(description: str, *checks: pa.Check, nullable: bool = False) -> pa.Column:
    """Free text."""
    return pa.Column("str", list(checks), nullable=nullable, description=description)


def word(description: str, words: list[str], nullable: bool = False) -> pa.Column:
    """One of a closed list of words."""
    return text(description, pa.Check.isin(words), nullable=nullable)


def number(description: str, check: pa.Check | None = POSITIVE, nullable: bool = False) -> pa.Column:
    """A number, more than zero unless said otherwise."""
    return pa.Column("float64", check, nullable=nullable, description=description)


def count(description: str, check: pa.Check) -> pa.Column:
    """A whole number."""
    return pa.Column("int64", check, description=description)


def yes_no(description: str) -> pa.Column:
    """Whether something is so."""
    return word(description, ["yes", "no"])


def schema(
    columns: dict[str, pa.Column],
    checks: list[pa.Check],
    description: str,
    unique: list[str] | None = None,
) -> pa.DataFrameSchema:
    """A table with exactly these columns in this order; checks see whole rows, `unique` names a row."""
    return pa.DataFrameSchema(
        columns, checks=checks, unique=unique, strict=True, ordered=True, description=description
    )


ANALYSES = ["as_published", "re_estimated"]
Regime = Literal["short", "long", "agent step", "agent task"]
REGIMES: tuple[Regime, ...] = ("short", "long")  # those of the published analysis
AGENTS: tuple[Regime, ...] = ("agent step", "agent task")
EVERY_REGIME: tuple[Regime, ...] = (*REGIMES, *AGENTS)
REGIME_WORDS = "short: chat; long: reasoning; agent step: a call of an agent; agent task: all of its calls"
BLEND = "blend"  # the subject that pools the models of an analysis
BOUNDARIES = ["gpu", "node", "facility"]
STATISTICS = ["mean", "p5", "p25", "p50", "p75", "p95"]
NAMES = {
    "mean": "mean over draws",
    "p50": "median",
    **{f"p{p}": f"{p}th percentile" for p in (5, 25, 75, 95)},
}


def _draws() -> pa.Column:
    return pa.Column("int64", pa.Check.gt(0), description="draws that it rests on")


def _summary(unit: str) -> dict[str, pa.Column]:
    """Mean and percentiles, the Monte Carlo standard error of each, and how many draws they rest on."""
    values = {
        f"{name}_{unit}": number(f"{NAMES.get(name, name)}, {unit}", NOT_NEGATIVE) for name in STATISTICS
    }
    errors = {
        f"mc_error_{name}_{unit}": number(f"Monte Carlo standard error of {name}, {unit}", NOT_NEGATIVE)
        for name in STATISTICS
    }
    return {**values, **errors, "n_draws": _draws()}


def _analysis() -> dict[str, pa.Column]:
    return {
        "analysis": word("as published, or estimated anew", ANALYSES),
        "variant": text("choices of the analysis, as in params.yaml; for ours the lengths"),
    }


def _subject() -> dict[str, pa.Column]:
    return {
        "regime": word(REGIME_WORDS, [*EVERY_REGIME]),
        "subject": text("model, blend of models, or blend with a lever"),
    }


def _boundary() -> pa.Column:
    return word("what the energy includes", BOUNDARIES)


ENERGY_PER_QUERY = pa.DataFrameSchema(
    {
        **_analysis(),
        **_subject(),
        "boundary": _boundary(),
        **_summary("wh"),
    },
    unique=["analysis", "variant", "regime", "subject", "boundary"],
    strict=True,
    ordered=True,
    description="Energy per query in Wh of every model and blend, in both analyses, with Monte Carlo errors.",
)

TOKEN_LENGTHS = pa.DataFrameSchema(
    {
        **_analysis(),
        **_subject(),
        **_summary("tokens"),
    },
    unique=["analysis", "variant", "regime", "subject"],
    strict=True,
    ordered=True,
    description="Output tokens per query as drawn, with Monte Carlo errors.",
)

FLEET = pa.DataFrameSchema(
    {
        **_analysis(),
        "scenario": text("mix of queries, as published or with better serving"),
        "component": word("all queries, or the part of one kind", ["total", "short", "long"]),
        "boundary": _boundary(),
        "value_gwh_per_day": number("energy of a day", NOT_NEGATIVE),
        "p5_gwh_per_day": number("lower end of `interval`", NOT_NEGATIVE),
        "p95_gwh_per_day": number("upper end of `interval`", NOT_NEGATIVE),
        "interval": text("what the two ends are"),
        "mc_error_gwh_per_day": number("Monte Carlo standard error of the value", NOT_NEGATIVE),
        "n_draws": _draws(),
    },
    unique=["analysis", "variant", "scenario", "component"],
    strict=True,
    ordered=True,
    description="Energy of a billion queries a day by scenario, in both analyses.",
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

# The name of a check over whole rows is the column that its message points at.
ONE_UNIT = pa.Check(
    lambda table: table["unit"] == table.groupby("quantity")["unit"].transform(lambda unit: unit.mode()[0]),
    name="unit",
    error="the unit of the other rows of this quantity",
)


def _within(value: pd.Series, concerned: pd.Series, low: float, high: float) -> pd.Series:
    return ~concerned | value.isna() | value.between(low, high)


def _power(boundary: str, low: float, high: float) -> pa.Check:
    def check(table: pd.DataFrame) -> pd.Series:
        watts = table["value"] * table["unit"].map(WATTS)
        return _within(watts, watts.notna() & (table["boundary"] == boundary), low, high)

    return pa.Check(check, name="value", error=f"a power of {low:g} to {high:g} W (boundary {boundary})")


def _amount(unit: str, low: float, high: float) -> pa.Check:
    def check(table: pd.DataFrame) -> pd.Series:
        return _within(table["value"], table["unit"] == unit, low, high)

    return pa.Check(check, name="value", error=f"{low:g} to {high:g} {unit}")


PLAUSIBLE = [
    ONE_UNIT,
    *(_power(boundary, *limits) for boundary, limits in POWER_W.items()),
    *(_amount(unit, *limits) for unit, limits in AMOUNTS.items()),
]
