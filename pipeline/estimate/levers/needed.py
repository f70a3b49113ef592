"""LEVER_NEEDED: what a combined gain takes of routing, with and without the other levers."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from pipeline.contracts.levers import BESIDE, LEVER_NEEDED
from pipeline.contracts.read import validate
from pipeline.estimate.levers.combine import Applied, Service
from pipeline.estimate.levers.rows import band, worlds_within

SHARES = np.round(np.linspace(0, 1, 11), 1)


def needed_rows(regime: str, service: Service, ends: tuple[float, float]) -> Iterator[dict[str, Any]]:
    """Gain of every set of levers over the share that small models take; ends: of the combined claim."""
    start = service.energy_wh(Applied())
    for beside, names in BESIDE.items():
        applied = Applied(**dict.fromkeys(names, True))
        large, small = (service.tier_wh(tier, applied) for tier in (0, 1))
        for share in SHARES:
            gain = start / service.routed_wh(float(share), large, small)
            yield {
                "regime": regime,
                "levers": beside,
                "routed_share": share,
                **band(gain, service.bench.replicates, "gain_"),
                **worlds_within(gain, ends),
            }


def needed_table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """LEVER_NEEDED."""
    table = pd.DataFrame(rows)[list(LEVER_NEEDED.columns)]
    return validate(table, LEVER_NEEDED, "what a combined gain takes")
