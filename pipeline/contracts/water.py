"""Contracts of what is published about water: at sites, in electricity, per query; and which site has which.

On site, water is per kWh that the servers draw (IT) unless the unit says per kWh of the facility.
Consumption is what evaporates; withdrawal is what is taken in, most of which may go back. Where a source says
neither, the row says so and the analysis takes it as consumption, which can only be too high.
"""

import pandas as pd
import pandera.pandas as pa

from pipeline.contracts.columns import (
    CONFIDENCES,
    NOT_NEGATIVE,
    POSITIVE,
    count,
    key,
    number,
    schema,
    text,
    word,
)
from pipeline.contracts.published import EXPLAINED, INTERVALS, METHODS, ORDERED, STATED
from pipeline.contracts.results import REGIMES

PER_IT, PER_FACILITY = "L/kWh IT", "L/kWh facility"
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
        "electricity_mwh": number("published electricity of a year: its weight by size", nullable=True),
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

WATER_TABLES = {
    "wue": WUE,
    "electricity_water": ELECTRICITY_WATER,
    "sites": SITES,
    "prior_water": PRIOR_WATER,
}
