"""Contracts of what is published about water (sites, electricity, queries), and of what comes out of it.

On site, water is per kWh that the servers draw (IT) unless the unit says per kWh of the facility.
Consumption is what evaporates; withdrawal is what is taken in, most of which may go back. Where a source says
neither, the row says so and the analysis takes it as consumption, which can only be too high.
"""

import pandas as pd
import pandera.pandas as pa

from pipeline.core.catalogue import Table, transcribed
from pipeline.core.columns import (
    ANALYSES,
    CONFIDENCES,
    EVERY_REGIME,
    NOT_NEGATIVE,
    POSITIVE,
    REGIME_WORDS,
    REGIMES,
    SHARE,
    STATISTICS,
    count,
    key,
    number,
    schema,
    text,
    word,
)
from pipeline.energy.model.contract import SPLIT, VARIANTS
from pipeline.ingest.contract import EXPLAINED, INTERVALS, METHODS, ORDERED, STATED
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


def _ends() -> dict[str, pa.Column]:
    return {
        "low": number("lower end of the interval", NOT_NEGATIVE, nullable=True),
        "high": number("upper end of the interval", NOT_NEGATIVE, nullable=True),
        "interval": word("what low and high mean", INTERVALS, nullable=True),
    }


def _origin() -> dict[str, pa.Column]:
    return {
        "source": text("key of paper/references.bib"),
        "where": text("version, table, page or address within the source", nullable=True),
        "confidence": word("how it was read", CONFIDENCES),
        "note": text("what else matters", nullable=True),
    }


WUE = schema(
    {
        "key": key(),
        "provider": text("whose sites"),
        "subject": text("site, region or fleet"),
        "year": count("year the value is about, else of publication", YEAR),
        "value": number("litres on site a kWh", RANGE),
        "unit": word("per kWh of the servers or of the facility", [PER_IT, PER_FACILITY]),
        "basis": word("consumption or withdrawal", [*BASES, NOT_STATED]),
        **_ends(),
        "method": word("how the source came to the value", METHODS),
        "boundary": word("which water", ["site cooling"]),
        **_origin(),
    },
    [ORDERED, EXPLAINED],
    "Water usage effectiveness: litres on site per kWh.",
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
        **_ends(),
        "carbon_kg_per_kwh": number("kg CO2e a kWh of the same mix, location based", nullable=True),
        "method": word("how the source came to the value", METHODS),
        "boundary": word("what the water is for", ["electricity generation", "plant operation"]),
        **_origin(),
    },
    [ORDERED, EXPLAINED],
    "Water intensity of electricity, by area and by fuel.",
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
    [],
    "Sites: one PUE, one WUE and one grid that belong together.",
)


def _sums_up(table: pd.DataFrame) -> pd.Series:
    return table["site"].isna() | table["energy_wh"].notna()


PRIOR_WATER = schema(
    {
        "key": key(),
        "subject": text("which query to which service"),
        "setup": text("lengths, as stated", nullable=True),
        "regime": word("which of our queries it is compared with", [*REGIMES]),
        "nearest": text("which of ours serves them: a model of the re-estimate, or the blend"),
        "value": number("the value", NOT_NEGATIVE, nullable=True),
        "unit": word("of value, low and high", ["mL/query"]),
        **_ends(),
        "basis": word("consumption or withdrawal", [*BASES, NOT_STATED]),
        "scope": word("which water", [*SCOPES, "life cycle", NOT_STATED]),
        "energy_wh": number("energy of the query that the source states", POSITIVE, nullable=True),
        "energy_boundary": text("what that energy includes", nullable=True),
        "site": text("row of sites.csv with the source's inputs", nullable=True),
        "method": word("how the source came to the value", WATER_METHODS),
        **_origin(),
    },
    [
        STATED,
        ORDERED,
        EXPLAINED,
        pa.Check(_sums_up, name="energy_wh", error="a value where the site is given"),
    ],
    "Water per query by others.",
)

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
    "regime": word(REGIME_WORDS, [*EVERY_REGIME]),
    "subject": text("model in its deployment, or the blend of those above 200 B parameters"),
}
_WHERE = {
    "site_scenario": text("key of water.scenarios"),
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
        "n_outer": count("epistemic samples, of the site among other things", pa.Check.gt(0)),
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
        "regime": word(REGIME_WORDS, [*EVERY_REGIME]),
        "site_scenario": text("key of water.scenarios"),
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
        "site_scenario": text("key of water.scenarios"),
        **_summary("g"),
        **{
            f"median_{name}_g": number(
                f"{words} over what is not known, of the median query", NOT_NEGATIVE, True
            )
            for name, words in _BAND.items()
        },
        "note": text("what carbon it is"),
    },
    ["analysis", "variant", "regime", "subject", "site_scenario"],
    "Carbon of the electricity per query, g CO2e, location based, of the draws of energy and water.",
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
