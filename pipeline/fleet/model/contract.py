"""Contracts of fleets and of routing: what a day of queries takes, and which model answers them.

Every band is 5th percentile, median and 95th percentile over what is not known. It says nothing of how
queries differ and is no Monte Carlo error: that stands in mc_error_p50. Sizes of closed models are ranges
that others assume; `size_basis` says so on every row.
"""

import pandera.pandas as pa

from pipeline.core.catalogue import Table, transcribed
from pipeline.core.columns import (
    CONFIDENCES,
    NOT_NEGATIVE,
    REGIMES,
    SHARE,
    count,
    key,
    number,
    schema,
    text,
    word,
)
from pipeline.ingest.contract import LEVER_REGIMES, grade

KINDS = ["short", "long", "agentic"]
PERCENTILES = ("p5", "p50", "p95")
PROFILES = ["quality", "balanced", "cost"]
SIZE_CLASSES = ["small", "middle", "large"]
UNKNOWN = "not known"
PAIRS = ["open models", "closed models, assumed sizes"]
UNITS = ["GWh/day", "MW", "nodes", "Wh/query", "ML/day", "t/day"]
GROUPS = ["length", "throughput", "power", "load", "site", "calls", "context", "gain"]


def _band(of: str) -> dict[str, pa.Column]:
    words = {"p5": "5th percentile", "p50": "median", "p95": "95th percentile"}
    return {name: number(f"{word} of {of}", NOT_NEGATIVE) for name, word in words.items()}


def _unique(columns: dict[str, pa.Column], unique: list[str], description: str) -> pa.DataFrameSchema:
    return pa.DataFrameSchema(columns, unique=unique, strict=True, ordered=True, description=description)


_CHOICES = {
    "queries_per_day": number("queries of a day before growth and rebound", NOT_NEGATIVE),
    "long_share": number("share of them with long reasoning", SHARE),
    "agentic_share": number("share of them that are tasks for agents", SHARE),
    "middle_share": number("share of them that middle models serve", SHARE),
    "small_share": number("share of them that small models serve", SHARE),
    "site": text("kind of site that PUE is of"),
    "water_site": text("sites that water is of"),
    "years": number("years of growth", NOT_NEGATIVE),
    "queries_growth": number("queries of one year over those of the year before", NOT_NEGATIVE),
    "gain_p50": number("what the energy of a query is divided by, median", pa.Check.ge(1)),
    "rebound": number("share of the gain that comes back as queries", NOT_NEGATIVE),
    "overhead": number("what energy is multiplied by", pa.Check.ge(1)),
}
_RESULT = {
    "quantity": text("what is counted"),
    "component": word("of all queries, or of one kind", ["total", *KINDS]),
    "unit": word("unit of p5, p50, p95", UNITS),
    **_band("the quantity over what is not known"),
    "mc_error_p50": number("Monte Carlo standard error of p50", NOT_NEGATIVE),
}
_WORLDS = {"n_worlds": count("draws of what is not known", pa.Check.gt(0))}

TIERS = ["large", "middle", "small"]

FLEET_UNIT_COSTS = _unique(
    {
        "lengths": word("of short and long queries", ["published", "production"]),
        "kind": word("of call: a query, or one of the calls of an agent's task", KINDS),
        "tier": word("of models, in equal parts", TIERS),
        **{
            f"it_wh_{p}": number(f"Wh of the servers for a call, PUE 1, {p}", NOT_NEGATIVE)
            for p in PERCENTILES
        },
        **{
            f"servers_{p}": number(f"servers kept for a million calls a day, {p}", NOT_NEGATIVE)
            for p in PERCENTILES
        },
        **{
            f"peak_kw_{p}": number(f"kW at peak for a million calls a day, PUE 1, {p}", NOT_NEGATIVE)
            for p in PERCENTILES
        },
    },
    ["lengths", "kind", "tier"],
    "What one model call takes: a fleet is a sum of these, though its band is no sum of their bands.",
)

FLEET_SCENARIOS = _unique(
    {
        "scenario": text("name in params.yaml, fleet"),
        "title": text("the scenario in words"),
        "lengths": word("of short and long queries", ["published", "production"]),
        **_CHOICES,
        **_RESULT,
        "published_value": number("the published value of the same scenario; blank: none", nullable=True),
        "published_claim": text("its key in data/published/claims.csv", nullable=True),
        **_WORLDS,
    },
    ["scenario", "quantity", "component"],
    "Energy, power and nodes of a fleet, by scenario.",
)

FLEET_SWEEP = _unique(
    {
        "combination": count("number of the combination", pa.Check.gt(0)),
        "long_share": number("share of queries with long reasoning", NOT_NEGATIVE),
        "agentic_share": number("share of queries that an agent answers", NOT_NEGATIVE),
        "small_share": number("share of queries that small models serve", NOT_NEGATIVE),
        **_RESULT,
        **_WORLDS,
    },
    ["combination", "quantity", "component"],
    "The fleet over a grid of three choices.",
)

FLEET_SHARES = _unique(
    {
        "scenario": text("name in params.yaml, fleet"),
        "group": word("source of spread", GROUPS),
        "first_order": number("share of the variance of ln GWh/day that the group explains alone", None),
        "first_order_half_width": number("half of its 90 % interval", NOT_NEGATIVE),
        "total_order": number("share with all its interactions", None),
        "total_order_half_width": number("half of its 90 % interval", NOT_NEGATIVE),
        "ln_variance": number("variance of ln GWh/day that the shares divide", NOT_NEGATIVE),
        "base_points": count("points of the design before groups are exchanged", pa.Check.gt(0)),
    },
    ["scenario", "group"],
    "What share of the band each group of assumptions owns.",
)

FLEET_OVERHEADS = _unique(
    {
        "analysis": word("whose factor", ["as_published", "re_estimated"]),
        "factor": text("name of the factor"),
        "what": text("what it multiplies, in words"),
        **_band("the factor"),
        "source": text("key of paper/references.bib, or the table of results behind it"),
    },
    ["analysis", "factor"],
    "The factors between a serving accelerator and the fleet, published and ours.",
)

FLEET_COMPARISONS = _unique(
    {
        "scenario": text("name in params.yaml, fleet"),
        "compared_with": text("what the scenario is compared with"),
        "value_gwh_per_day": number("its energy for as many of it as queries, or a day of it"),
        **_band("energy of the scenario over it"),
        "source": text("key of paper/references.bib"),
    },
    ["scenario", "compared_with"],
    "The fleet beside things that readers know.",
)

DATACENTRE_LEVER = _unique(
    {
        "from_site": text("kind of site before"),
        "to_site": text("kind of site after"),
        **{
            f"{when}_pue_{name}": number(f"PUE {when} there, {name}", pa.Check.ge(1))
            for when in ("from", "to")
            for name in PERCENTILES
        },
        **_band("energy before over energy after"),
        "mc_error_p50": number("Monte Carlo standard error of p50", NOT_NEGATIVE),
    },
    ["from_site", "to_site"],
    "What moving to another kind of site does to energy, by PUE alone.",
)

_PER_KWH = {
    "onsite_before": "water on site before, L per kWh of the servers",
    "water_before": "water on site and of electricity before, L per kWh of the servers",
    "water_after": "water of electricity with a closed loop, L per kWh of the servers",
}

COOLING_LEVER = _unique(
    {
        "site_scenario": text("scenario of water"),
        "title": text("its sites in words"),
        "pue": number("PUE of its sites before", pa.Check.ge(1)),
        **{f"energy_{p}": number(f"energy before over after, {p}; below 1: more") for p in PERCENTILES},
        **{
            f"{name}_{p}": number(f"{words}, {p}", NOT_NEGATIVE)
            for name, words in _PER_KWH.items()
            for p in PERCENTILES
        },
        "worlds_saving_water": number("share of the samples in which it saves water in all", NOT_NEGATIVE),
    },
    ["site_scenario"],
    "What giving up evaporation does: no water on site, more energy, more water in the electricity.",
)

ROUTING = schema(
    {
        "key": key(),
        "router": text("router and its release"),
        "profile": word("profile that the router was set to", PROFILES),
        "model": text("model that it chose"),
        "size_class": word("by parameters active per token", [*SIZE_CLASSES, UNKNOWN]),
        "prompts": count("prompts that went to the model", NOT_NEGATIVE),
        "of_prompts": count("prompts of the profile, as printed", pa.Check.gt(0)),
        "total_low_b": number("parameters, 10^9, least", nullable=True),
        "total_high_b": number("parameters, 10^9, most", nullable=True),
        "active_low_b": number("parameters active per token, 10^9, least", nullable=True),
        "active_high_b": number("parameters active per token, 10^9, most", nullable=True),
        "size_basis": word("what the sizes rest on", ["published", "assumed by others", UNKNOWN]),
        "size_source": text("key of paper/references.bib for the sizes", nullable=True),
        "source": text("key of paper/references.bib for the choice"),
        "where": text("place within the source"),
        "confidence": word("how it was read", CONFIDENCES),
        "note": text("what else matters", nullable=True),
    },
    [
        pa.Check(
            lambda table: (table["size_basis"] != UNKNOWN) == table["active_low_b"].notna(),
            name="active_low_b",
            error="a number exactly where a size is known or assumed",
        ),
        pa.Check(
            lambda table: (table["size_basis"] != UNKNOWN) == table["size_source"].notna(),
            name="size_source",
            error="a source exactly where a size is known or assumed",
        ),
        pa.Check(
            lambda table: ~(table["active_low_b"] > table["active_high_b"]),
            name="active_low_b",
            error="at most active_high_b",
        ),
        pa.Check(
            lambda table: ~(table["active_high_b"] > table["total_high_b"]),
            name="active_high_b",
            error="at most total_high_b",
        ),
    ],
    "Which model a commercial router chose, by profile: one model of one profile a row.",
)

ROUTERS = schema(
    {
        "key": key(),
        "router": text("name of the router"),
        "benchmark": text("prompts that it was measured on"),
        "regime": word("queries for which it was shown", LEVER_REGIMES),
        "large_model": text("the model to spare"),
        "small_model": text("the model to use instead"),
        "share_small": number("share of prompts that went to the small model", SHARE),
        "quality_kept": number("quality over that of the large model alone", SHARE),
        "share_basis": word("what share_small was printed as", ["share of calls", "cost reduction"]),
        "source": text("key of paper/references.bib"),
        "where": text("place within the source"),
        "confidence": word("how it was read", CONFIDENCES),
        "grade": grade(),
        "note": text("what else matters", nullable=True),
    },
    [
        pa.Check(
            lambda table: (table["share_basis"] == "share of calls") | (table["grade"] == "D"),
            name="grade",
            error="D where a reduction of cost stands for the share of calls",
        )
    ],
    "Routers between two models: how many prompts the small one may take at what quality.",
)

COMPARISONS = schema(
    {
        "key": key(),
        "quantity": text("what the value is"),
        "subject": text("of what"),
        "value": number("the value"),
        "unit": word("unit of value", ["Wh", "s", "MW", "fraction", "million L/year"]),
        "bound": word("the value itself, or a bound of it", ["point", "upper bound"]),
        "source": text("key of paper/references.bib"),
        "where": text("place within the source"),
        "confidence": word("how it was read", CONFIDENCES),
        "note": text("what else matters", nullable=True),
    },
    [],
    "What the energy and the water of queries are compared with.",
)

_CASE = {
    "pair": word("which two models", PAIRS),
    "regime": word("short: standard query; long: reasoning", [*REGIMES]),
}

ROUTING_CURVE = _unique(
    {
        **_CASE,
        "share_small": number("share of queries that the small model takes", SHARE),
        **_band("energy of all to the large model over energy with routing"),
        "mc_error_p50": number("Monte Carlo standard error of p50", NOT_NEGATIVE),
    },
    ["pair", "regime", "share_small"],
    "How many times less energy routing takes, over the share that the small model takes.",
)

ROUTING_PROFILES = _unique(
    {
        "regime": _CASE["regime"],
        "profile": word("profile of the router", PROFILES),
        "prompts": count("prompts that it rests on", pa.Check.gt(0)),
        "share_small": number("share of prompts to models of the small class", SHARE),
        "share_middle": number("share of prompts to models of the middle class", SHARE),
        "share_large": number("share of prompts to models of the large class", SHARE),
        "share_unknown": number("share of prompts to models that are not named", SHARE),
        **_band("energy of all to gpt-5 over energy of the profile"),
        **{
            f"equivalent_share_{p}": number(
                f"share to the smallest model that would take the same energy, {p}", None
            )
            for p in ("p5", "p50", "p95")
        },
        "mc_error_p50": number("Monte Carlo standard error of p50", NOT_NEGATIVE),
    },
    ["regime", "profile"],
    "Energy of the three profiles of a commercial router, sizes of closed models as others assume them.",
)

ROUTING_PUBLISHED = _unique(
    {
        "key": text("row of data/published/routers.csv"),
        "router": text("name of the router"),
        "benchmark": text("prompts that it was measured on"),
        **_CASE,
        "share_small": number("share of prompts that went to the small model", SHARE),
        "quality_kept": number("quality over that of the large model alone", SHARE),
        **_band("energy of all to the large model over energy at that share"),
        "mc_error_p50": number("Monte Carlo standard error of p50", NOT_NEGATIVE),
    },
    ["key", "pair", "regime"],
    "What the shares of published routers, at the quality that they keep, would gain here.",
)

ROUTING_NEEDED = _unique(
    {
        **_CASE,
        "gain": number("times less energy", pa.Check.gt(1)),
        "worlds_reaching": number("share of the samples in which any share reaches the gain", SHARE),
        "share_p5": number("share needed, 5th percentile of those; blank: none", SHARE, nullable=True),
        "share_p50": number("median", SHARE, nullable=True),
        "share_p95": number("95th percentile", SHARE, nullable=True),
        "published_share": number(
            "largest share of calls that a published router reaches in the regime; blank: none was measured",
            SHARE,
            nullable=True,
        ),
        "worlds_within_published": number(
            "share of the samples in which the published share suffices; blank: none", SHARE, nullable=True
        ),
    },
    ["pair", "regime", "gain"],
    "The share of queries that the small model would have to take for a given gain.",
)

TABLES = transcribed({"routing": ROUTING, "routers": ROUTERS, "comparisons": COMPARISONS}) | {
    "fleet_unit_costs": Table(FLEET_UNIT_COSTS, "fleet"),
    "fleet_scenarios": Table(FLEET_SCENARIOS, "fleet"),
    "fleet_sweep": Table(FLEET_SWEEP, "fleet"),
    "fleet_shares": Table(FLEET_SHARES, "fleet"),
    "fleet_overheads": Table(FLEET_OVERHEADS, "fleet"),
    "fleet_comparisons": Table(FLEET_COMPARISONS, "fleet"),
    "datacentre_lever": Table(DATACENTRE_LEVER, "levers"),
    "cooling_lever": Table(COOLING_LEVER, "levers"),
    "routing_curve": Table(ROUTING_CURVE, "fleet"),
    "routing_profiles": Table(ROUTING_PROFILES, "fleet"),
    "routing_published": Table(ROUTING_PUBLISHED, "fleet"),
    "routing_needed": Table(ROUTING_NEEDED, "fleet"),
}
