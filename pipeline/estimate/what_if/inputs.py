"""What a what-if takes beside its settings: the answer and the panel rest on the same."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from pipeline.assumptions.base import Assumption
from pipeline.assumptions.published import Base
from pipeline.assumptions.serving import Serving
from pipeline.assumptions.simulation import Simulation
from pipeline.assumptions.water import Water
from pipeline.assumptions.what_if import LEVERS
from pipeline.estimate.lengths import Traffic
from pipeline.estimate.study import ServingModel
from pipeline.estimate.study_inputs import read_lengths, read_servers, read_serving
from pipeline.estimate.water.scenarios import Sites
from pipeline.estimate.water.sites import site_factors
from pipeline.fit.node_power import ServerFit


@dataclass(frozen=True)
class Inputs:
    """levers: the published multipliers by the names of LEVERS; the rest as fitted."""

    levers: Mapping[str, Assumption]
    traffic: dict[str, Traffic]
    servers: dict[str, ServerFit]
    sites: Sites
    simulation: Simulation
    model: ServingModel


def read_inputs(
    facts: dict[str, pd.DataFrame],
    water: Water,
    published: Base,
    simulation: Simulation,
    serving: Serving,
) -> Inputs:
    """Read lengths, servers and the serving model; facts: SITE_TABLES by name."""
    return Inputs(
        levers={name: getattr(published, f"lever_{name}") for name in LEVERS},
        traffic=read_lengths(),
        servers=read_servers(),
        sites=Sites.of(water, site_factors(facts)),
        simulation=simulation,
        model=read_serving(serving),
    )
