"""How many draws, from which seed."""

from typing import Annotated

from pydantic import AfterValidator, Field

from pipeline.assumptions.base import Section


def _power_of_two(count: int) -> int:
    if count & (count - 1):
        raise ValueError(f"{count} is not a power of two, which Sobol points need")
    return count


PowerOfTwo = Annotated[int, Field(gt=0, strict=True), AfterValidator(_power_of_two)]


class Simulation(Section):
    """Replicates of scrambled Sobol points: their spread is the Monte Carlo error of every summary."""

    seed: Annotated[int, Field(ge=0, strict=True)]
    replicates: Annotated[int, Field(ge=4, strict=True)]
    draws_per_replicate: PowerOfTwo
