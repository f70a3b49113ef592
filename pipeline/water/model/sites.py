"""Sites with the PUE, WUE and grid that belong together, drawn by scenario, and the water of energy there.

    onsite  [mL] = E_IT [Wh] * WUE [L/kWh]
    offsite [mL] = E_IT [Wh] * PUE * electricity water intensity [L/kWh]
    total        = onsite + offsite

1 L/kWh is 1 mL/Wh. E_IT is what the servers draw: energy at the facility over the PUE of the same draw. PUE,
WUE and grid are those of one site, so that their correlation over sites is kept.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.core.catalogue import read
from pipeline.core.draws import Design
from pipeline.core.errors import InputError
from pipeline.core.units import Array
from pipeline.water.model.settings import SiteScenario, Water

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
PER_IT, PER_FACILITY = "L/kWh IT", "L/kWh facility"  # units of WUE
SITE_TABLES = ("sites", "pue", "wue", "electricity_water")  # of data/published
# Uniforms of a drawn site: which one, factor of its WUE, factor of its electricity.
NAMES = ("site", "WUE factor", "electricity factor")
TERMS = len(NAMES)
KNOWN_MWH = "the electricity of a year in sites.csv for every site"


def site_factors(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """FACTORS of every site, in the order of sites.csv; tables: SITE_TABLES.

    Litres per kWh of the facility become litres per kWh of the servers by the site's own PUE. What is
    withdrawn at sites that are `scaled_to` the mean of an operator becomes what they consume: the same share
    at each of them, so that their mean, by what their servers draw, is the stated one.
    """
    sites, published = tables["sites"], tables["wue"].set_index("key")
    pue = tables["pue"].set_index("key").loc[sites["pue_key"], "value"].to_numpy()
    wue, stated = published.loc[sites["wue_key"]], published.reindex(sites["scaled_to"])
    grid = tables["electricity_water"].set_index("key")
    electricity = grid.loc[sites["grid_key"]]
    found = sites.assign(
        pue=pue,
        wue_l_per_kwh=np.where(wue["unit"] == PER_FACILITY, wue["value"] * pue, wue["value"]),
        wue_basis=np.where(sites["scaled_to"].notna(), stated["basis"], wue["basis"]),
        wue_year=wue["year"].to_numpy(),
        electricity_l_per_kwh=electricity["value"].to_numpy(),
        electricity_basis=electricity["basis"].to_numpy(),
        carbon_kg_per_kwh=grid.loc[sites["carbon_key"], "carbon_kg_per_kwh"].to_numpy(),
    )
    for operator, rows in found.groupby("scaled_to"):
        own = found["scaled_to"] == operator
        mean = np.average(rows["wue_l_per_kwh"], weights=rows["electricity_mwh"] / rows["pue"])
        found.loc[own, "wue_l_per_kwh"] *= float(published["value"][str(operator)]) / mean
    return found[FACTORS]


def members(factors: pd.DataFrame, name: str, scenario: SiteScenario) -> pd.DataFrame:
    """The sites of a scenario in its order, with `weight` (sum 1); raises InputError naming the key."""
    key = f"params.yaml, water.scenarios.{name}"
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
        weights = found["electricity_mwh"] / found["pue"]  # what the servers draw of it
    else:
        weights = pd.Series(1.0, found.index)
    return weights / weights.sum()


@dataclass(frozen=True)
class SiteDraws:
    """Factors of the site of each draw, all of one shape, L/kWh and kg/kWh (NaN where not published)."""

    pue: Array
    wue_l_per_kwh: Array
    electricity_l_per_kwh: Array
    carbon_kg_per_kwh: Array

    def water_ml(self, it_wh: Array) -> dict[str, Array]:
        """Water by scope of energies that servers draw, Wh, of a shape that factors broadcast to."""
        onsite = it_wh * self.wue_l_per_kwh
        offsite = it_wh * self.pue * self.electricity_l_per_kwh
        return {"onsite": onsite, "offsite": offsite, "total": onsite + offsite}

    def carbon_g(self, it_wh: Array) -> Array:
        """Carbon of the electricity, g CO2e, location based; 1 kg/kWh is 1 g/Wh."""
        return np.asarray(it_wh * self.pue * self.carbon_kg_per_kwh)

    def expand(self) -> "SiteDraws":
        """One axis more, for the queries of each sample."""
        sides = (self.pue, self.wue_l_per_kwh, self.electricity_l_per_kwh, self.carbon_kg_per_kwh)
        return SiteDraws(*(side[..., None] for side in sides))


def site_uniforms(design: Design) -> Array:
    """Uniforms of the site and its factors in every epistemic sample, (TERMS, n)."""
    return np.stack([design.uniforms(name) for name in NAMES])


def closed_loop_penalty(settings: Water, design: Design) -> Array:
    """What a site adds to its PUE when it gives up evaporation, (n,)."""
    return design.draw("closed loop PUE penalty", settings.closed_loop_pue_penalty.distribution)


@dataclass(frozen=True)
class Factors:
    """Common factors of what is published, (S,): of all WUE, of all electricity."""

    wue: Array
    electricity: Array

    @classmethod
    def draw(cls, settings: Water, uniforms: Array) -> "Factors":
        """From uniforms (2, S)."""
        wue, electricity = uniforms
        return cls(
            settings.wue_factor.distribution.ppf(wue),
            settings.electricity_factor.distribution.ppf(electricity),
        )


def draw_sites(sites: pd.DataFrame, uniforms: Array, factors: Factors) -> SiteDraws:
    """The site of each draw: `uniforms` choose among the rows of `members` by weight."""
    edges = sites["weight"].cumsum().to_numpy()
    at = np.minimum(np.searchsorted(edges, uniforms, side="right"), len(sites) - 1)
    return SiteDraws(
        pue=sites["pue"].to_numpy()[at],
        wue_l_per_kwh=sites["wue_l_per_kwh"].to_numpy()[at] * factors.wue,
        electricity_l_per_kwh=sites["electricity_l_per_kwh"].to_numpy()[at] * factors.electricity,
        carbon_kg_per_kwh=sites["carbon_kg_per_kwh"].to_numpy(float)[at],
    )


def average_sites(sites: pd.DataFrame, factors: Factors) -> SiteDraws:
    """All sites of a scenario together, as a fleet uses them: weights are shares of what servers draw."""
    weight = sites["weight"].to_numpy()
    pue = float(weight @ sites["pue"])
    electricity = float(weight @ (sites["pue"] * sites["electricity_l_per_kwh"])) / pue
    carbon = float(weight @ (sites["pue"] * sites["carbon_kg_per_kwh"])) / pue
    return SiteDraws(
        pue=np.full_like(factors.wue, pue),
        wue_l_per_kwh=float(weight @ sites["wue_l_per_kwh"]) * factors.wue,
        electricity_l_per_kwh=electricity * factors.electricity,
        carbon_kg_per_kwh=np.full_like(factors.wue, carbon),
    )


@dataclass(frozen=True)
class Sites:
    """The sites of every scenario, as `members` gives them, with its basis."""

    settings: Water
    tables: dict[str, pd.DataFrame]

    @classmethod
    def of(cls, settings: Water, factors: pd.DataFrame) -> "Sites":
        """Of every scenario; raises InputError naming the key of params.yaml."""
        found = {name: members(factors, name, item) for name, item in settings.scenarios.items()}
        return cls(settings, found)

    def draws(self, uniforms: Array) -> Iterator[tuple[dict[str, str], SiteDraws]]:
        """Keys of each scenario, and its sites drawn by the same uniforms (TERMS, ...)."""
        factors = Factors.draw(self.settings, uniforms[1:])
        for name, sites in self.tables.items():
            keys = {"site_scenario": name, "basis": self.settings.scenarios[name].basis}
            yield keys, draw_sites(sites, uniforms[0], factors)


def read_factors() -> pd.DataFrame:
    """FACTORS of every site (pipeline/water/model/sites.py)."""
    return site_factors({name: read(name) for name in SITE_TABLES})


def read_sites(settings: Water) -> Sites:
    """The sites of every scenario."""
    return Sites.of(settings, read_factors())
