"""Nested samples: what is not known of a service (epistemic), and in each sample its queries (aleatory).

An epistemic sample fixes one value of everything that all queries of a service share: the parameters and
residuals of the serving model, the engine, server power, PUE, how large batches are run, utilisation, how a
shortfall shows, and how long requests are on average. All deployments share it. Every quantity has a column
by its name (pipeline/core/draws.py), which is the same in all analyses.

A service of agents has a mean step and a mean number of steps, not known (epistemic); its steps and tasks
differ about them (aleatory). A task takes so many times the energy of the mean step of its service: what
differs between steps averages out over them.
"""

from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np
from scipy.special import ndtri

from pipeline.core.columns import Regime
from pipeline.core.draws import Design
from pipeline.core.units import Array, Indices
from pipeline.energy.model.settings import ReEstimate
from pipeline.lengths.model.scenario import LEVELS, OF_A_SERVICE, QUERY, LengthScenario
from pipeline.lengths.model.settings import AgentTraffic
from pipeline.servers.model.power import SERVER
from pipeline.serving.model.deployments import Propagation

SHARED = ("requests in flight", "engine", "utilisation", "idle share", "PUE", "cached share", "reallocates")
MIDDLE_QUERIES = 64  # times as many for a service of median levels as in a sample


def design_of(seed: int, propagation: Propagation) -> Design:
    """The nested design of an analysis; a quantity that is added to SHARED moves no other."""
    sizes = (propagation.replicates, propagation.outer, propagation.inner)
    return Design(seed, *sizes, together=(*LEVELS, *SERVER, *SHARED))


@dataclass(frozen=True)
class Samples:
    """Epistemic samples: values of the shared quantities, (n,), n = replicates * outer.

    Uniforms where the module of the quantity turns them: `length_uniforms` (n, 4), `node_uniforms` (n, 4),
    `concurrency_uniforms` (one for all deployments: how large batches are run), `engine_uniforms` and
    `fleet_uniforms` (gain of many instances over one) (n,).
    Samples of one replicate stand together: reshape to (replicates, outer).
    """

    design: Design
    length_uniforms: Array
    node_uniforms: Array
    concurrency_uniforms: Array
    engine_uniforms: Array
    fleet_uniforms: Array
    utilisation: Array
    idle_share: Array
    pue: Array
    cached_share: Array

    @classmethod
    def draw(cls, design: Design, settings: ReEstimate) -> Self:
        """All quantities by their names, with the distributions of the assumptions."""
        return cls(
            design,
            length_uniforms=np.stack([design.uniforms(name) for name in OF_A_SERVICE], axis=-1),
            node_uniforms=np.stack([design.uniforms(name) for name in SERVER], axis=-1),
            concurrency_uniforms=design.uniforms("requests in flight"),
            engine_uniforms=design.uniforms("engine"),
            fleet_uniforms=design.uniforms("fleet gain"),
            utilisation=utilisation(settings, design.uniforms("utilisation"), design.uniforms("reallocates")),
            idle_share=design.draw("idle share", settings.load.idle_share.distribution),
            pue=design.draw("PUE", settings.pue.distribution),
            cached_share=design.draw("cached share", settings.practice.cached_share.distribution),
        )

    def take(self, index: Indices) -> Self:
        """Some of the samples; the design stays that of all."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        return replace(self, **{name: item[index] for name, item in values.items() if name != "design"})

    def __len__(self) -> int:
        return len(self.pue)

    @property
    def replicates(self) -> int:
        """Independent repetitions."""
        return self.design.replicates


def utilisation(settings: ReEstimate, uniforms: Array, reallocates: Array) -> Array:
    """Mean load, (n,), of services that reallocate nodes and of those that keep them; uniforms (n,)."""
    kept = settings.load.utilisation.distribution.ppf(uniforms)
    moved = settings.practice.reallocated_utilisation.distribution.ppf(uniforms)
    return np.where(reallocates < settings.practice.reallocates.distribution.median(), moved, kept)


@dataclass(frozen=True)
class Queries:
    """Whole tokens of the queries of each sample, (n, inner)."""

    input_tokens: Array
    output_tokens: Array
    cached_share: Array | float = 0.0  # of the input of each sample, (n,)
    calls: Array | float = 1.0  # that answer each of them: an agent's task takes many, (n, inner)
    call: "Moments | None" = None  # of many calls: over those of a service, at whose mean each is priced

    def first(self, count: int) -> "Queries":
        """The first queries of each sample."""
        sides = (self.input_tokens[:, :count], self.output_tokens[:, :count])
        calls = np.broadcast_to(self.calls, self.input_tokens.shape)[:, :count]
        return Queries(*sides, self.cached_share, calls, self.call)

    @property
    def moments(self) -> "Moments":
        """Means over the queries of each sample."""
        moments = self.call or Moments.of(self.input_tokens, self.output_tokens, self.cached_share)
        return replace(moments, calls=np.broadcast_to(self.calls, self.input_tokens.shape).mean(axis=1))


@dataclass(frozen=True)
class Moments:
    """Means over queries, (n,): what the mean energy of a query and the context depend on."""

    input_tokens: Array
    output_tokens: Array
    product: Array  # input times output
    output_squared: Array
    cached_share: Array | float = 0.0  # of the input, found in the cache
    calls: Array | float = 1.0  # that answer a query, each of these lengths

    @classmethod
    def of(cls, input_tokens: Array, output_tokens: Array, cached_share: Array | float = 0.0) -> Self:
        """From lengths (n, queries), and the cached share of each sample, (n,)."""
        product, squared = input_tokens * output_tokens, output_tokens**2
        given, answer, both, wide = (
            side.mean(axis=1) for side in (input_tokens, output_tokens, product, squared)
        )
        return cls(given, answer, both, wide, cached_share)

    @property
    def context_tokens(self) -> Array:
        """Mean context of a running request; long outputs are met more often, since they stay longer."""
        return self.input_tokens + self.output_squared / (2 * self.output_tokens)

    @property
    def output_cv(self) -> Array:
        """Coefficient of variation of the output."""
        return np.sqrt(np.maximum(self.output_squared / self.output_tokens**2 - 1, 0.0))

    def take(self, index: Indices) -> "Moments":
        """The moments of the given samples."""
        return Moments(
            self.input_tokens[index],
            self.output_tokens[index],
            self.product[index],
            self.output_squared[index],
            *(
                np.broadcast_to(one, self.input_tokens.shape)[index]
                for one in (self.cached_share, self.calls)
            ),
        )


def query_uniforms(design: Design) -> Array:
    """Uniforms of the input and the output of every query, (n, inner, 2)."""
    return np.stack([design.within(name) for name in QUERY], axis=-1)


def draw_queries(scenario: LengthScenario, samples: Samples, uniforms: Array) -> Queries:
    """The queries of every sample under one scenario and regime; uniforms as query_uniforms gives them."""
    return Queries(*scenario.sample(uniforms, samples.length_uniforms[:, None]), samples.cached_share)


def median_moments(scenario: LengthScenario, samples: Samples) -> Moments:
    """Moments, each (1,), of a service of median levels: at which deployments are priced."""
    design = samples.design
    one = replace(design, replicates=1, outer=1, inner=MIDDLE_QUERIES * design.inner)
    middle = np.full((1, 1, len(OF_A_SERVICE)), 0.5)
    cached = np.median(samples.cached_share, keepdims=True)
    return Moments.of(*scenario.sample(query_uniforms(one), middle), cached)


STEP: Regime = "agent step"
TASK: Regime = "agent task"


def agent_queries(agents: AgentTraffic, samples: Samples) -> dict[Regime, Queries]:
    """Steps and tasks of the service of every sample, (n, inner) each."""
    design = samples.design
    given, answer, cached, steps = (
        design.draw(f"agent {name.replace('_', ' ')}", getattr(agents, name).distribution)
        for name in ("input_tokens", "output_tokens", "cached_share", "steps")
    )
    window = agents.window.distribution.median()
    tokens = [
        np.maximum(1.0, np.rint(np.minimum(mean[:, None] * about(agents, samples, name), window)))
        for mean, name in ((given, "input"), (answer, "output"))
    ]
    step = Queries(tokens[0], tokens[1], cached)
    means = [np.broadcast_to(side.mean(axis=1, keepdims=True), side.shape) for side in tokens]
    calls = np.maximum(1.0, steps[:, None] * about(agents, samples, "steps"))
    return {STEP: step, TASK: Queries(means[0], means[1], cached, calls, step.moments)}


def about(agents: AgentTraffic, samples: Samples, name: str) -> Array:
    """How queries of a service differ from its mean, (n, inner): log-normal, of mean 1."""
    spread = getattr(agents, f"{name}_spread").distribution.median()
    normal = ndtri(samples.design.within(f"query agent {name}"))
    return np.asarray(np.exp(spread * normal - spread**2 / 2))


def middle(agents: AgentTraffic) -> Moments:
    """Moments, each (1,), of a step of a service of median lengths: at which deployments are priced."""
    drawn = (agents.input_tokens, agents.output_tokens, agents.cached_share)
    given, answer, cached = (np.array([one.distribution.median()]) for one in drawn)
    spread = agents.output_spread.distribution.median()
    return Moments(given, answer, given * answer, answer**2 * np.exp(spread**2), cached)
