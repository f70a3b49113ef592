"""How many draws, from which seed."""

from typing import Annotated

from pydantic import Field

from pipeline.assumptions.base import Section

Count = Annotated[int, Field(gt=0, strict=True)]


class Simulation(Section):
    """Replicates of scrambled Sobol points: their spread is the Monte Carlo error of every summary."""

    seed: Annotated[int, Field(ge=0, strict=True)]
    replicates: Annotated[int, Field(ge=4, strict=True)]
    draws_per_replicate: Count
