"""What a what-if rests on, read for the stages."""

from pipeline.core.draws import Simulation
from pipeline.energy.model.study import read_lengths, read_servers, read_serving
from pipeline.published.model.settings import Base
from pipeline.serving.model.settings import Serving
from pipeline.water.model.sites import Sites
from pipeline.what_if.model.answer import Inputs
from pipeline.what_if.model.settings import LEVERS


def read_inputs(sites: Sites, published: Base, simulation: Simulation, serving: Serving) -> Inputs:
    """Sites as given, published multipliers, lengths, servers and the serving model."""
    return Inputs(
        levers={name: getattr(published, f"lever_{name}") for name in LEVERS},
        traffic=read_lengths(),
        servers=read_servers(),
        sites=sites,
        simulation=simulation,
        model=read_serving(serving, simulation),
    )
