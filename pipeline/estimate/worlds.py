"""Nested draws: worlds (what we do not know) and, in each, queries (how they vary).

A world fixes one value of everything that all queries of a service share: the serving model's parameters and
residuals, the engine, server power, PUE, how large batches are run, utilisation, how a shortfall shows, and
how long requests are on average. All deployments live in the same world. Worlds are scrambled Sobol points in
independent replicates; the queries of a world are one scrambled Sobol set per replicate, rotated by a random
shift in each world, so that every world has its own.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.stats import qmc

from pipeline.assumptions.base import Assumption
from pipeline.assumptions.deployments import Propagation
from pipeline.assumptions.re_estimate import Load
from pipeline.assumptions.simulation import Simulation
from pipeline.estimate.lengths import IGNORANCE, VARIABILITY, LengthScenario
from pipeline.estimate.sobol import generator, points, stage_seed

Array = NDArray[np.float64]
STAGE = "estimate_re_estimated"
NODE_TERMS = 4  # uniforms of pipeline.fit.node_power
SCALARS = ("utilisation", "idle_share", "pue")
DIMENSIONS = IGNORANCE + NODE_TERMS + 2 + len(SCALARS)
EDGE = 2.0**-53  # quantile functions need uniforms inside (0, 1)


@dataclass(frozen=True)
class Worlds:
    """Values of the shared quantities, (worlds,); uniforms where the quantity's own module turns them.

    Worlds of one replicate stand together: reshape to (replicates, outer).
    """

    replicates: int
    length_uniforms: Array  # (worlds, 3)
    node_uniforms: Array  # (worlds, 4)
    concurrency_uniforms: Array  # one for all deployments: how large batches are run
    engine_uniforms: Array
    utilisation: Array
    idle_share: Array
    pue: Array

    def __len__(self) -> int:
        return len(self.pue)


@dataclass(frozen=True)
class Queries:
    """Whole tokens of the queries of each world, (worlds, inner)."""

    input_tokens: Array
    output_tokens: Array

    @property
    def moments(self) -> "Moments":
        """Means over the queries of each world."""
        return Moments.of(self.input_tokens, self.output_tokens)


@dataclass(frozen=True)
class Moments:
    """Means over queries, (worlds,): what the mean energy of a query and the context depend on."""

    input_tokens: Array
    output_tokens: Array
    product: Array  # input times output
    output_squared: Array

    @classmethod
    def of(cls, input_tokens: Array, output_tokens: Array) -> Self:
        """From lengths (worlds, queries)."""
        sides = (input_tokens, output_tokens, input_tokens * output_tokens, output_tokens**2)
        return cls(*(side.mean(axis=1) for side in sides))

    @property
    def context_tokens(self) -> Array:
        """Mean context of a running request; long outputs are met more often, since they stay longer."""
        return self.input_tokens + self.output_squared / (2 * self.output_tokens)

    @property
    def output_cv(self) -> Array:
        """Coefficient of variation of the output."""
        return np.sqrt(np.maximum(self.output_squared / self.output_tokens**2 - 1, 0.0))

    def take(self, index: NDArray[np.int64]) -> "Moments":
        """The moments of the given worlds."""
        return Moments(
            self.input_tokens[index],
            self.output_tokens[index],
            self.product[index],
            self.output_squared[index],
        )


def seeds(simulation: Simulation) -> list[np.random.SeedSequence]:
    """Independent seeds for: worlds, queries, the serving model, variance shares, the published recipe."""
    return stage_seed(simulation, STAGE).spawn(5)


def draw_worlds(
    seed: np.random.SeedSequence, propagation: Propagation, load: Load, pue: Assumption
) -> Worlds:
    """All worlds, from Sobol points with the distributions of the assumptions."""
    size = Simulation(seed=0, replicates=propagation.replicates, draws_per_replicate=propagation.outer)
    uniforms = points(seed, size, DIMENSIONS).reshape(DIMENSIONS, -1)
    lengths, node, (concurrency, engine, *scalars) = np.split(uniforms, [IGNORANCE, IGNORANCE + NODE_TERMS])
    given = (load.utilisation, load.idle_share, pue)
    values = {
        name: assumption.distribution.ppf(uniform)
        for name, assumption, uniform in zip(SCALARS, given, scalars, strict=True)
    }
    return Worlds(propagation.replicates, lengths.T, node.T, concurrency, engine, **values)


def draw_queries(
    seed: np.random.SeedSequence, propagation: Propagation, scenario: LengthScenario, worlds: Worlds
) -> Queries:
    """The queries of every world under one scenario of lengths and one regime."""
    parts = []
    by_replicate = worlds.length_uniforms.reshape(worlds.replicates, -1, 1, IGNORANCE)
    rng = generator(seed)
    for ignorance in by_replicate:
        base = qmc.Sobol(VARIABILITY, rng=rng).random(propagation.inner)
        shifts = rng.random((len(ignorance), 1, VARIABILITY))
        uniforms = np.clip((base + shifts) % 1.0, EDGE, 1 - EDGE)
        parts.append(scenario.sample(uniforms, ignorance))
    return Queries(*(np.concatenate(side) for side in zip(*parts, strict=True)))


def median_moments(
    seed: np.random.SeedSequence, propagation: Propagation, scenario: LengthScenario
) -> Moments:
    """Moments, each (1,), of a service of median levels: at which deployments are priced."""
    queries = qmc.Sobol(VARIABILITY, rng=generator(seed)).random(64 * propagation.inner)
    middle = np.full((1, 1, IGNORANCE), 0.5)
    return Moments.of(*scenario.sample(np.clip(queries, EDGE, 1 - EDGE)[None], middle))
