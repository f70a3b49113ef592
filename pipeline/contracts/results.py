"""Contracts of the tables that the analyses produce."""

from typing import Literal

import pandera.pandas as pa

from pipeline.contracts.columns import NOT_NEGATIVE, number, text, word

ANALYSES = ["as_published", "re_estimated"]
Regime = Literal["short", "long"]
REGIMES: tuple[Regime, ...] = ("short", "long")
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
        "regime": word("short: standard query; long: reasoning", [*REGIMES]),
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
