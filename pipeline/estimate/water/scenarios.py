"""The scenarios of sites that params.yaml names, ready to be drawn from."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.assumptions.water import Water
from pipeline.estimate.water.draws import Factors, SiteDraws, draw_sites
from pipeline.estimate.water.sites import members

Array = NDArray[np.float64]


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
