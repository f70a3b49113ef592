"""What stands between a serving accelerator and the fleet: three published factors, and ours.

The published fleet multiplies energy that is PUE times node power by 1.10 * 1.076 * 1.12, described only as
orchestration, backup and the like. Ours multiplies accelerator energy by what host and power supplies add, by
servers that stand by, and by PUE, each with its uncertainty; nothing else is added.
"""

from collections.abc import Iterator, Sequence
from math import prod

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.contracts.fleet import FLEET_OVERHEADS
from pipeline.contracts.read import validate
from pipeline.estimate.fleet.draws import FleetDraws, Picks
from pipeline.estimate.nested import band
from pipeline.estimate.query_energy import serve

Array = NDArray[np.float64]
CALL = ("production", "short")


def overheads(draws: FleetDraws, published: Sequence[float], source: str) -> pd.DataFrame:
    """FLEET_OVERHEADS; published: the factors of the released scripts, and where they stand."""
    rows = []
    for number, factor in enumerate(published, start=1):
        what = "one of three, described together as orchestration, backup and the like"
        rows.append(_published(f"factor {number}", what, factor, source))
    rows.append(_published("all", "the product, on top of node power times PUE", prod(published), source))
    for name, what, where, values in _ours(draws):
        found = band(values, draws.worlds.replicates)
        found.pop("mc_error_p50")
        rows.append({"analysis": "re_estimated", "factor": name, "what": what, **found, "source": where})
    return validate(pd.DataFrame(rows, columns=list(FLEET_OVERHEADS.columns)), FLEET_OVERHEADS, "overheads")


def _published(name: str, what: str, factor: float, source: str) -> dict[str, object]:
    same = dict.fromkeys(("p5", "p50", "p95"), factor)
    return {"analysis": "as_published", "factor": name, "what": what, **same, "source": source}


def _ours(draws: FleetDraws) -> Iterator[tuple[str, str, str, Array]]:
    """Factor by factor of short queries at production lengths, mean over the large models."""
    picks = Picks.as_drawn(draws.worlds)
    call = draws.calls[CALL]
    at = picks.conditions(draws.worlds, call.context_tokens)
    steps: dict[str, list[Array]] = {"gpu": [], "node": [], "facility": []}
    for item in draws.tiers["large"]:
        served = serve(draws.curves[(item.model, *CALL)], draws.server(item), item, at)
        for boundary, found in steps.items():
            found.append(served.mean_energy_wh(boundary, call.moments))
    gpu, node, facility = (np.mean(found, axis=0) for found in steps.values())
    power, load = "data/results/node_power_fits.csv", "data/results/load_evidence.csv"
    yield "host", "server at the wall over its accelerators", power, node / gpu
    yield "standing by", "with idle servers over serving ones alone", load, facility / node
    yield "PUE", "site over servers", "data/published/pue.csv", draws.worlds.pue
    yield "all", "site over serving accelerators", "the three together", facility / gpu * draws.worlds.pue
