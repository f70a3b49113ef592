"""What the figures of levers are drawn from, and which rows of it stand for a system."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from pipeline.contracts.levers import LEVER_COMBINATIONS, LEVER_HARDWARE, LEVER_SCALE, LEVER_SYSTEMS
from pipeline.contracts.read import read_table

SYSTEMS_CSV = "data/results/lever_systems.csv"
HARDWARE_CSV = "data/results/lever_hardware.csv"
SCALE_CSV = "data/results/lever_scale.csv"
COMBINATIONS_CSV = "data/results/lever_combinations.csv"
REGIME_NAMES = {"short": "Short queries", "long": "Long queries (reasoning)"}
FITTED = "fitted model"  # how the basis of a gain of ours begins
STATED = ("statement", "published range")
MEASURED = "measured energy"
Row = dict[str, Any]


@dataclass(frozen=True)
class LeverTables:
    """Contracts as imported above."""

    systems: pd.DataFrame
    hardware: pd.DataFrame
    scale: pd.DataFrame
    combinations: pd.DataFrame

    def ours(self) -> pd.DataFrame:
        """Rows that stand for a system in the fitted model: as in production, else each load by itself."""
        rows = self.systems[self.systems["basis"].str.startswith(FITTED)]
        place = ["group", "system", "regime"]
        production = rows[rows["load"].isna()].drop_duplicates(place)
        known = production.set_index(place).index
        others = rows[~rows.set_index(place).index.isin(known)].drop_duplicates([*place, "load"])
        return pd.concat([production, others]).sort_index()

    def evidence(self) -> pd.DataFrame:
        """Gains that others measured, published or simulated, each once whatever its regime."""
        systems = self.systems
        others = systems[~systems["basis"].str.startswith(FITTED) & ~systems["basis"].isin(STATED)]
        others = others[others["evidence"].notna()]
        return others.drop_duplicates(["group", "system", "evidence"])


def records(table: pd.DataFrame) -> list[Row]:
    """Rows by column name."""
    found: Any = table.to_dict("records")
    return list(found)


def read_tables() -> LeverTables:
    """All tables from their files; raises InputError."""
    return LeverTables(
        systems=read_table(SYSTEMS_CSV, LEVER_SYSTEMS),
        hardware=read_table(HARDWARE_CSV, LEVER_HARDWARE),
        scale=read_table(SCALE_CSV, LEVER_SCALE),
        combinations=read_table(COMBINATIONS_CSV, LEVER_COMBINATIONS),
    )
