"""Where a fleet is: PUE, and litres per kWh on site and in the electricity, in every world.

Litres are those of a scenario of sites (assumptions.water), used all together by the weight of each, as a
fleet uses them. PUE is that of the same sites, of a kind of site, or of a site that is not known.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.assumptions.fleet import AS_WATER, UNKNOWN_SITE, Fleet, FleetScenario
from pipeline.assumptions.water import Water
from pipeline.errors import InputError
from pipeline.estimate.fleet.draws import FleetDraws
from pipeline.estimate.water.draws import Factors, SiteDraws, average_sites
from pipeline.estimate.water.tables import Sites

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Places:
    """PUE by kind of site, and all factors by scenario of sites, (worlds,) each."""

    pue: Mapping[str, Array]
    sites: Mapping[str, SiteDraws]

    @classmethod
    def draw(cls, settings: Fleet, draws: FleetDraws, water: Water, factors: pd.DataFrame) -> "Places":
        """Of every site that a scenario may name; factors: FACTORS of pipeline/estimate/water/sites.py."""
        common = Factors.draw(water, draws.water_uniforms)
        tables = Sites.of(water, factors).tables
        for name, scenario in settings.all.items():
            if scenario.water_site not in tables:
                raise InputError(
                    f"params.yaml, scenario.fleet, {name}: water_site {scenario.water_site!r}, "
                    f"expected one of {', '.join(tables)}"
                )
        pue = {name: site.distribution.ppf(draws.site_uniforms) for name, site in settings.sites.items()}
        return cls(
            {UNKNOWN_SITE: draws.worlds.pue, **pue},
            {name: average_sites(table, common) for name, table in tables.items()},
        )

    def of(self, scenario: FleetScenario, worlds: Indices) -> SiteDraws:
        """The factors of a scenario in the given worlds."""
        found = self.sites[scenario.water_site]
        if scenario.site != AS_WATER:
            found = replace(found, pue=self.pue[scenario.site])
        sides = (found.pue, found.wue_l_per_kwh, found.electricity_l_per_kwh, found.carbon_kg_per_kwh)
        return SiteDraws(*(side[worlds] for side in sides))
