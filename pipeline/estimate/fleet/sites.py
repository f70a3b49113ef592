"""The lever of the datacentre: from one kind of site to another by PUE; from evaporation to a closed loop.

Both ends of a move are drawn on their own, since a service moves from a site to another, and not along one. A
closed loop gives up the water on site for a higher PUE at the same site, and takes more water in its
electricity: per kWh that servers draw, WUE + PUE * intensity before, (PUE + penalty) * intensity after.
"""

from collections.abc import Mapping
from itertools import permutations

import numpy as np
import pandas as pd

from pipeline.assumptions.base import Pue
from pipeline.assumptions.deployments import Propagation
from pipeline.assumptions.fleet import UNKNOWN_SITE
from pipeline.assumptions.simulation import Simulation
from pipeline.assumptions.water import Water
from pipeline.contracts.fleet import COOLING_LEVER, DATACENTRE_LEVER
from pipeline.contracts.read import validate
from pipeline.estimate.fleet.draws import own_uniforms
from pipeline.estimate.nested import band
from pipeline.estimate.sobol import stage_seed
from pipeline.estimate.water.draws import Factors, average_sites
from pipeline.estimate.water.tables import Sites

STAGE, COOLING = "compare_sites", "compare_sites, cooling"
CONSUMPTION = "consumption"  # a withdrawal is not what a closed loop saves
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


def cooling_lever(
    water: Water, factors: pd.DataFrame, propagation: Propagation, simulation: Simulation
) -> pd.DataFrame:
    """COOLING_LEVER: a closed loop at all sites of each scenario of consumption that takes water on site.

    factors: FACTORS of pipeline/estimate/water/sites.py.
    """
    penalty, *uniforms = own_uniforms(stage_seed(simulation, COOLING), propagation, 3)
    common = Factors.draw(water, np.array(uniforms))
    more = water.closed_loop_pue_penalty.distribution.ppf(penalty)
    rows = []
    for name, table in Sites.of(water, factors).tables.items():
        at = average_sites(table, common)
        if water.scenarios[name].basis != CONSUMPTION or not at.wue_l_per_kwh.any():
            continue
        before = at.wue_l_per_kwh + at.pue * at.electricity_l_per_kwh
        after = (at.pue + more) * at.electricity_l_per_kwh
        bands = {
            "energy": at.pue / (at.pue + more),
            "onsite_before": at.wue_l_per_kwh,
            "water_before": before,
            "water_after": after,
        }
        row = {"site_scenario": name, "title": water.scenarios[name].title, "pue": float(at.pue[0])}
        for what, values in bands.items():
            row |= {
                f"{what}_{percentile}": band(values, propagation.replicates)[percentile]
                for percentile in PERCENTS
            }
        rows.append({**row, "worlds_saving_water": float(np.mean(after < before))})
    return validate(pd.DataFrame(rows)[list(COOLING_LEVER.columns)], COOLING_LEVER, "cooling lever")
