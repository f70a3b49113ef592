"""Sites with the PUE, WUE and grid that belong together, and the sites of a scenario with their weights."""

import pandas as pd

from pipeline.assumptions.water import SiteScenario
from pipeline.contracts.water import PER_FACILITY
from pipeline.errors import InputError

# What a site hands on, a row each; litres on site are per kWh of the servers (IT).
FACTORS = [
    "key",
    "provider",
    "name",
    "cooling",
    "pue",
    "wue_l_per_kwh",
    "wue_basis",
    "wue_year",
    "grid_key",
    "electricity_l_per_kwh",
    "electricity_basis",
    "carbon_kg_per_kwh",
    "electricity_mwh",
]
SITE_TABLES = ("sites", "pue", "wue", "electricity_water")  # of data/published
KNOWN_MWH = "the electricity of a year in sites.csv for every site"


def site_factors(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """FACTORS of every site, in the order of sites.csv.

    Tables: SITE_TABLES. Litres per kWh of the facility become litres
    per kWh of the servers by the site's own PUE.
    """
    sites = tables["sites"]
    pue = tables["pue"].set_index("key").loc[sites["pue_key"], "value"].to_numpy()
    wue = tables["wue"].set_index("key").loc[sites["wue_key"]].reset_index(drop=True)
    grid = tables["electricity_water"].set_index("key").loc[sites["grid_key"]].reset_index(drop=True)
    return sites.assign(
        pue=pue,
        wue_l_per_kwh=wue["value"].where(wue["unit"] != PER_FACILITY, wue["value"] * pue).to_numpy(),
        wue_basis=wue["basis"].to_numpy(),
        wue_year=wue["year"].to_numpy(),
        electricity_l_per_kwh=grid["value"].to_numpy(),
        electricity_basis=grid["basis"].to_numpy(),
        carbon_kg_per_kwh=grid["carbon_kg_per_kwh"].to_numpy(),
    )[FACTORS]


def members(factors: pd.DataFrame, name: str, scenario: SiteScenario) -> pd.DataFrame:
    """The sites of a scenario in its order, with `weight` (sum 1); raises InputError naming the key."""
    key = f"params.yaml, assumptions.water.scenarios.{name}"
    unknown = [site for site in scenario.sites if site not in set(factors["key"])]
    if unknown:
        raise InputError(f"{key}.sites: {unknown[0]!r}, expected a key of data/published/sites.csv")
    found = factors.set_index("key", drop=False).loc[scenario.sites].reset_index(drop=True)
    _same_basis(found, key, scenario.basis)
    return found.assign(weight=_weights(found, key, scenario))


def _same_basis(found: pd.DataFrame, key: str, basis: str) -> None:
    # What a source calls neither is taken as consumption; a withdrawal is never taken for it.
    other = {"consumption": "withdrawal", "withdrawal": "consumption"}[basis]
    for column in ("wue_basis", "electricity_basis"):
        wrong = found.loc[found[column] == other, "key"]
        if len(wrong):
            raise InputError(f"{key}.sites: {wrong.iloc[0]!r} has {column} {other}, expected {basis}")


def _weights(found: pd.DataFrame, key: str, scenario: SiteScenario) -> pd.Series:
    if isinstance(scenario.weights, dict):
        weights = found["key"].map(scenario.weights)
    elif scenario.weights == "electricity":
        if found["electricity_mwh"].isna().any():
            raise InputError(f"{key}.weights: 'electricity', expected {KNOWN_MWH}")
        weights = found["electricity_mwh"]
    else:
        weights = pd.Series(1.0, found.index)
    return weights / weights.sum()
