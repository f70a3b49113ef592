"""The lever of the datacentre: from one kind of site to another, by PUE alone.

Both ends are drawn on their own, since a service moves from a site to another, and not along one.
"""

from collections.abc import Mapping
from itertools import permutations

import numpy as np
import pandas as pd

from pipeline.assumptions.base import Pue
from pipeline.assumptions.deployments import Propagation
from pipeline.assumptions.fleet import UNKNOWN_SITE
from pipeline.assumptions.simulation import Simulation
from pipeline.contracts.fleet import DATACENTRE_LEVER
from pipeline.contracts.read import validate
from pipeline.estimate.fleet.draws import own_uniforms
from pipeline.estimate.fleet.tables import band
from pipeline.estimate.sobol import stage_seed

STAGE = "compare_sites"
PERCENTS = {"p5": 5, "p50": 50, "p95": 95}


def datacentre_lever(
    sites: Mapping[str, Pue], drawn: Pue, propagation: Propagation, simulation: Simulation
) -> pd.DataFrame:
    """DATACENTRE_LEVER of every move that lowers the median PUE; drawn: that of a site that is not known."""
    every = {UNKNOWN_SITE: drawn, **sites}
    uniforms = own_uniforms(stage_seed(simulation, STAGE), propagation, len(every))
    pue = {
        name: assumption.distribution.ppf(uniform)
        for (name, assumption), uniform in zip(every.items(), uniforms, strict=True)
    }
    rows = []
    for before, after in permutations(every, 2):
        if np.median(pue[before]) > np.median(pue[after]):
            factor = band(pue[before] / pue[after], propagation.replicates)
            ends = {
                f"{when}_pue_{name}": float(np.percentile(pue[site], percent))
                for when, site in (("from", before), ("to", after))
                for name, percent in PERCENTS.items()
            }
            rows.append({"from_site": before, "to_site": after, **ends, **factor})
    return validate(pd.DataFrame(rows)[list(DATACENTRE_LEVER.columns)], DATACENTRE_LEVER, "datacentre lever")
