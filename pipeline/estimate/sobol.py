"""Scrambled Sobol points, in independent replicates, from a seed that belongs to a stage and a stream.

A set fills its own cube evenly and says nothing of another set: two scrambles of the same points, taken point
by point, are not independent (a column of one can have nearly the order of a column of the other, r = 0.95),
because a scramble moves intervals about and keeps which points lie in one together. So every set visits its
points in a random order of its own, and sets that are used side by side are paired at random.
"""

import zlib

import numpy as np
from numpy.typing import NDArray

from pipeline.assumptions.simulation import Simulation

Array = NDArray[np.float64]
# scipy's points are multiples of 2^-30 and may be 0; the middle of the cell never is 0 or 1.
HALF_CELL = 2.0**-31


def stage_seed(simulation: Simulation, stage: str) -> np.random.SeedSequence:
    """The seed of a stage: the common seed, and the stage's name through its CRC-32."""
    return np.random.SeedSequence([simulation.seed, zlib.crc32(stage.encode())])


def generator(seed: np.random.SeedSequence) -> np.random.Generator:
    """A generator of the seed as on its first use.

    SciPy's engines spawn from the sequence that they are given, which then gives the next one other points.
    """
    return np.random.default_rng(np.random.SeedSequence(seed.entropy, spawn_key=seed.spawn_key))


def points(seed: np.random.SeedSequence, simulation: Simulation, dimensions: int) -> Array:
    """Points in the open unit cube, (dimensions, replicates, draws).

    Each replicate has its own scramble, in an order of its own that all its dimensions share.
    """
    from scipy.stats import qmc  # half a second, which the stages that only take a seed need not spend

    count = simulation.draws_per_replicate
    found = np.empty((dimensions, simulation.replicates, count))
    for replicate, child in enumerate(seed.spawn(simulation.replicates)):
        rng = np.random.default_rng(child)
        balanced = qmc.Sobol(dimensions, rng=rng).random(count)
        found[:, replicate] = balanced[rng.permutation(count)].T
    found += HALF_CELL
    return found
