"""Contracts of what the re-estimate adds to the tables of every analysis."""

from pipeline.core.catalogue import Table
from pipeline.core.columns import (
    ANALYSES,
    BOUNDARIES,
    EVERY_REGIME,
    NAMES,
    NOT_NEGATIVE,
    POSITIVE,
    REGIME_WORDS,
    REGIMES,
    band,
    count,
    number,
    schema,
    text,
    with_errors,
    word,
    yes_no,
)
from pipeline.ingest.contract import ANCHORS, GRADES
from pipeline.lengths.model.contract import SCENARIOS

VARIANTS = [f"{scenario}_lengths" for scenario in SCENARIOS]
TARGETS = ["one query", "mean over queries"]
GROUPS = ["length", "throughput", "power", "load", "pue", "model"]
SPLIT = {
    **{
        f"{statistic}_{p}_wh": f"{NAMES[p]} over what is not known, of the {statistic} over queries"
        for statistic in ("median", "mean")
        for p in ("p5", "p50", "p95")
    },
    "query_p5_wh": "5th percentile over queries; median over what is not known",
    "query_p95_wh": "95th percentile over queries; median over what is not known",
    "total_p5_wh": "5th percentile of one query, all sources together",
    "total_p50_wh": "median of one query, all sources together",
    "total_p95_wh": "95th percentile of one query, all sources together",
    "total_mean_wh": "mean, all sources together",
}


_CASE = {
    "variant": word("lengths of the queries", VARIANTS),
    "regime": word(REGIME_WORDS, [*EVERY_REGIME]),
    "subject": text(
        "model in its deployment; service that runs one model of a class; or the published blend"
    ),
}

RE_ESTIMATED = schema(
    {
        **_CASE,
        "boundary": word("accelerators, serving servers, or all with idle servers and cooling", BOUNDARIES),
        **with_errors({name: number(words, NOT_NEGATIVE) for name, words in SPLIT.items()}),
        "n_outer": count("epistemic samples: draws of what is not known", POSITIVE),
        "n_inner": count("queries in each", POSITIVE),
    },
    "Energy per query with ignorance and variability apart.",
    ["variant", "regime", "subject", "boundary"],
)

VARIANCE_SHARES = schema(
    {
        **_CASE,
        "target": word("whose ln energy varies", TARGETS),
        "group": word("source of spread", GROUPS),
        # Estimates: an index near 0 may come out slightly below.
        "first_order": number("share of the variance of ln energy that the group explains alone", None),
        "first_order_half_width": number("half of its 90 % interval", NOT_NEGATIVE),
        "total_order": number("share with all its interactions", None),
        "total_order_half_width": number("half of its 90 % interval", NOT_NEGATIVE),
        "ln_variance": number("variance of ln energy that the shares divide", NOT_NEGATIVE),
        "base_points": count("points of the design before groups are exchanged", POSITIVE),
    },
    "Sobol indices of ln energy per query at the facility.",
    ["variant", "regime", "subject", "target", "group"],
)

TORNADO = schema(
    {
        **_CASE,
        "input": text("what takes its values, all else at the median"),
        "meaning": text("what the input is"),
        "energy_p5_wh": number("mean energy per query, 5th percentile", NOT_NEGATIVE),
        "energy_at_median_wh": number("mean energy per query with every input at its median", NOT_NEGATIVE),
        "energy_p95_wh": number("mean energy per query, 95th percentile", NOT_NEGATIVE),
    },
    "One input at a time, facility boundary, widest first.",
    ["variant", "regime", "subject", "input"],
)

START, BEYOND, WITHIN = "start", "change", "no change beyond Monte Carlo error"
BRIDGE_STEPS = [START, BEYOND, WITHIN]
BRIDGE = schema(
    {
        "regime": word("short: standard query; long: reasoning", [*REGIMES]),
        "subject": text("the blend of models above 200 B parameters"),
        "step": count("place in the order of changes", NOT_NEGATIVE),
        "name": text("what changes"),
        "change": text("in words"),
        "median_wh": number("over all queries, all sources together, facility", NOT_NEGATIVE),
        "mean_wh": number("over all queries, all sources together, facility", NOT_NEGATIVE),
        "mc_error_median_wh": number("Monte Carlo standard error", NOT_NEGATIVE),
        "mc_error_mean_wh": number("Monte Carlo standard error", NOT_NEGATIVE),
        "median_wh_ratio": number("median over that of the step before", NOT_NEGATIVE),
        "mean_wh_ratio": number("mean over that of the step before", NOT_NEGATIVE),
        "median_step": word("whether the median changes by more than two Monte Carlo errors", BRIDGE_STEPS),
        "mean_step": word("whether the mean changes by more than two Monte Carlo errors", BRIDGE_STEPS),
    },
    "From the published energy per query to the re-estimate in single steps.",
    ["regime", "step"],
)

STATISTICS = [
    "median query of a service",
    "mean query of a service",
    "median query of the blend",
    "mean query of the blend",
    "one query",
]
HEADLINE = schema(
    {
        "analysis": word("as published, or estimated anew", ANALYSES),
        "model_class": text("models served alike, of which a service runs one; or the published blend"),
        "models": text("those that it takes"),
        "regime": word(REGIME_WORDS, [*EVERY_REGIME]),
        "lengths": word("tokens of queries: of production, or as published", SCENARIOS),
        "condition": text("under what it holds"),
        "statistic": word(
            "median or mean query of one service, the interval over what is not known of it; of the blend; "
            "or one query, the interval over queries as well",
            STATISTICS,
        ),
        **band("the energy at the facility", "{}_wh"),
        "mc_error_p50_wh": number("Monte Carlo standard error of the median", NOT_NEGATIVE),
        "grade": word(
            "B: serving of every model was measured, with power; C: not of all; D: lengths are assumed. Load "
            "and practice are priors from what operators say, in all",
            list(GRADES),
        ),
    },
    "Headline energies per query, each with class, statistic, lengths, condition and grade.",
    ["analysis", "model_class", "regime", "lengths", "statistic"],
)

LIKE_FOR_LIKE = schema(
    {
        "regime": word("short: chat; long: reasoning", [*REGIMES]),
        "model_class": text("the models, the same on all sides"),
        "statistic": word("the same on all sides", STATISTICS),
        **band("energy, as published", "published_{}_wh"),
        **band("energy, ours at the same lengths", "same_lengths_{}_wh"),
        **band("energy, ours at the lengths of production", "production_{}_wh"),
        "same_lengths_over_published": number("of the medians: what the estimate changes", NOT_NEGATIVE),
        "production_over_same_lengths": number("of the medians: what the lengths change", NOT_NEGATIVE),
    },
    "Published energies beside ours at the same lengths, then at those of production.",
    ["regime"],
)

_ANCHOR = [*ANCHORS.columns][: [*ANCHORS.columns].index("boundary") + 1]
OUTSIDE_ANCHORS = schema(
    {
        **{name: ANCHORS.columns[name] for name in _ANCHOR},
        **band("ours over what is not known, in `unit`"),
        "share_below": number("of our samples that lie below the value", NOT_NEGATIVE),
        "inside_90": yes_no("whether the value lies in our 90 % interval"),
        "ours_over_anchor": number("our median over the value", NOT_NEGATIVE),
        **{name: ANCHORS.columns[name] for name in ("before_p5", "before_p50", "before_p95")},
        "before_inside_90": word("whether it lay in that of 0.1.0", ["yes", "no"], nullable=True),
        "before_over_anchor": number("the median of release 0.1.0 over the value", None, nullable=True),
        **{name: ANCHORS.columns[name] for name in ("source", "note")},
    },
    "Where published figures that nothing is fitted to fall, now and in release 0.1.0.",
    ["key"],
)

PARTS = ("accelerators", "rest of the server", "idle servers", "cooling and power supply")
ENERGY_PARTS = schema(
    {
        "regime": word(REGIME_WORDS, [*EVERY_REGIME]),
        "subject": text("models served alike, of which a service runs one"),
        "part": word("what takes the energy", list(PARTS)),
        "mean_share": number(
            "mean over samples of the share in the mean query; they sum to one", NOT_NEGATIVE
        ),
        **band("the share", "share_{}"),
        "share_mc_error_p50": number("Monte Carlo standard error of the median", NOT_NEGATIVE),
    },
    "Where the energy of a query goes, facility boundary, lengths of production.",
    ["regime", "subject", "part"],
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
