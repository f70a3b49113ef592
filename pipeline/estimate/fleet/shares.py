"""What share of a fleet's band each group of assumptions owns: Sobol indices of ln GWh a day.

Every group takes its values from the worlds of the estimate itself, each group from its own (see
variance_shares.py). The choices of a scenario are not uncertain here: they are what is asked.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.assumptions.fleet import Fleet
from pipeline.contracts.fleet import FLEET_SHARES, GROUPS
from pipeline.contracts.read import validate
from pipeline.distributions import Constant
from pipeline.estimate.fleet.account import day, unit_costs
from pipeline.estimate.fleet.draws import FleetDraws, Picks
from pipeline.estimate.fleet.places import Places
from pipeline.estimate.variance_shares import design, indices

Array = NDArray[np.float64]


def shares(settings: Fleet, draws: FleetDraws, places: Places, names: Sequence[str]) -> pd.DataFrame:
    """FLEET_SHARES of the named scenarios; a group that cannot matter there has no row."""
    base_points = draws.propagation.variance_points
    seed = int(draws.shares_seed.generate_state(1)[0])
    tables = []
    for name in names:
        scenario = settings.all[name]
        absent = {
            "length": scenario.lengths == "published",
            "calls": scenario.agentic_share == 0,
            "context": scenario.agentic_share == 0,
            "gain": isinstance(scenario.gain.distribution, Constant),
        }
        groups = tuple(group for group in GROUPS if not absent.get(group, False))
        picks = _picks(groups, design(groups, base_points, seed), len(draws.worlds))
        found = day(scenario, unit_costs(draws, picks, scenario), draws, places, picks)
        table = indices(np.log(found.total_gwh), groups, base_points)
        tables.append(table.assign(scenario=name)[["scenario", *table.columns]])
    return validate(pd.concat(tables, ignore_index=True), FLEET_SHARES, "fleet shares")


def _picks(groups: Sequence[str], uniforms: Array, worlds: int) -> Picks:
    """World of each group at every point of the design; groups that cannot matter stay in the first."""
    index = np.minimum((uniforms * worlds).astype(np.int64), worlds - 1)
    of = dict(zip(groups, index.T, strict=True))
    first = np.zeros(len(uniforms), dtype=np.int64)
    return Picks(**{group: of.get(group, first) for group in GROUPS})
