"""Contracts of what is published about water (sites, electricity, queries), and of what comes out of it.

On site, water is per kWh that the servers draw (IT) unless the unit says per kWh of the facility.
Consumption is what evaporates; withdrawal is what is taken in, most of which may go back. Where a source says
neither, the row says so and the analysis takes it as consumption, which can only be too high.
"""

import pandera.pandas as pa

from pipeline.core.catalogue import Table, transcribed
from pipeline.core.columns import (
    ANALYSES,
    EVERY_REGIME,
    NOT_NEGATIVE,
    POSITIVE,
    REGIME_WORDS,
    REGIMES,
    SHARE,
    band,
    count,
    ends,
    key,
    number,
    origin,
    row_check,
    schema,
    summary,
    text,
    with_errors,
    word,
)
from pipeline.energy.model.contract import SPLIT, VARIANTS
from pipeline.ingest.contract import EXPLAINED, METHODS, ORDERED, STATED
from pipeline.water.model.sites import PER_FACILITY, PER_IT

BASES = ["consumption", "withdrawal"]
NOT_STATED = "not-stated"
SCOPES = ["onsite", "offsite", "total"]
COOLING = ["evaporative", "closed loop", "outside air", "mixed", NOT_STATED]
WATER_METHODS = [*METHODS, "life-cycle-assessment"]
LARGEST_L_PER_KWH = (
    100  # above every fuel and site; a gallon or m3 taken for a litre exceeds it or is near it
)
YEAR = pa.Check.in_range(2000, 2035)
RANGE = pa.Check.in_range(0, LARGEST_L_PER_KWH)


WUE = schema(
    {
        "key": key(),
        "provider": text("whose sites"),
        "subject": text("site, region or fleet"),
        "year": count("year the value is about, else of publication", YEAR),
        "value": number("litres on site a kWh", RANGE),
        "unit": word("per kWh of the servers or of the facility", [PER_IT, PER_FACILITY]),
        "basis": word("consumption or withdrawal", [*BASES, NOT_STATED]),
        **ends(),
        "method": word("how the source came to the value", METHODS),
        "boundary": word("which water", ["site cooling"]),
        **origin(placed=False),
    },
    "Water usage effectiveness: litres on site per kWh.",
    checks=[ORDERED, EXPLAINED],
)

ELECTRICITY_WATER = schema(
    {
        "key": key(),
        "kind": word("of what the value is", ["world", "country", "us_state", "region", "fuel"]),
        "area": text("country (ISO 3166-1 alpha-3 code or name), state, region or fuel"),
        "year": count("year the value is about, else of publication", YEAR),
        "value": number("litres a kWh generated", RANGE),
        "unit": word("of value, low and high", ["L/kWh"]),
        "basis": word("consumption or withdrawal", BASES),
        "reservoirs": word("evaporation of reservoirs", ["included", "excluded", NOT_STATED]),
        **ends(),
        "carbon_kg_per_kwh": number("kg CO2e a kWh of the same mix, location based", nullable=True),
        "method": word("how the source came to the value", METHODS),
        "boundary": word("what the water is for", ["electricity generation", "plant operation"]),
        **origin(placed=False),
    },
    "Water intensity of electricity, by area and by fuel.",
    checks=[ORDERED, EXPLAINED],
)

SITES = schema(
    {
        "key": key(),
        "provider": text("who runs it"),
        "name": text("where, or what kind of site"),
        "cooling": word("how heat leaves", COOLING),
        "pue_key": text("row of pue.csv"),
        "wue_key": text("row of wue.csv"),
        "grid_key": text("row of electricity_water.csv"),
        "carbon_key": text("row of electricity_water.csv with the carbon of its grid"),
        "electricity_mwh": number("published electricity of a year: its weight by size", nullable=True),
        "scaled_to": text(
            "row of wue.csv: mean that the operator states, to which what its sites withdraw is scaled, so "
            "that it is what they consume; blank: as published",
            nullable=True,
        ),
        "source": text("key of paper/references.bib, for the pairing and the electricity"),
        "where": text("place within the source"),
        "note": text("what else matters", nullable=True),
    },
    "Sites: one PUE, one WUE and one grid that belong together.",
)

PRIOR_WATER = schema(
    {
        "key": key(),
        "subject": text("which query to which service"),
        "setup": text("lengths, as stated", nullable=True),
        "regime": word("which of our queries it is compared with", [*REGIMES]),
        "nearest": text("which of ours serves them: a model of the re-estimate, or the blend"),
        "value": number("the value", NOT_NEGATIVE, nullable=True),
        "unit": word("of value, low and high", ["mL/query"]),
        **ends(),
        "basis": word("consumption or withdrawal", [*BASES, NOT_STATED]),
        "scope": word("which water", [*SCOPES, "life cycle", NOT_STATED]),
        "energy_wh": number("energy of the query that the source states", POSITIVE, nullable=True),
        "energy_boundary": text("what that energy includes", nullable=True),
        "site": text("row of sites.csv with the source's inputs", nullable=True),
        "method": word("how the source came to the value", WATER_METHODS),
        **origin(placed=False),
    },
    "Water per query by others.",
    checks=[
        STATED,
        ORDERED,
        EXPLAINED,
        row_check("energy_wh", "a value where the site is given", "site.isna() | energy_wh.notna()"),
    ],
)

DESIGNS = ["as built", "closed loop"]
GROUPS = ["energy", "site", "water on site", "water of electricity", "interactions"]
DAY_SCENARIOS = ["short", "long", "mixed"]


_QUERY = {
    "variant": text("lengths of the queries, or variant of the published analysis"),
    "regime": word(REGIME_WORDS, [*EVERY_REGIME]),
    "subject": text("model in its deployment, or the blend of those above 200 B parameters"),
}
_WHERE = {
    "site_scenario": text("key of water.scenarios"),
    "basis": word("consumption or withdrawal", BASES),
    "scope": word("on site, in the electricity, or both", SCOPES),
}
_KEYS = ["variant", "regime", "subject", "site_scenario", "scope"]

WATER_PER_QUERY = schema(
    {"analysis": word("which analysis", ANALYSES), **_QUERY, **_WHERE, **summary("ml", "queries and sites")},
    "Water per query, mL: all sources of spread together.",
    ["analysis", *_KEYS],
)

_ML = {name.replace("_wh", "_ml"): text for name, text in SPLIT.items()}
WATER_SPLIT = schema(
    {
        **_QUERY,
        **_WHERE,
        **with_errors({name: number(meaning, NOT_NEGATIVE) for name, meaning in _ML.items()}),
        "n_outer": count("epistemic samples, of the site among other things", pa.Check.gt(0)),
        "n_inner": count("queries in each", pa.Check.gt(0)),
    },
    "Re-estimated water per query, mL, with ignorance and variability apart: of the blend, and of each model "
    "at the sites of the headline.",
    _KEYS,
)

WATER_SITES = schema(
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
        **band("the median query's energy at the facility, over what is not known", "{}_wh"),
        **band("the median query's water on site, over what is not known", "{}_onsite_ml"),
        **band("the median query's water of electricity, over what is not known", "{}_offsite_ml"),
        **band("the median query's water in all, over what is not known", "{}_total_ml"),
        "saves_water_share": number(
            "share of draws in which the closed loop takes less water in all", SHARE, True
        ),
    },
    "Water and energy of the blend's median short query (lengths of production) by site and design.",
    ["site", "design"],
)

WATER_FLEET = schema(
    {
        "analysis": word("which analysis", ANALYSES),
        "variant": text("lengths of the queries, or variant of the published analysis"),
        "scenario": word("which queries", DAY_SCENARIOS),
        **_WHERE,
        **band("water of a day, over what is not known", "{}_million_l_per_day"),
        "queries_per_day": number("queries of the day"),
        "interval": text("what the ends are"),
    },
    "Water of a day of queries to the blend, million litres.",
    ["analysis", "variant", "scenario", "site_scenario", "scope"],
)

WATER_SHARES = schema(
    {
        "variant": word("lengths of the queries", VARIANTS),
        "regime": word(REGIME_WORDS, [*EVERY_REGIME]),
        "site_scenario": text("key of water.scenarios"),
        "basis": word("consumption or withdrawal", BASES),
        "scope": word("on site, in the electricity, or both", SCOPES),
        "group": word("source of ignorance", GROUPS),
        "share": number("of the variance of the mean water per query", pa.Check.in_range(-1e-9, 1)),
        "sd_ml": number("standard deviation of the mean water per query, all sources", NOT_NEGATIVE),
    },
    "Which ignorance matters for water: first-order shares of the variance, and their interactions.",
    ["variant", "regime", "site_scenario", "scope", "group"],
)

CARBON_PER_QUERY = schema(
    {
        "analysis": word("which analysis", ANALYSES),
        **_QUERY,
        "site_scenario": text("key of water.scenarios"),
        **summary("g", "queries and sites"),
        **band("the median query, over what is not known", "median_{}_g", nullable=True),
        "note": text("what carbon it is"),
    },
    "Carbon of the electricity per query, g CO2e, location based, of the draws of energy and water.",
    ["analysis", "variant", "regime", "subject", "site_scenario"],
)

PRIOR_WATER_COMPARED = schema(
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
        **band("our median query", "ours_{}_ml", nullable=True),
        "ratio_to_ours": number("published (its upper end) over ours", NOT_NEGATIVE, nullable=True),
        "note": text("what else matters", nullable=True),
    },
    "Water per query by others: recomputed, and beside ours (90 % interval of what is not known).",
    ["key"],
)

WATER_CLAIM_ASSUMPTIONS = schema(
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
    "Assumptions under which the published range of water comes out.",
    ["claim", "energy"],
)

WATER_FLEET_COMPARED = schema(
    {
        "compared_with": text("row of comparisons.csv"),
        "subject": text("whose water"),
        "million_l_per_day": number("that water, of a day"),
        "scope": word("which water of ours", SCOPES),
        **band("ours over it", "ratio_{}"),
        "source": text("key of paper/references.bib"),
    },
    "A day of queries, mixed and with lengths of production, over a day of others' water.",
    ["compared_with", "scope"],
)

TABLES = transcribed({"wue": WUE, "electricity_water": ELECTRICITY_WATER, "sites": SITES}, "sites") | {
    **transcribed({"prior_water": PRIOR_WATER}),
    "water_per_query": Table(WATER_PER_QUERY, "water"),
    "water_split": Table(WATER_SPLIT, "water"),
    "water_sites": Table(WATER_SITES, "water"),
    "water_fleet": Table(WATER_FLEET, "water"),
    "water_shares": Table(WATER_SHARES, "water"),
    "carbon_per_query": Table(CARBON_PER_QUERY, "water"),
    "prior_water_compared": Table(PRIOR_WATER_COMPARED, "claims"),
    "water_claim_assumptions": Table(WATER_CLAIM_ASSUMPTIONS, "claims"),
    "water_fleet_compared": Table(WATER_FLEET_COMPARED, "claims"),
}
