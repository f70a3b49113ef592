"""Contracts of what the re-estimate adds to the tables of every analysis."""

import pandera.pandas as pa

from pipeline.contracts.results import BOUNDARIES, REGIMES
from pipeline.contracts.traffic import SCENARIOS

VARIANTS = [f"{scenario}_lengths" for scenario in SCENARIOS]
TARGETS = ["one query", "mean over queries"]
GROUPS = ["length", "throughput", "power", "load", "pue", "model"]
_OVER_WORLDS = {"p5": "5th percentile", "p50": "median", "p95": "95th percentile"}
SPLIT = {
    **{
        f"{statistic}_{p}_wh": f"{name} over what is not known, of the {statistic} over queries"
        for statistic in ("median", "mean")
        for p, name in _OVER_WORLDS.items()
    },
    "query_p5_wh": "5th percentile over queries; median over what is not known",
    "query_p95_wh": "95th percentile over queries; median over what is not known",
    "total_p5_wh": "5th percentile of one query, all sources together",
    "total_p50_wh": "median of one query, all sources together",
    "total_p95_wh": "95th percentile of one query, all sources together",
    "total_mean_wh": "mean, all sources together",
}


def _text(description: str, values: list[str] | None = None) -> pa.Column:
    return pa.Column("str", pa.Check.isin(values) if values else None, description=description)


def _number(description: str, minimum: float | None = 0.0) -> pa.Column:
    check = pa.Check.ge(minimum) if minimum is not None else None
    return pa.Column("float64", check, description=description)


def _count(description: str) -> pa.Column:
    return pa.Column("int64", pa.Check.gt(0), description=description)


_CASE = {
    "variant": _text("lengths of the queries", VARIANTS),
    "regime": _text("short: standard query; long: reasoning", [*REGIMES]),
    "subject": _text("model in its deployment, or the blend of those above 200 B parameters"),
}

RE_ESTIMATED = pa.DataFrameSchema(
    {
        **_CASE,
        "boundary": _text("accelerators, serving servers, or all with idle servers and cooling", BOUNDARIES),
        **{name: _number(text) for name, text in SPLIT.items()},
        **{f"mc_error_{name}": _number(f"Monte Carlo standard error of {name}") for name in SPLIT},
        "n_outer": _count("worlds: draws of what is not known"),
        "n_inner": _count("queries in each"),
    },
    unique=["variant", "regime", "subject", "boundary"],
    strict=True,
    ordered=True,
    description="Energy per query with ignorance and variability apart.",
)

VARIANCE_SHARES = pa.DataFrameSchema(
    {
        **_CASE,
        "target": _text("whose ln energy varies", TARGETS),
        "group": _text("source of spread", GROUPS),
        # Estimates: an index near 0 may come out slightly below.
        "first_order": _number("share of the variance of ln energy that the group explains alone", None),
        "first_order_half_width": _number("half of its 90 % interval"),
        "total_order": _number("share with all its interactions", None),
        "total_order_half_width": _number("half of its 90 % interval"),
        "ln_variance": _number("variance of ln energy that the shares divide"),
        "base_points": _count("points of the design before groups are exchanged"),
    },
    unique=["variant", "regime", "subject", "target", "group"],
    strict=True,
    ordered=True,
    description="Sobol indices of ln energy per query at the facility.",
)

TORNADO = pa.DataFrameSchema(
    {
        **_CASE,
        "input": _text("what takes its values, all else at the median"),
        "meaning": _text("what the input is"),
        "energy_p5_wh": _number("mean energy per query, 5th percentile"),
        "energy_at_median_wh": _number("mean energy per query with every input at its median"),
        "energy_p95_wh": _number("mean energy per query, 95th percentile"),
    },
    unique=["variant", "regime", "subject", "input"],
    strict=True,
    ordered=True,
    description="One input at a time, facility boundary, widest first.",
)

START, BEYOND, WITHIN = "start", "change", "no change beyond Monte Carlo error"
BRIDGE_STEPS = [START, BEYOND, WITHIN]
BRIDGE = pa.DataFrameSchema(
    {
        "regime": _text("short: standard query; long: reasoning", [*REGIMES]),
        "subject": _text("the blend of models above 200 B parameters"),
        "step": pa.Column("int64", pa.Check.ge(0), description="place in the order of changes"),
        "name": _text("what changes"),
        "change": _text("in words"),
        "median_wh": _number("over all queries, all sources together, facility"),
        "mean_wh": _number("over all queries, all sources together, facility"),
        "mc_error_median_wh": _number("Monte Carlo standard error"),
        "mc_error_mean_wh": _number("Monte Carlo standard error"),
        "median_wh_ratio": _number("median over that of the step before"),
        "mean_wh_ratio": _number("mean over that of the step before"),
        "median_step": _text("whether the median changes by more than two Monte Carlo errors", BRIDGE_STEPS),
        "mean_step": _text("whether the mean changes by more than two Monte Carlo errors", BRIDGE_STEPS),
    },
    unique=["regime", "step"],
    strict=True,
    ordered=True,
    description="From the published energy per query to the re-estimate in single steps.",
)
