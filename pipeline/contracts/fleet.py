"""Contracts of the fleet scenarios: what a day's queries take, and what that rests on.

Every band is 5th percentile, median and 95th percentile over what is not known. It says nothing of how
queries differ and is no Monte Carlo error: that stands in mc_error_p50.
"""

import pandera.pandas as pa

from pipeline.contracts.columns import NOT_NEGATIVE, SHARE, count, number, text, word

KINDS = ["short", "long", "agentic"]
PERCENTILES = ("p5", "p50", "p95")
UNITS = ["GWh/day", "MW", "nodes", "Wh/query", "ML/day"]
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
        "scenario": text("name in params.yaml, scenario.fleet"),
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
        "scenario": text("name in params.yaml, scenario.fleet"),
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
        "scenario": text("name in params.yaml, scenario.fleet"),
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
        "site_scenario": text("scenario of assumptions.water"),
        "title": text("its sites in words"),
        "pue": number("PUE of its sites before", pa.Check.ge(1)),
        **{f"energy_{p}": number(f"energy before over after, {p}; below 1: more") for p in PERCENTILES},
        **{
            f"{name}_{p}": number(f"{words}, {p}", NOT_NEGATIVE)
            for name, words in _PER_KWH.items()
            for p in PERCENTILES
        },
        "worlds_saving_water": number("share of the worlds in which it saves water in all", NOT_NEGATIVE),
    },
    ["site_scenario"],
    "What giving up evaporation does: no water on site, more energy, more water in the electricity.",
)
