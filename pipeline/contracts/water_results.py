"""Contracts of the tables of water per query, per site and of a fleet."""

import pandera.pandas as pa

from pipeline.contracts.columns import NOT_NEGATIVE, SHARE, count, number, schema, text, word
from pipeline.contracts.re_estimated import SPLIT, VARIANTS
from pipeline.contracts.results import ANALYSES, REGIMES, STATISTICS
from pipeline.contracts.water import BASES, COOLING, NOT_STATED, SCOPES, WATER_METHODS

DESIGNS = ["as built", "closed loop"]
GROUPS = ["energy", "site", "water on site", "water of electricity", "interactions"]
DAY_SCENARIOS = ["short", "long", "mixed"]
_BAND = {"p5": "5th percentile", "p50": "median", "p95": "95th percentile"}


def _summary(unit: str) -> dict[str, pa.Column]:
    values = {f"{name}_{unit}": number(f"{name} over queries and sites", NOT_NEGATIVE) for name in STATISTICS}
    errors = {
        f"mc_error_{name}_{unit}": number(f"Monte Carlo standard error of {name}", NOT_NEGATIVE)
        for name in STATISTICS
    }
    return {**values, **errors, "n_draws": count("draws", pa.Check.gt(0))}


def _band(of: str, unit: str) -> dict[str, pa.Column]:
    return {
        f"{name}_{unit}": number(f"{word} over what is not known, of {of}", NOT_NEGATIVE)
        for name, word in _BAND.items()
    }


def _table(columns: dict[str, pa.Column], unique: list[str], description: str) -> pa.DataFrameSchema:
    made = schema(columns, [], description)
    made.unique = unique
    return made


_QUERY = {
    "variant": text("lengths of the queries, or variant of the published analysis"),
    "regime": word("short: standard query; long: reasoning", [*REGIMES]),
    "subject": text("model in its deployment, or the blend of those above 200 B parameters"),
}
_WHERE = {
    "site_scenario": text("key of assumptions.water.scenarios"),
    "basis": word("consumption or withdrawal", BASES),
    "scope": word("on site, in the electricity, or both", SCOPES),
}
_KEYS = ["variant", "regime", "subject", "site_scenario", "scope"]

WATER_PER_QUERY = _table(
    {"analysis": word("which analysis", ANALYSES), **_QUERY, **_WHERE, **_summary("ml")},
    ["analysis", *_KEYS],
    "Water per query, mL: all sources of spread together.",
)

_ML = {name.replace("_wh", "_ml"): text for name, text in SPLIT.items()}
WATER_SPLIT = _table(
    {
        **_QUERY,
        **_WHERE,
        **{name: number(meaning, NOT_NEGATIVE) for name, meaning in _ML.items()},
        **{f"mc_error_{name}": number(f"Monte Carlo standard error of {name}", NOT_NEGATIVE) for name in _ML},
        "n_outer": count("worlds: draws of what is not known, the site among them", pa.Check.gt(0)),
        "n_inner": count("queries in each", pa.Check.gt(0)),
    },
    _KEYS,
    "Re-estimated water per query, mL, with ignorance and variability apart: of the blend, and of each model "
    "at the sites of the headline.",
)

WATER_SITES = _table(
    {
        "site": text("key of sites.csv"),
        "name": text("where, or what kind of site"),
        "provider": text("who runs it"),
        "cooling": word("how heat leaves, as built", COOLING),
        "design": word("as built, or with a closed loop that evaporates nothing", DESIGNS),
        "basis": word("consumption or withdrawal", BASES),
        "pue": number("power usage effectiveness, median", pa.Check.ge(1)),
        "wue_l_per_kwh": number("litres on site per kWh of the servers, as published", NOT_NEGATIVE),
        "electricity_l_per_kwh": number("litres per kWh of electricity, as published", NOT_NEGATIVE),
        **_band("the median query's energy at the facility", "wh"),
        **{
            name: column
            for scope in SCOPES
            for name, column in _band(f"the median query's water, {scope}", f"{scope}_ml").items()
        },
        "saves_water_share": number(
            "share of draws in which the closed loop takes less water in all", SHARE, True
        ),
    },
    ["site", "design"],
    "Water and energy of the blend's median short query (lengths of production) by site and design.",
)

WATER_FLEET = _table(
    {
        "analysis": word("which analysis", ANALYSES),
        "variant": text("lengths of the queries, or variant of the published analysis"),
        "scenario": word("which queries", DAY_SCENARIOS),
        **_WHERE,
        **_band("water of a day", "million_l_per_day"),
        "queries_per_day": number("queries of the day"),
        "interval": text("what the ends are"),
    },
    ["analysis", "variant", "scenario", "site_scenario", "scope"],
    "Water of a day of queries to the blend, million litres.",
)

WATER_SHARES = _table(
    {
        "variant": word("lengths of the queries", VARIANTS),
        "regime": word("short: standard query; long: reasoning", [*REGIMES]),
        "site_scenario": text("key of assumptions.water.scenarios"),
        "basis": word("consumption or withdrawal", BASES),
        "scope": word("on site, in the electricity, or both", SCOPES),
        "group": word("source of ignorance", GROUPS),
        "share": number("of the variance of the mean water per query", pa.Check.in_range(-1e-9, 1)),
        "sd_ml": number("standard deviation of the mean water per query, all sources", NOT_NEGATIVE),
    },
    ["variant", "regime", "site_scenario", "scope", "group"],
    "Which ignorance matters for water: first-order shares of the variance, and their interactions.",
)

CARBON_PER_QUERY = _table(
    {
        "analysis": word("which analysis", ANALYSES),
        **_QUERY,
        "site_scenario": text("key of assumptions.water.scenarios"),
        **_summary("g"),
        "note": text("where this stands"),
    },
    ["analysis", "variant", "regime", "subject", "site_scenario"],
    "Carbon of the electricity per query, g CO2e, location based; outside the paper.",
)

PRIOR_WATER_COMPARED = _table(
    {
        "key": text("row of prior_water.csv"),
        "subject": text("which query to which service"),
        "setup": text("lengths, as stated", nullable=True),
        "value_ml": number("as published", NOT_NEGATIVE, nullable=True),
        "low_ml": number("lower end as published", NOT_NEGATIVE, nullable=True),
        "high_ml": number("upper end as published", NOT_NEGATIVE, nullable=True),
        "interval": text("what the ends are", nullable=True),
        "basis": word("consumption or withdrawal", [*BASES, NOT_STATED]),
        "scope": word("which water the source counts", [*SCOPES, "life cycle", NOT_STATED]),
        "method": word("how the source came to the value", WATER_METHODS),
        "source": text("key of paper/references.bib"),
        "recomputed_ml": number("from the source's own energy and site", NOT_NEGATIVE, nullable=True),
        "ours_of": text("model of ours, or the blend, and which of its queries", nullable=True),
        "ours_at": text("site or site scenario of ours", nullable=True),
        "ours_scope": text("which water of ours", nullable=True),
        "ours_p5_ml": number("5th percentile of our median query", NOT_NEGATIVE, nullable=True),
        "ours_p50_ml": number("median of our median query", NOT_NEGATIVE, nullable=True),
        "ours_p95_ml": number("95th percentile of our median query", NOT_NEGATIVE, nullable=True),
        "ratio_to_ours": number("published (its upper end) over ours", NOT_NEGATIVE, nullable=True),
        "note": text("what else matters", nullable=True),
    },
    ["key"],
    "Water per query by others: recomputed, and beside ours (90 % interval of what is not known).",
)

WATER_CLAIM_ASSUMPTIONS = _table(
    {
        "claim": word("which number of the published range", ["lower end", "median", "upper end"]),
        "claim_ml": number("that number", NOT_NEGATIVE),
        "energy": text("which energy of a query"),
        "energy_wh": number("at the facility"),
        "site": text("row of sites.csv: Microsoft's site whose water on site comes nearest to the number"),
        "name": text("where it is"),
        "pue": number("power usage effectiveness there", pa.Check.ge(1)),
        "wue_l_per_kwh": number("litres on site per kWh of the servers there", NOT_NEGATIVE),
        "wue_needed_l_per_kwh": number("WUE that gives the number at that PUE", NOT_NEGATIVE),
        "share_of_sites_below": number("of Microsoft's sites: takes less on site than the number", SHARE),
        "compatible": word("whether the number lies among what its sites take", ["yes", "no"]),
        "electricity": text("row of electricity_water.csv: the grid of the site"),
        "electricity_l_per_kwh": number("its water intensity", NOT_NEGATIVE),
        "onsite_ml": number("water on site there", NOT_NEGATIVE),
        "offsite_ml": number("water in the electricity there", NOT_NEGATIVE),
        "total_ml": number("both", NOT_NEGATIVE),
    },
    ["claim", "energy"],
    "Assumptions under which the published range of water comes out.",
)

WATER_FLEET_COMPARED = _table(
    {
        "compared_with": text("row of comparisons.csv"),
        "subject": text("whose water"),
        "million_l_per_day": number("that water, of a day"),
        "scope": word("which water of ours", SCOPES),
        "ratio_p5": number("5th percentile of ours over it", NOT_NEGATIVE),
        "ratio_p50": number("median of ours over it", NOT_NEGATIVE),
        "ratio_p95": number("95th percentile of ours over it", NOT_NEGATIVE),
        "source": text("key of paper/references.bib"),
    },
    ["compared_with", "scope"],
    "A day of queries, mixed and with lengths of production, over a day of others' water.",
)
