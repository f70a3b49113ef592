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
    POSITIVE,
    REGIMES,
    SHARE,
    band,
    count,
    key,
    number,
    origin,
    row_check,
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


_MC_ERROR = number("Monte Carlo standard error of p50", NOT_NEGATIVE)
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
    **band("the quantity over what is not known"),
    "mc_error_p50": _MC_ERROR,
}
_WORLDS = {"n_worlds": count("draws of what is not known", POSITIVE)}

TIERS = ["large", "middle", "small"]

FLEET_UNIT_COSTS = schema(
    {
        "lengths": word("of short and long queries", ["published", "production"]),
        "kind": word("of call: a query, or one of the calls of an agent's task", KINDS),
        "tier": word("of models, in equal parts", TIERS),
        **band("Wh of the servers for a call, PUE 1", "it_wh_{}"),
        **band("servers kept for a million calls a day", "servers_{}"),
        **band("kW at peak for a million calls a day, PUE 1", "peak_kw_{}"),
    },
    "What one model call takes: a fleet is a sum of these, though its band is no sum of their bands.",
    ["lengths", "kind", "tier"],
)

FLEET_SCENARIOS = schema(
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
    "Energy, power and nodes of a fleet, by scenario.",
    ["scenario", "quantity", "component"],
)

FLEET_SWEEP = schema(
    {
        "combination": count("number of the combination", POSITIVE),
        "long_share": number("share of queries with long reasoning", NOT_NEGATIVE),
        "agentic_share": number("share of queries that an agent answers", NOT_NEGATIVE),
        "small_share": number("share of queries that small models serve", NOT_NEGATIVE),
        **_RESULT,
        **_WORLDS,
    },
    "The fleet over a grid of three choices.",
    ["combination", "quantity", "component"],
)

FLEET_SHARES = schema(
    {
        "scenario": text("name in params.yaml, fleet"),
        "group": word("source of spread", GROUPS),
        "first_order": number("share of the variance of ln GWh/day that the group explains alone", None),
        "first_order_half_width": number("half of its 90 % interval", NOT_NEGATIVE),
        "total_order": number("share with all its interactions", None),
        "total_order_half_width": number("half of its 90 % interval", NOT_NEGATIVE),
        "ln_variance": number("variance of ln GWh/day that the shares divide", NOT_NEGATIVE),
        "base_points": count("points of the design before groups are exchanged", POSITIVE),
    },
    "What share of the band each group of assumptions owns.",
    ["scenario", "group"],
)

FLEET_OVERHEADS = schema(
    {
        "analysis": word("whose factor", ["as_published", "re_estimated"]),
        "factor": text("name of the factor"),
        "what": text("what it multiplies, in words"),
        **band("the factor"),
        "source": text("key of paper/references.bib, or the table of results behind it"),
    },
    "The factors between a serving accelerator and the fleet, published and ours.",
    ["analysis", "factor"],
)

FLEET_COMPARISONS = schema(
    {
        "scenario": text("name in params.yaml, fleet"),
        "compared_with": text("what the scenario is compared with"),
        "value_gwh_per_day": number("its energy for as many of it as queries, or a day of it"),
        **band("energy of the scenario over it"),
        "source": text("key of paper/references.bib"),
    },
    "The fleet beside things that readers know.",
    ["scenario", "compared_with"],
)

DATACENTRE_LEVER = schema(
    {
        "from_site": text("kind of site before"),
        "to_site": text("kind of site after"),
        **band("PUE before", "from_pue_{}", check=pa.Check.ge(1)),
        **band("PUE after", "to_pue_{}", check=pa.Check.ge(1)),
        **band("energy before over energy after"),
        "mc_error_p50": _MC_ERROR,
    },
    "What moving to another kind of site does to energy, by PUE alone.",
    ["from_site", "to_site"],
)

COOLING_LEVER = schema(
    {
        "site_scenario": text("scenario of water"),
        "title": text("its sites in words"),
        "pue": number("PUE of its sites before", pa.Check.ge(1)),
        **band("energy before over after; below 1: more", "energy_{}", check=POSITIVE),
        **band("water on site before, L per kWh of the servers", "onsite_before_{}"),
        **band("water on site and of electricity before, L per kWh of the servers", "water_before_{}"),
        **band("water of electricity with a closed loop, L per kWh of the servers", "water_after_{}"),
        "worlds_saving_water": number("share of the samples in which it saves water in all", NOT_NEGATIVE),
    },
    "What giving up evaporation does: no water on site, more energy, more water in the electricity.",
    ["site_scenario"],
)

ROUTING = schema(
    {
        "key": key(),
        "router": text("router and its release"),
        "profile": word("profile that the router was set to", PROFILES),
        "model": text("model that it chose"),
        "size_class": word("by parameters active per token", [*SIZE_CLASSES, UNKNOWN]),
        "prompts": count("prompts that went to the model", NOT_NEGATIVE),
        "of_prompts": count("prompts of the profile, as printed", POSITIVE),
        "total_low_b": number("parameters, 10^9, least", nullable=True),
        "total_high_b": number("parameters, 10^9, most", nullable=True),
        "active_low_b": number("parameters active per token, 10^9, least", nullable=True),
        "active_high_b": number("parameters active per token, 10^9, most", nullable=True),
        "size_basis": word("what the sizes rest on", ["published", "assumed by others", UNKNOWN]),
        "size_source": text("key of paper/references.bib for the sizes", nullable=True),
        **origin(),
    },
    "Which model a commercial router chose, by profile: one model of one profile a row.",
    checks=[
        row_check(
            "active_low_b",
            "a number exactly where a size is known or assumed",
            f"(size_basis != {UNKNOWN!r}) == active_low_b.notna()",
        ),
        row_check(
            "size_source",
            "a source exactly where a size is known or assumed",
            f"(size_basis != {UNKNOWN!r}) == size_source.notna()",
        ),
        row_check("active_low_b", "at most active_high_b", "~(active_low_b > active_high_b)"),
        row_check("active_high_b", "at most total_high_b", "~(active_high_b > total_high_b)"),
    ],
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
    "Routers between two models: how many prompts the small one may take at what quality.",
    checks=[
        row_check(
            "grade",
            "D where a reduction of cost stands for the share of calls",
            "(share_basis == 'share of calls') | (grade == 'D')",
        )
    ],
)

COMPARISONS = schema(
    {
        "key": key(),
        "quantity": text("what the value is"),
        "subject": text("of what"),
        "value": number("the value"),
        "unit": word("unit of value", ["Wh", "s", "MW", "fraction", "million L/year"]),
        "bound": word("the value itself, or a bound of it", ["point", "upper bound"]),
        **origin(),
    },
    "What the energy and the water of queries are compared with.",
)

_CASE = {
    "pair": word("which two models", PAIRS),
    "regime": word("short: standard query; long: reasoning", [*REGIMES]),
}

ROUTING_CURVE = schema(
    {
        **_CASE,
        "share_small": number("share of queries that the small model takes", SHARE),
        **band("energy of all to the large model over energy with routing"),
        "mc_error_p50": _MC_ERROR,
    },
    "How many times less energy routing takes, over the share that the small model takes.",
    ["pair", "regime", "share_small"],
)

ROUTING_PROFILES = schema(
    {
        "regime": _CASE["regime"],
        "profile": word("profile of the router", PROFILES),
        "prompts": count("prompts that it rests on", POSITIVE),
        "share_small": number("share of prompts to models of the small class", SHARE),
        "share_middle": number("share of prompts to models of the middle class", SHARE),
        "share_large": number("share of prompts to models of the large class", SHARE),
        "share_unknown": number("share of prompts to models that are not named", SHARE),
        **band("energy of all to gpt-5 over energy of the profile"),
        **band(
            "share to the smallest model that would take the same energy", "equivalent_share_{}", check=None
        ),
        "mc_error_p50": _MC_ERROR,
    },
    "Energy of the three profiles of a commercial router, sizes of closed models as others assume them.",
    ["regime", "profile"],
)

ROUTING_PUBLISHED = schema(
    {
        "key": text("row of data/published/routers.csv"),
        "router": text("name of the router"),
        "benchmark": text("prompts that it was measured on"),
        **_CASE,
        "share_small": number("share of prompts that went to the small model", SHARE),
        "quality_kept": number("quality over that of the large model alone", SHARE),
        **band("energy of all to the large model over energy at that share"),
        "mc_error_p50": _MC_ERROR,
    },
    "What the shares of published routers, at the quality that they keep, would gain here.",
    ["key", "pair", "regime"],
)

ROUTING_NEEDED = schema(
    {
        **_CASE,
        "gain": number("times less energy", pa.Check.gt(1)),
        "worlds_reaching": number("share of the samples in which any share reaches the gain", SHARE),
        **band("share needed, of those; blank: none", "share_{}", check=SHARE, nullable=True),
        "published_share": number(
            "largest share of calls that a published router reaches in the regime; blank: none was measured",
            SHARE,
            nullable=True,
        ),
        "worlds_within_published": number(
            "share of the samples in which the published share suffices; blank: none", SHARE, nullable=True
        ),
    },
    "The share of queries that the small model would have to take for a given gain.",
    ["pair", "regime", "gain"],
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
