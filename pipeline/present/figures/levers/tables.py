"""What the figures of levers are drawn from, and which rows of it stand for a system."""

from dataclasses import dataclass

import pandas as pd

from pipeline.contracts.levers import (
    LEVER_COMBINATIONS,
    LEVER_HARDWARE,
    LEVER_NEEDED,
    LEVER_SCALE,
    LEVER_SYSTEMS,
)
from pipeline.contracts.read import read_table
from pipeline.present.lever_rows import as_in_production, by_others, prices

SYSTEMS_CSV = "data/results/lever_systems.csv"
HARDWARE_CSV = "data/results/lever_hardware.csv"
SCALE_CSV = "data/results/lever_scale.csv"
COMBINATIONS_CSV = "data/results/lever_combinations.csv"
NEEDED_CSV = "data/results/lever_needed.csv"
MEASURED = "measured energy"


@dataclass(frozen=True)
class LeverTables:
    """Contracts as imported above."""

    systems: pd.DataFrame
    hardware: pd.DataFrame
    scale: pd.DataFrame
    combinations: pd.DataFrame
    needed: pd.DataFrame

    def ours(self) -> pd.DataFrame:
        """Rows that stand for a system in the fitted model."""
        return as_in_production(self.systems)

    def evidence(self) -> pd.DataFrame:
        """Gains that others found."""
        return by_others(self.systems)

    def prices(self) -> pd.DataFrame:
        """List prices of the same work."""
        return prices(self.systems)


def read_tables() -> LeverTables:
    """All tables from their files; raises InputError."""
    return LeverTables(
        systems=read_table(SYSTEMS_CSV, LEVER_SYSTEMS),
        hardware=read_table(HARDWARE_CSV, LEVER_HARDWARE),
        scale=read_table(SCALE_CSV, LEVER_SCALE),
        combinations=read_table(COMBINATIONS_CSV, LEVER_COMBINATIONS),
        needed=read_table(NEEDED_CSV, LEVER_NEEDED),
    )
