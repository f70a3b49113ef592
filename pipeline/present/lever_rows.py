"""Which rows of the lever tables stand for a system, in figures and in the text alike."""

from typing import Any

import numpy as np
import pandas as pd

from pipeline.contracts.levers import BASELINE, SEQUENCES

FITTED = "fitted model"  # how the basis of a gain of ours begins
STATED = ("statement", "published range")
PRICE = "list price"  # basis of what is no energy
PLACE = ["group", "system", "regime"]
Row = dict[str, Any]


def as_in_production(systems: pd.DataFrame) -> pd.DataFrame:
    """LEVER_SYSTEMS rows of the fitted model: as in production, or each load where there is no such row."""
    rows = systems[systems["basis"].str.startswith(FITTED)]
    production = rows[rows["load"].isna()].drop_duplicates(PLACE)
    known = production.set_index(PLACE).index
    others = rows[~rows.set_index(PLACE).index.isin(known)].drop_duplicates([*PLACE, "load"])
    return pd.concat([production, others]).sort_index()


def by_others(systems: pd.DataFrame) -> pd.DataFrame:
    """Gains that others measured, published or simulated, each once whatever its regime."""
    others = systems[~systems["basis"].str.startswith(FITTED) & ~systems["basis"].isin([*STATED, PRICE])]
    return others[others["evidence"].notna()].drop_duplicates(["group", "system", "evidence"])


def prices(systems: pd.DataFrame) -> pd.DataFrame:
    """What the same work costs less by list price, which is no energy."""
    return systems[systems["basis"] == PRICE]


def chain(combinations: pd.DataFrame, name: str, regime: str) -> pd.DataFrame:
    """The steps of one combination of LEVER_COMBINATIONS, models first, without the baseline."""
    chosen = (
        (combinations["combination"] == name)
        & (combinations["regime"] == regime)
        & (combinations["sequence"] == SEQUENCES[0])
        & (combinations["group"] != BASELINE)
    )
    return combinations[chosen].sort_values("order")


def share_for(needed: pd.DataFrame, regime: str, levers: str, gain: float) -> float:
    """Share of queries on small models at which the median of LEVER_NEEDED reaches a gain; else 1."""
    rows = needed[(needed["regime"] == regime) & (needed["levers"] == levers)].sort_values("routed_share")
    return float(np.interp(gain, np.maximum.accumulate(rows["gain_p50"]), rows["routed_share"]))


def records(table: pd.DataFrame) -> list[Row]:
    """Rows by column name."""
    found: Any = table.to_dict("records")
    return list(found)
