"""Contracts of what the re-estimate adds to the tables of every analysis."""

import pandera.pandas as pa

from pipeline.core.catalogue import Table
from pipeline.core.columns import ANALYSES, BOUNDARIES, EVERY_REGIME, REGIME_WORDS, REGIMES
from pipeline.ingest.contract import ANCHORS, GRADES
from pipeline.lengths.model.contract import SCENARIOS

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
    "regime": _text(REGIME_WORDS, [*EVERY_REGIME]),
    "subject": _text(
        "model in its deployment; service that runs one model of a class; or the published blend"
    ),
}

RE_ESTIMATED = pa.DataFrameSchema(
    {
        **_CASE,
        "boundary": _text("accelerators, serving servers, or all with idle servers and cooling", BOUNDARIES),
        **{name: _number(text) for name, text in SPLIT.items()},
        **{f"mc_error_{name}": _number(f"Monte Carlo standard error of {name}") for name in SPLIT},
        "n_outer": _count("epistemic samples: draws of what is not known"),
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

STATISTICS = [
    "median query of a service",
    "mean query of a service",
    "median query of the blend",
    "mean query of the blend",
    "one query",
]
HEADLINE = pa.DataFrameSchema(
    {
        "analysis": _text("as published, or estimated anew", ANALYSES),
        "model_class": _text("models served alike, of which a service runs one; or the published blend"),
        "models": _text("those that it takes"),
        "regime": _text(REGIME_WORDS, [*EVERY_REGIME]),
        "lengths": _text("tokens of queries: of production, or as published", SCENARIOS),
        "condition": _text("under what it holds"),
        "statistic": _text(
            "median or mean query of one service, the interval over what is not known of it; of the blend; "
            "or one query, the interval over queries as well",
            STATISTICS,
        ),
        **{f"{p}_wh": _number(f"{name}, facility") for p, name in _OVER_WORLDS.items()},
        "mc_error_p50_wh": _number("Monte Carlo standard error of the median"),
        "grade": _text(
            "B: serving of every model was measured, with power; C: not of all; D: lengths are assumed. Load "
            "and practice are priors from what operators say, in all",
            list(GRADES),
        ),
    },
    unique=["analysis", "model_class", "regime", "lengths", "statistic"],
    strict=True,
    ordered=True,
    description="Headline energies per query, each with class, statistic, lengths, condition and grade.",
)

_SIDES = {
    "published": "as published",
    "same_lengths": "ours at the same lengths",
    "production": "ours at the lengths of production",
}
LIKE_FOR_LIKE = pa.DataFrameSchema(
    {
        "regime": _text("short: chat; long: reasoning", [*REGIMES]),
        "model_class": _text("the models, the same on all sides"),
        "statistic": _text("the same on all sides", STATISTICS),
        **{
            f"{side}_{p}_wh": _number(f"{name}, {words}")
            for side, words in _SIDES.items()
            for p, name in _OVER_WORLDS.items()
        },
        "same_lengths_over_published": _number("of the medians: what the estimate changes"),
        "production_over_same_lengths": _number("of the medians: what the lengths change"),
    },
    unique=["regime"],
    strict=True,
    ordered=True,
    description="Published energies beside ours at the same lengths, then at those of production.",
)

_ANCHOR = [
    "key",
    "title",
    "value",
    "low",
    "high",
    "unit",
    "subject",
    "regime",
    "lengths",
    "statistic",
    "boundary",
]
_BEFORE = ["before_p5", "before_p50", "before_p95"]
_INSIDE = ["yes", "no"]
OUTSIDE_ANCHORS = pa.DataFrameSchema(
    {
        **{name: ANCHORS.columns[name] for name in _ANCHOR},
        **{
            p: _number(f"{name} of ours over what is not known, in `unit`")
            for p, name in _OVER_WORLDS.items()
        },
        "share_below": _number("of our samples that lie below the value"),
        "inside_90": _text("whether the value lies in our 90 % interval", _INSIDE),
        "ours_over_anchor": _number("our median over the value"),
        **{name: ANCHORS.columns[name] for name in _BEFORE},
        "before_inside_90": pa.Column(
            "str",
            pa.Check.isin(_INSIDE),
            nullable=True,
            description="whether it lay in that of 0.1.0",
        ),
        "before_over_anchor": pa.Column(
            "float64", nullable=True, description="the median of release 0.1.0 over the value"
        ),
        "source": ANCHORS.columns["source"],
        "note": ANCHORS.columns["note"],
    },
    unique=["key"],
    strict=True,
    ordered=True,
    description="Where published figures that nothing is fitted to fall, now and in release 0.1.0.",
)

PARTS = ("accelerators", "rest of the server", "idle servers", "cooling and power supply")
ENERGY_PARTS = pa.DataFrameSchema(
    {
        "regime": _text(REGIME_WORDS, [*EVERY_REGIME]),
        "subject": _text("models served alike, of which a service runs one"),
        "part": _text("what takes the energy", list(PARTS)),
        "mean_share": _number("mean over samples of the share in the mean query; they sum to one"),
        **{f"share_{p}": _number(f"{name} of the share") for p, name in _OVER_WORLDS.items()},
        "share_mc_error_p50": _number("Monte Carlo standard error of the median"),
    },
    unique=["regime", "subject", "part"],
    strict=True,
    ordered=True,
    description="Where the energy of a query goes, facility boundary, lengths of production.",
)

TABLES = {
    "energy_parts": Table(ENERGY_PARTS, "energy"),
    "outside_anchors": Table(OUTSIDE_ANCHORS, "energy"),
    "headline": Table(HEADLINE, "energy"),
    "like_for_like": Table(LIKE_FOR_LIKE, "energy"),
    "re_estimated": Table(RE_ESTIMATED, "energy"),
    "variance_shares": Table(VARIANCE_SHARES, "energy"),
    "tornado": Table(TORNADO, "energy"),
    "bridge": Table(BRIDGE, "energy"),
}
