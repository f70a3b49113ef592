"""A bench on which any model on any accelerator serves the same queries in the same worlds.

Worlds, queries and load are those of the fleets (pipeline/estimate/fleet/draws.py), so that what both sides
of a comparison share cancels. `How` says what a lever changes; the default changes nothing. Energy is that of
the mean query at the facility, idle servers included:

    Wh = PUE (node_w + idle servers * idle_w) * (a (1 - cached) I + b O + k O (I + O/2)) / 3600
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.assumptions.base import Assumption
from pipeline.assumptions.deployments import Deployment
from pipeline.assumptions.levers import Levers
from pipeline.assumptions.simulation import Simulation
from pipeline.estimate.cost_curves import EngineCurves, MeanLengths, Terms
from pipeline.estimate.fleet.draws import Call, FleetDraws, own_uniforms
from pipeline.estimate.levers.evidence import Bases, PublishedEvidence
from pipeline.estimate.load import LoadState, part_load
from pipeline.estimate.sobol import stage_seed
from pipeline.estimate.worlds import Moments
from pipeline.units import SECONDS_PER_HOUR

Array = NDArray[np.float64]
STAGE = "estimate_levers"
LENGTHS = "production"
BISECTIONS = 40
Pricing = Callable[[Sequence[tuple[Deployment, Call]]], list[EngineCurves]]


@dataclass(frozen=True)
class Cap:
    """Accelerator energy divided by `gain`, time multiplied by `slowdown`."""

    gain: Array
    slowdown: Array


@dataclass(frozen=True)
class How:
    """How queries are served. Arrays (worlds,) or numbers; None: as drawn.

    requests: wanted in flight on an instance; utilisation: at least that, nodes beyond it doing other work;
    cached_share: of the input, read and not computed; output_share: of the output, what is left;
    disaggregated: prefill apart from decode.
    """

    requests: Array | float | None = None
    utilisation: Array | float | None = None
    cached_share: Array | float = 0.0
    output_share: Array | float = 1.0
    disaggregated: bool = False
    cap: Cap | None = None
    pue: Array | None = None


AS_DRAWN = How()


@dataclass(frozen=True)
class Priced:
    """A deployment on one kind of call."""

    item: Deployment
    call: Call
    curve: EngineCurves


@dataclass(frozen=True)
class Bench:
    """Draws of the fleet, uniforms of the levers by name, and a price for every deployment."""

    draws: FleetDraws
    settings: Levers
    uniforms: Mapping[str, Array]
    pricing: Pricing
    bases: Bases
    published: PublishedEvidence

    @property
    def replicates(self) -> int:
        """Independent replicates among the worlds."""
        return self.draws.worlds.replicates

    @property
    def every(self) -> NDArray[np.int64]:
        """Indices of the worlds."""
        return np.arange(len(self.draws.worlds))

    def call(self, regime: str) -> Call:
        """Queries of production lengths."""
        return self.draws.calls[LENGTHS, regime]

    def value(self, name: str, assumption: Assumption) -> Array:
        """An assumption of the levers in every world; `name` is its place among the uniforms."""
        return np.asarray(assumption.distribution.ppf(self.uniforms[name]))

    def share(self, name: str, assumption: Assumption) -> Array:
        """The same, within 0 and 1."""
        return np.clip(self.value(name, assumption), 0.0, 1.0)

    def price(self, items: Sequence[Deployment], call: Call) -> dict[Deployment, Priced]:
        """Deployments on one kind of call, priced together: world j is the same in all of them."""
        unique = list(dict.fromkeys(items))
        self.bases(unique)  # remembers them: asked for one by one they would take longer
        curves = self.pricing([(item, call) for item in unique])
        return {item: Priced(item, call, curve) for item, curve in zip(unique, curves, strict=True)}

    def load(self, how: How) -> LoadState:
        """Serving and idle nodes; a given utilisation raises the drawn one and never lowers it."""
        worlds = self.draws.worlds
        if how.utilisation is None:
            return part_load(worlds.utilisation, worlds.idle_share)
        return part_load(np.maximum(how.utilisation, worlds.utilisation), worlds.idle_share)

    def running(self, priced: Priced, how: How) -> Array:
        """Requests in flight on a serving instance."""
        wanted = self.wanted(priced.item) if how.requests is None else np.full(len(self.every), how.requests)
        held = priced.curve.configured(wanted, self._context(priced.call, how), self.every)
        return np.asarray(self.load(how).concurrency_share * held)

    def wanted(self, item: Deployment) -> Array:
        """Requests in flight for which an instance is configured."""
        return np.asarray(item.concurrency.distribution.ppf(self.draws.worlds.concurrency_uniforms))

    def energy_wh(self, priced: Priced, how: How = AS_DRAWN) -> Array:
        """Facility energy of the mean query, Wh, (worlds,)."""
        running = self.running(priced, how)
        parts = (
            self.disaggregated(priced, how, running)
            if how.disaggregated
            else [(priced.curve.at(running, self.every), 1.0, 1.0)]
        )
        moments = changed(priced.call.moments, how)
        watt_seconds = np.zeros(len(self.every))
        for terms, prefill, decode in parts:
            seconds = prefill * terms.a * moments.input_tokens + decode * (
                terms.b * moments.output_tokens + terms.k * (moments.product + moments.output_squared / 2)
            )
            watt_seconds += self.watts(priced, terms.gpu_w, how) * seconds * slowdown(how)
        pue = self.draws.worlds.pue if how.pue is None else how.pue
        return np.asarray(pue * watt_seconds / SECONDS_PER_HOUR)

    def mean_wh(
        self, priced: Mapping[Deployment, Priced], items: Sequence[Deployment], how: How = AS_DRAWN
    ) -> Array:
        """Energy of queries that go to several deployments in equal parts, Wh, (worlds,)."""
        return np.asarray(np.mean([self.energy_wh(priced[item], how) for item in items], axis=0))

    def watts(self, priced: Priced, gpu_w: Array, how: How) -> Array:
        """Wall power of a serving instance with its share of idle ones, W, (worlds,)."""
        if how.cap is not None:
            gpu_w = gpu_w / (how.cap.gain * how.cap.slowdown)
        server, uniforms = self.draws.server(priced.item), self.draws.worlds.node_uniforms
        gpus = np.array(priced.item.gpus)
        node_w, idle_w = server.node_w(gpu_w, gpus, uniforms), server.idle_w(gpus, uniforms)
        return self.load(how).watts_per_serving_node(node_w, idle_w)

    def disaggregated(self, priced: Priced, how: How, running: Array) -> list[tuple[Terms, float, float]]:
        """Prefill on nodes of its own, decode at the batch that takes as long a step as both did together.

        Requests in flight grow until the step that no longer holds prompts is as long as before, or the cache
        is full; prompts are computed at the power and speed of the mixed step.
        """
        mixed = priced.curve.at(running, self.every)
        context = self._context(priced.call, how)
        moments = changed(priced.call.moments, how)
        allowed = running * (
            mixed.b + mixed.k * context + mixed.a * moments.input_tokens / moments.output_tokens
        )
        low = running
        full = priced.curve.configured(np.full(len(running), np.inf), context, self.every)
        high = np.maximum(self.load(how).concurrency_share * full, running)
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            terms = priced.curve.at(middle, self.every)
            fits = middle * (terms.b + terms.k * context) <= allowed
            low, high = np.where(fits, middle, low), np.where(fits, high, middle)
        return [(mixed, 1.0, 0.0), (priced.curve.at(low, self.every), 0.0, 1.0)]

    def _context(self, call: Call, how: How) -> Array:
        """Mean context of a running request; what is cached is attended to as well."""
        return changed(call.moments, replace(how, cached_share=0.0)).context_tokens


def call_of(input_tokens: Array, output_tokens: Array, mean: MeanLengths) -> Call:
    """Queries of one input and one mean output a world, (worlds,); priced at `mean`, with its spread."""
    squared = output_tokens**2 * (1 + mean.output_cv**2)
    moments = Moments(input_tokens, output_tokens, input_tokens * output_tokens, squared)
    return Call(moments, moments.context_tokens, mean)


def changed(moments: Moments, how: How) -> Moments:
    """Moments of the queries with part of the input cached and part of the output left out."""
    kept = np.asarray(how.output_share)
    return Moments(
        moments.input_tokens * (1 - np.asarray(how.cached_share)),
        moments.output_tokens * kept,
        moments.product * kept,
        moments.output_squared * kept**2,
    )


def slowdown(how: How) -> Array | float:
    """Time of a step over that without a cap."""
    return 1.0 if how.cap is None else how.cap.slowdown


def lever_uniforms(draws: FleetDraws, simulation: Simulation, names: Sequence[str]) -> dict[str, Array]:
    """Sobol points beside those of the worlds, by name, (worlds,) each."""
    seed = stage_seed(simulation, STAGE)
    return dict(zip(names, own_uniforms(seed, draws.propagation, len(names)), strict=True))
