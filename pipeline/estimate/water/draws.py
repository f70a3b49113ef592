"""A site drawn for each world or query, and the water of the energy that is used there.

    onsite  [mL] = E_IT [Wh] * WUE [L/kWh]
    offsite [mL] = E_IT [Wh] * PUE * electricity water intensity [L/kWh]
    total        = onsite + offsite

1 L/kWh is 1 mL/Wh. E_IT is what the servers draw: energy at the facility over the PUE of the same draw. PUE,
WUE and grid are those of one site, so that their correlation over sites is kept.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.assumptions.water import Water

Array = NDArray[np.float64]
TERMS = 3  # uniforms: which site, factor of its WUE, factor of its electricity


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
        """One axis more, for the queries of each world."""
        sides = (self.pue, self.wue_l_per_kwh, self.electricity_l_per_kwh, self.carbon_kg_per_kwh)
        return SiteDraws(*(side[..., None] for side in sides))


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
