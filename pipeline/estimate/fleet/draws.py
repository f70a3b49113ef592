"""What a fleet rests on, drawn once: worlds as in the re-estimate, model calls of three kinds, their cost.

A call is what a deployment answers: one short or long query, or one of the calls by which an agent answers a
task. Of an agent's context only what the cache does not hold is computed again, all of it is attended to:

    instance-seconds = a (1 - cached) I + b O + k O (I + O/2).
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from pipeline.assumptions.base import Fraction
from pipeline.assumptions.deployments import Deployment, Deployments, Propagation
from pipeline.assumptions.fleet import Agents, Fleet
from pipeline.assumptions.re_estimate import ReEstimate
from pipeline.assumptions.simulation import Simulation
from pipeline.estimate.cost_curves import EngineCurves, MeanLengths
from pipeline.estimate.lengths import Traffic
from pipeline.estimate.query_energy import Conditions
from pipeline.estimate.sobol import points, stage_seed
from pipeline.estimate.study import ServingModel, draw_cases, engine_curves
from pipeline.estimate.worlds import Moments, Worlds, draw_worlds
from pipeline.fit.node_power import ServerFit, server_of

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
STAGE = "estimate_fleet"
AGENTIC = "agentic"
AGENT_TERMS = 4  # calls a task, input, output, share in the cache
TIERS = ("large", "middle", "small")


@dataclass(frozen=True)
class Call:
    """One kind of model call: moments and mean context in every world, and the lengths it is priced at."""

    moments: Moments
    context_tokens: Array
    mean_lengths: MeanLengths

    def take(self, index: Indices) -> "Call":
        """The same in the given worlds."""
        return Call(self.moments.take(index), self.context_tokens[index], self.mean_lengths)


@dataclass(frozen=True)
class FleetDraws:
    """Worlds, calls by (lengths, kind), calls a task, and cost curves by (model, lengths, kind)."""

    worlds: Worlds
    propagation: Propagation
    tiers: dict[str, list[Deployment]]
    calls: dict[tuple[str, str], Call]
    calls_per_task: Array
    site_uniforms: Array
    gain_uniforms: Array
    water_uniforms: Array  # (2, worlds): factors of water on site and of electricity
    curves: dict[tuple[str, str, str], EngineCurves]
    servers: dict[str, ServerFit]
    shares_seed: np.random.SeedSequence

    def server(self, deployment: Deployment) -> ServerFit:
        """The server type that holds a deployment's accelerators."""
        return self.servers[server_of(deployment.gpu)]


@dataclass(frozen=True)
class Picks:
    """Worlds, (S,), from which each group of assumptions takes its values."""

    length: Indices
    throughput: Indices
    power: Indices
    load: Indices
    site: Indices
    calls: Indices  # of an agent's task
    context: Indices  # of its calls: input, output, share in the cache
    gain: Indices

    @classmethod
    def as_drawn(cls, worlds: Worlds) -> "Picks":
        """Every world as it is."""
        every = np.arange(len(worlds))
        return cls(*(every for _ in fields(cls)))

    def conditions(self, worlds: Worlds, context_tokens: Array) -> Conditions:
        """Conditions at PUE 1: what a site adds is put on top."""
        return Conditions(
            throughput=self.throughput,
            power=self.power,
            node_uniforms=worlds.node_uniforms[self.power],
            context_tokens=context_tokens,
            concurrency_uniforms=worlds.concurrency_uniforms[self.load],
            utilisation=worlds.utilisation[self.load],
            idle_share=worlds.idle_share[self.load],
            pue=np.ones(len(self.load)),
        )


def draw_fleet(
    settings: Fleet,
    re_estimate: ReEstimate,
    traffic: dict[str, Traffic],
    servers: dict[str, ServerFit],
    simulation: Simulation,
    model: ServingModel,
) -> FleetDraws:
    """Draw all worlds and calls, and price every deployment on every kind of call."""
    seeds = stage_seed(simulation, STAGE).spawn(6)
    world_seed, query_seed, model_seed, shares_seed, agent_seed, water_seed = seeds
    propagation = settings.propagation
    worlds = draw_worlds(world_seed, propagation, re_estimate.load, re_estimate.pue)
    calls = {
        (case.scenario, str(case.regime)): Call(case.moments, case.moments.context_tokens, case.mean_lengths)
        for case in draw_cases(re_estimate.lengths, traffic, propagation, worlds, query_seed)
    }
    *agent, site, gain = own_uniforms(agent_seed, propagation, AGENT_TERMS + 2)
    spread = re_estimate.serving.output_cv.distribution.median()
    of_agents = agent_call(settings.agents, agent[1:], spread)
    calls |= {(lengths, AGENTIC): of_agents for lengths in sorted({lengths for lengths, _ in calls})}
    tiers = {"large": members(re_estimate.deployments), "middle": settings.middle, "small": settings.small}
    curves = price(calls, [item for tier in tiers.values() for item in tier], worlds, model, model_seed,
                   re_estimate.deployments.tensorrt_share)  # fmt: skip
    tasks = settings.agents.calls_per_task.distribution.ppf(agent[0])
    water = own_uniforms(water_seed, propagation, 2)
    return FleetDraws(
        worlds, propagation, tiers, calls, tasks, site, gain, water, curves, servers, shares_seed
    )


def members(deployments: Deployments) -> list[Deployment]:
    """The deployments of the blend."""
    return [item for item in deployments.models if item.model in deployments.blend]


def own_uniforms(seed: np.random.SeedSequence, propagation: Propagation, terms: int) -> Array:
    """Sobol points beside those of the worlds, (terms, worlds)."""
    size = Simulation(seed=0, replicates=propagation.replicates, draws_per_replicate=propagation.outer)
    return points(seed, size, terms).reshape(terms, -1)


def agent_call(agents: Agents, uniforms: Sequence[Array], output_cv: float) -> Call:
    """A call by an agent; uniforms of input, output and share in the cache, (worlds,) each."""
    sides = (agents.input_tokens, agents.output_tokens, agents.cached_share)
    context, output, cached = (
        side.distribution.ppf(uniform) for side, uniform in zip(sides, uniforms, strict=True)
    )
    moments = Moments((1 - cached) * context, output, context * output, output**2 * (1 + output_cv**2))
    middle = MeanLengths(
        agents.input_tokens.distribution.median(), agents.output_tokens.distribution.median(), output_cv
    )
    return Call(moments, context + output * (1 + output_cv**2) / 2, middle)


def price(
    calls: dict[tuple[str, str], Call],
    deployments: list[Deployment],
    worlds: Worlds,
    model: ServingModel,
    seed: np.random.SeedSequence,
    tensorrt_share: Fraction,
) -> dict[tuple[str, str, str], EngineCurves]:
    """Cost curves of every deployment at the mean lengths of every kind of call."""
    keys = [(item.model, *call) for call in calls for item in deployments]
    lengths_of = [(item, call.mean_lengths) for call in calls.values() for item in deployments]
    found = engine_curves(lengths_of, model, seed, worlds, tensorrt_share)
    return dict(zip(keys, found, strict=True))
