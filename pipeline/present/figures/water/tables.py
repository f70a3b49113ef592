"""The tables that the figures of water are drawn from."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pipeline.contracts.read import read_table
from pipeline.contracts.water_results import PRIOR_WATER_COMPARED, WATER_SITES, WATER_SPLIT

PRIOR_CSV = "data/results/prior_water_compared.csv"
SITES_CSV = "data/results/water_sites.csv"
SPLIT_CSV = "data/results/water_split.csv"
VARIANT, REGIME, BLEND = "production_lengths", "short", "blend"


@dataclass(frozen=True)
class WaterTables:
    """Contracts as imported above."""

    prior: pd.DataFrame
    sites: pd.DataFrame
    split: pd.DataFrame

    def scenarios(self, scope: str) -> list[dict[Hashable, Any]]:
        """Median short query of the blend, lengths of production, one row a scenario of consumption."""
        table = self.split
        chosen = (
            (table["variant"] == VARIANT)
            & (table["regime"] == REGIME)
            & (table["subject"] == BLEND)
            & (table["basis"] == "consumption")
            & (table["scope"] == scope)
        )
        return table[chosen].to_dict("records")


def read_tables() -> WaterTables:
    """All tables from their files; raises InputError."""
    return WaterTables(
        prior=read_table(PRIOR_CSV, PRIOR_WATER_COMPARED),
        sites=read_table(SITES_CSV, WATER_SITES),
        split=read_table(SPLIT_CSV, WATER_SPLIT),
    )
