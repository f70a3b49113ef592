"""LEVER_NEEDED: what a combined gain takes of routing, with and without the other levers."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from pipeline.contracts.levers import BESIDE, LEVER_NEEDED
from pipeline.contracts.read import validate
from pipeline.estimate.levers.combine import Applied, Service
from pipeline.estimate.levers.rows import band

SHARES = np.round(np.linspace(0, 1, 11), 1)


def needed_rows(regime: str, service: Service, ends: tuple[float, float]) -> Iterator[dict[str, Any]]:
    """Gain of every set of levers over the share that small models take; ends: of the combined claim."""
    low, high = ends
    start = service.energy_wh(Applied())
    for beside, names in BESIDE.items():
        applied = Applied(**dict.fromkeys(names, True))
        large, small = (service.tier_wh(tier, applied) for tier in (0, 1))
        for share in SHARES:
            gain = start / service.routed_wh(float(share), large, small)
            found = band(gain, service.bench.replicates)
            yield {
                "regime": regime,
                "levers": beside,
                "routed_share": share,
                "mc_error_gain_p50": found.pop("mc_error_p50"),
                **{f"gain_{name}": value for name, value in found.items()},
                "worlds_8_to_20": float(np.mean((gain >= low) & (gain <= high))),
                "worlds_at_least_8": float(np.mean(gain >= low)),
                "worlds_at_least_20": float(np.mean(gain >= high)),
            }


def needed_table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """LEVER_NEEDED."""
    table = pd.DataFrame(rows)[list(LEVER_NEEDED.columns)]
    return validate(table, LEVER_NEEDED, "what a combined gain takes")
