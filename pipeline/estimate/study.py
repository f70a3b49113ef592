"""Everything that the re-estimate draws, once: worlds, queries, the cost of each deployment in each world.

A case is a scenario of lengths ("published", "production") in a regime ("short", "long").
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.assumptions.base import Assumption
from pipeline.assumptions.deployments import Deployment, Deployments, Propagation
from pipeline.assumptions.re_estimate import Lengths, ReEstimate
from pipeline.assumptions.simulation import Simulation
from pipeline.contracts.results import REGIMES, Regime
from pipeline.contracts.traffic import SCENARIOS
from pipeline.estimate.cost_curves import (
    ENGINES,
    Cost,
    EngineCurves,
    Indices,
    MeanLengths,
    cost_curves,
)
from pipeline.estimate.lengths import LengthScenario, Traffic, length_scenario
from pipeline.estimate.query_energy import Conditions, Served, serve
from pipeline.estimate.worlds import (
    Moments,
    Queries,
    Worlds,
    draw_queries,
    draw_worlds,
    median_moments,
    seeds,
)
from pipeline.fit.node_power import ServerFit, server_of

Array = NDArray[np.float64]
GAIN = 1  # stream of the gains of fleets, beside that of the serving model
MOST = 0.5  # of the worlds: the engine that the median world runs


class ServingModel(Protocol):
    """The serving model as a function."""

    def __call__(
        self, rows: pd.DataFrame, rng: np.random.Generator, draws: int, kept: Indices | None = None, /
    ) -> Cost:
        """What a request costs on rows of the model, in a number of draws or those of them that are kept."""


@dataclass(frozen=True)
class Case:
    """One scenario and regime: the queries of every world; moments of every world, and of median levels."""

    scenario: str
    regime: Regime
    lengths: LengthScenario
    queries: Queries
    moments: Moments
    median_moments: Moments

    @property
    def variant(self) -> str:
        """As in the results: published_lengths, production_lengths."""
        return f"{self.scenario}_lengths"

    @property
    def mean_lengths(self) -> MeanLengths:
        """At which deployments are priced: those of a service of median levels."""
        middle = self.median_moments
        return MeanLengths(
            *(float(v[0]) for v in (middle.input_tokens, middle.output_tokens, middle.output_cv))
        )


@dataclass(frozen=True)
class Study:
    """Worlds, cases, and cost curves by deployment, scenario and regime."""

    deployments: Deployments
    propagation: Propagation
    worlds: Worlds
    cases: list[Case]
    curves: dict[tuple[str, str, Regime], EngineCurves]
    servers: dict[str, ServerFit]
    variance_seed: np.random.SeedSequence
    recipe_seed: np.random.SeedSequence

    def curve(self, deployment: Deployment, case: Case) -> EngineCurves:
        """Cost of a deployment in a case."""
        return self.curves[deployment.model, case.scenario, case.regime]

    def server(self, deployment: Deployment) -> ServerFit:
        """The server type that holds a deployment's accelerators."""
        return self.servers[server_of(deployment.gpu)]

    def conditions(self, context_tokens: Array) -> Conditions:
        """Those of every world as drawn."""
        return Conditions.as_drawn(self.worlds, context_tokens)

    def serve(self, deployment: Deployment, case: Case, at: Conditions) -> Served:
        """What a request costs on a deployment under given conditions."""
        return serve(self.curve(deployment, case), self.server(deployment), deployment, at)

    def served(self, deployment: Deployment, case: Case) -> Served:
        """What a request costs on a deployment in every world as drawn."""
        return self.serve(deployment, case, self.conditions(case.moments.context_tokens))

    def blend_mean_wh(self, case: Case, at: Conditions, moments: Moments) -> Array:
        """Mean facility energy of the blend's queries, (S,), under conditions and moments (S,)."""
        served = [self.serve(item, case, at) for item in self.members()]
        return np.asarray(np.mean([item.mean_energy_wh("facility", moments) for item in served], axis=0))

    def members(self) -> Iterator[Deployment]:
        """The deployments of the blend."""
        return (item for item in self.deployments.models if item.model in self.deployments.blend)


def draw(
    settings: ReEstimate,
    traffic: dict[str, Traffic],
    servers: dict[str, ServerFit],
    simulation: Simulation,
    model: ServingModel,
) -> Study:
    """Draw all worlds and queries, and price every deployment in every case."""
    world_seed, query_seed, model_seed, variance_seed, recipe_seed = seeds(simulation)
    propagation, deployments = settings.propagation, settings.deployments
    worlds = draw_worlds(world_seed, propagation, settings.load, settings.pue)
    cases = draw_cases(settings.lengths, traffic, propagation, worlds, query_seed)
    priced = [(item, case) for case in cases for item in deployments.models]
    lengths_of = [(item, case.mean_lengths) for item, case in priced]
    found = engine_curves(lengths_of, model, model_seed, worlds, deployments.tensorrt_share)
    keys = [(item.model, case.scenario, case.regime) for item, case in priced]
    curves = dict(zip(keys, found, strict=True))
    return Study(deployments, propagation, worlds, cases, curves, servers, variance_seed, recipe_seed)


def draw_cases(
    settings: Lengths,
    traffic: dict[str, Traffic],
    propagation: Propagation,
    worlds: Worlds,
    seed: np.random.SeedSequence,
) -> list[Case]:
    """Queries and their moments in every world, for each scenario of lengths and regime."""
    cases = []
    for scenario in SCENARIOS:
        for regime in REGIMES:
            lengths = length_scenario(settings, traffic, scenario, regime)
            # The same uniforms in every case: differences between cases are sharper than their values.
            cases.append(draw_case(scenario, regime, lengths, propagation, worlds, seed))
    return cases


def draw_case(
    scenario: str,
    regime: Regime,
    lengths: LengthScenario,
    propagation: Propagation,
    worlds: Worlds,
    seed: np.random.SeedSequence,
) -> Case:
    """Queries and their moments in every world, for one scenario of lengths and regime."""
    queries = draw_queries(seed, propagation, lengths, worlds)
    middle = median_moments(seed, propagation, lengths)
    # Lengths stated outright are the same in every world: their moments need no draws of worlds.
    traced = lengths.traffic is not None
    moments = queries.moments if traced else middle.take(np.zeros(len(worlds), dtype=np.int64))
    return Case(scenario, regime, lengths, queries, moments, middle)


def engine_curves(
    lengths_of: Sequence[tuple[Deployment, MeanLengths]],
    model: ServingModel,
    seed: np.random.SeedSequence,
    worlds: Worlds,
    tensorrt_share: Assumption,
) -> list[EngineCurves]:
    """Cost of each deployment at its mean lengths, on both engines, in every world.

    World j has the same parameters on both engines, and in every call with the same seed. Where a deployment
    has a gain of its fleet, world j has the same gain on both.
    """

    def price(rows: pd.DataFrame, engine: str) -> Cost:
        return model(rows.assign(engine=engine), np.random.default_rng(seed), len(worlds))

    found = [cost_curves(lengths_of, partial(price, engine=engine)) for engine in ENGINES]
    gains = [fleet_gain(item, seed, len(worlds)) for item, _ in lengths_of]
    found = [[curve.faster(times) for curve, times in zip(curves, gains, strict=True)] for curves in found]
    share = tensorrt_share.distribution.median()
    choice = np.r_[worlds.engine_uniforms < share, share > MOST].astype(np.int64)
    return [EngineCurves(pair, choice) for pair in zip(*found, strict=True)]


def fleet_gain(deployment: Deployment, seed: np.random.SeedSequence, worlds: int) -> Array:
    """Times faster than an instance alone that one of the operator's many is, (worlds,)."""
    if deployment.fleet_gain is None:
        return np.ones(worlds)
    rng = np.random.default_rng([int(seed.generate_state(1)[0]), GAIN])
    return deployment.fleet_gain.distribution.ppf((rng.permutation(worlds) + 0.5) / worlds)
