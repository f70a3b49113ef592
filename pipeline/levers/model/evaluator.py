"""Energy of a mean query on any model and accelerator, for the same queries in the same epistemic samples.

Samples, queries and load are those of the fleets (pipeline/fleet/model/draws.py), so that what both sides of
a comparison share cancels. `Options` says what a lever changes. Energy is that of the mean query at the
facility, idle servers included, or of its accelerators alone:

    Wh = PUE (node_w + idle servers * idle_w) * ((a (1 - c) + d c) I + b O + k O (I + O/2)) / 3600

c of the input is cached. Every accelerator stands in one and the same host, that of the service as it is:
what is believed of hosts of newer ones is no gain of the accelerators. Nothing is added to a chip whose rated
power has its host in it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any, Self

import numpy as np

from pipeline.core.assumption import Assumption, Pue
from pipeline.core.units import SECONDS_PER_HOUR, Array, Indices
from pipeline.energy.model.cost_curves import EngineCurves, MeanLengths
from pipeline.energy.model.load import LoadState, part_load
from pipeline.energy.model.samples import STEP, Moments
from pipeline.energy.model.study import ServingModel, engine_curves
from pipeline.fleet.model.draws import AGENTIC, Call, FleetDraws, pue_of_kinds
from pipeline.levers.model.rows import Bases, PublishedEvidence, bases_of
from pipeline.levers.model.settings import Drafts, Lever, Levers, Options
from pipeline.serving.model.deployments import Deployment

LENGTHS = "production"
AS_DRAWN = Options()
FULL = 1.0  # utilisation at which requests in flight are what was asked for
Facts = Mapping[str, Mapping[str, Any]]  # rows of HARDWARE by accelerator
Curves = Callable[[Sequence[tuple[Deployment, Call]]], list[EngineCurves]]


@dataclass(frozen=True)
class Evaluated:
    """A deployment on one kind of call, with its cost over requests in flight."""

    item: Deployment
    call: Call
    curve: EngineCurves


@dataclass(frozen=True)
class Evaluator:
    """What every lever is evaluated with.

    Attributes
    ----------
    draws : epistemic samples of the fleets, and their calls.
    sites : PUE, (samples,), by kind of site, which a setting may name.
    curves : cost curves of deployments, in every call with the same samples.
    bases : what the fitted model's prediction of each deployment rests on.
    published : what settings rest on.
    facts : rows of HARDWARE by accelerator.
    """

    draws: FleetDraws
    settings: Levers
    sites: Mapping[str, Array]
    curves: Curves
    bases: Bases
    published: PublishedEvidence
    facts: Facts
    _drawn: dict[str, Array] = field(default_factory=dict, init=False, repr=False)

    @classmethod
    def of(
        cls,
        settings: Levers,
        sites: Mapping[str, Pue],
        tensorrt_share: Assumption,
        draws: FleetDraws,
        model: ServingModel,
        published: PublishedEvidence,
        facts: Facts,
    ) -> Self:
        """With the fitted model of serving; sites: the kinds of site of the fleets."""

        def curves(cases: Sequence[tuple[Deployment, Call]]) -> list[EngineCurves]:
            lengths_of = [(item, call.mean_lengths) for item, call in cases]
            return engine_curves(lengths_of, model, draws.samples, tensorrt_share)

        pue = pue_of_kinds(sites, draws.samples.design)
        return cls(
            draws,
            settings,
            pue,
            curves,
            bases_of(model, draws.calls[LENGTHS, "short"].mean_lengths),
            published,
            facts,
        )

    @property
    def replicates(self) -> int:
        """Independent replicates among the samples."""
        return self.draws.samples.replicates

    @property
    def every(self) -> Indices:
        """Indices of the samples."""
        return np.arange(len(self.draws.samples))

    @property
    def large(self) -> list[Deployment]:
        """The models of the blend."""
        return self.draws.tiers["large"]

    def call(self, regime: str) -> Call:
        """Queries of production lengths; of an agent one step."""
        return self.draws.calls[LENGTHS, AGENTIC if regime == STEP else regime]

    def able(self, items: Sequence[Deployment], regime: str) -> list[Deployment]:
        """Those that can answer the queries of a regime: an agent's contexts are longer than some hold."""
        kind = AGENTIC if regime == STEP else regime
        return [item for item in items if self.draws.able(item, kind)]

    def uniform(self, name: str) -> Array:
        """The uniforms of a quantity of the levers, (samples,)."""
        return self.draws.samples.design.uniforms(f"levers.{name}")

    def value(self, name: str) -> Array:
        """A setting in every sample, (samples,), by its place in params.yaml below `levers`."""
        if name not in self._drawn:
            setting: Any = reduce(getattr, name.split("."), self.settings)
            self._drawn[name] = self.sites[setting] if isinstance(setting, str) else self._draw(name, setting)
        return self._drawn[name]

    def _draw(self, name: str, setting: Assumption) -> Array:
        drawn = np.asarray(setting.distribution.ppf(self.uniform(name)))
        return np.clip(drawn, 0.0, 1.0) if setting.unit == "fraction" else drawn

    def applied(self, lever: Lever, options: Options = AS_DRAWN) -> Options:
        """The options with a lever."""
        return lever.apply(options, {name: self.value(f"{lever.name}.{name}") for name in lever.settings})

    def evaluate(self, items: Sequence[Deployment], call: Call) -> dict[Deployment, Evaluated]:
        """Deployments on one kind of call, evaluated together: sample j is the same in all of them."""
        unique = list(dict.fromkeys(items))
        self.bases(unique)  # remembers them: asked for one by one they would take longer
        found = self.curves([(item, call) for item in unique])
        return {item: Evaluated(item, call, curve) for item, curve in zip(unique, found, strict=True)}

    def load(self, options: Options) -> LoadState:
        """Serving and idle servers; a given utilisation raises the drawn one and never lowers it."""
        samples = self.draws.samples
        given = samples.utilisation if options.utilisation is None else options.utilisation
        return part_load(np.maximum(given, samples.utilisation), samples.idle_share)

    def running(self, one: Evaluated, options: Options) -> Array:
        """Requests in flight on a serving instance."""
        given = options.requests
        wanted = self.wanted(one.item) if given is None else np.full(len(self.every), given)
        held = one.curve.configured(wanted, context_tokens(one.call, options), self.every)
        return np.asarray(self.load(options).concurrency_share * held)

    def most(self, one: Evaluated, options: Options) -> Array:
        """Requests in flight that the cache holds."""
        return one.curve.configured(
            np.full(len(self.every), np.inf), context_tokens(one.call, options), self.every
        )

    def wanted(self, item: Deployment) -> Array:
        """Requests in flight for which an instance is configured."""
        return np.asarray(item.concurrency.distribution.ppf(self.draws.samples.concurrency_uniforms))

    def energy_wh(self, one: Evaluated, options: Options = AS_DRAWN) -> Array:
        """Facility energy of the mean query, Wh, (samples,)."""
        pue = self.draws.samples.pue if options.pue is None else options.pue
        phases = self.phases(one, options)
        watt_seconds = sum(self.watts(one.item, gpu_w, options) * seconds for gpu_w, seconds in phases)
        return np.asarray(pue * watt_seconds * options.time / SECONDS_PER_HOUR)

    def gpu_wh(self, one: Evaluated, options: Options = AS_DRAWN) -> Array:
        """Energy of the accelerators while they serve the mean query, Wh, (samples,)."""
        watt_seconds = sum(
            gpu_w * options.gpu_power * seconds for gpu_w, seconds in self.phases(one, options)
        )
        return np.asarray(watt_seconds * options.time / SECONDS_PER_HOUR)

    def mean_wh(
        self,
        found: Mapping[Deployment, Evaluated],
        items: Sequence[Deployment],
        options: Options = AS_DRAWN,
        boundary: str = "facility",
    ) -> Array:
        """Energy of queries that go to several deployments in equal parts, Wh, (samples,)."""
        energy = self.gpu_wh if boundary == "gpu" else self.energy_wh
        return np.asarray(np.mean([energy(found[item], options) for item in items], axis=0))

    def watts(self, item: Deployment, gpu_w: Array, options: Options) -> Array:
        """Wall power of a serving instance with its share of idle ones, W, (samples,)."""
        rated_w = float(self.facts[item.gpu]["rated_w"])
        host = replace(self.draws.servers[self.settings.hardware.chips[0]], rated_w=rated_w)
        gpus, shared = np.array(item.gpus), self.draws.samples.node_uniforms
        serving_gpu_w = gpu_w * options.gpu_power
        if self.host_counted(item.gpu):
            idle_gpu_w = host.terms(shared)[2] * rated_w * gpus
            return self.load(options).watts_per_serving_node(serving_gpu_w, idle_gpu_w)
        node_w, idle_w = host.node_w(serving_gpu_w, gpus, shared), host.idle_w(gpus, shared)
        return self.load(options).watts_per_serving_node(node_w, idle_w)

    def host_counted(self, chip: str) -> bool:
        """Whether the rated power of a chip has host and network in it."""
        return bool(self.facts[chip]["boundary"] == "node")

    def phases(self, one: Evaluated, options: Options) -> list[tuple[Array, Array]]:
        """Power of the accelerators, W, and instance-seconds of the mean query, phase by phase."""
        running = self.running(one, options)
        if options.drafts is not None:
            if options.disaggregated:
                raise ValueError("drafts beside prefill apart are not modelled")
            return [self._drafted(one, options, options.drafts, running)]
        moments, mixed = changed(one.call.moments, options), one.curve.at(running, self.every)
        apart = self._decode_alone(one, options, running) if options.disaggregated else running
        decode = one.curve.at(apart, self.every)
        prefill_s = mixed.of_input(moments.cached_share) * moments.input_tokens
        decode_s = decode.b * moments.output_tokens + decode.k * attended(moments)
        if options.disaggregated:
            return [(mixed.gpu_w, prefill_s), (decode.gpu_w, decode_s)]
        return [(mixed.gpu_w, prefill_s + decode_s)]

    def _decode_alone(self, one: Evaluated, options: Options, running: Array) -> Array:
        """Requests in flight of decode on servers of its own.

        They grow until the step that no longer holds prompts is as long as before, or the cache is full;
        prompts are computed at the power and speed of the mixed step.
        """
        context = context_tokens(one.call, options)
        moments, mixed = changed(one.call.moments, options), one.curve.at(running, self.every)
        prompts = mixed.of_input(moments.cached_share) * moments.input_tokens / moments.output_tokens
        step_s = running * (mixed.b + mixed.k * context + prompts)
        most = np.maximum(self.load(options).concurrency_share * self.most(one, options), running)
        return np.clip(one.curve.within(step_s, context, running, self.every), running, most)

    def _drafted(
        self, one: Evaluated, options: Options, drafts: Drafts, running: Array
    ) -> tuple[Array, Array]:
        """Power and seconds with drafts.

        A step checks d + 1 tokens of each of B requests and yields n of them. What grows with tokens is as of
        a batch of B (d + 1), the cache is read once; the draft takes a share of a step without it. Seconds
        for an output token are (step(B (d + 1)) + draft step(B)) / (n B) + k context / n; beyond the batches
        that the cache holds, the step grows as between the last two.
        """
        moments = changed(one.call.moments, options)
        alone = one.curve.at(running, self.every)
        checked, top = running * (drafts.drafted + 1), self.most(one, options)
        top_s, half_s = (at * one.curve.at(at, self.every).b for at in (top, top / 2))
        inside = np.minimum(checked, top)
        wide = one.curve.at(inside, self.every)
        step = inside * wide.b + np.maximum(checked - inside, 0.0) * (top_s - half_s) / (top / 2)
        per_token = (step + drafts.cost * running * alone.b) / (drafts.yielded * running)
        decode_s = per_token * moments.output_tokens + alone.k * attended(moments) / drafts.yielded
        prefill_s = alone.of_input(moments.cached_share) * moments.input_tokens
        return np.maximum(wide.gpu_w, alone.gpu_w), prefill_s + decode_s


def attended(moments: Moments) -> Array:
    """Tokens attended to by the output of the mean query, squared: O (I + O/2)."""
    return moments.product + moments.output_squared / 2


def changed(moments: Moments, options: Options) -> Moments:
    """Moments of the queries with part of the input cached and part of the output left out.

    What a service caches already it has without the lever: a share given raises that one and never lowers it.
    """
    kept = np.asarray(options.output_share)
    return Moments(
        moments.input_tokens,
        moments.output_tokens * kept,
        moments.product * kept,
        moments.output_squared * kept**2,
        np.maximum(moments.cached_share, options.cached_share),
    )


def context_tokens(call: Call, options: Options) -> Array:
    """Mean context of a running request; what is cached is attended to as well."""
    return changed(call.moments, options).context_tokens


def call_of(input_tokens: Array, output_tokens: Array, mean: MeanLengths) -> Call:
    """Queries of one input and one mean output a sample, (samples,); evaluated at `mean`, with its spread."""
    squared = output_tokens**2 * (1 + mean.output_cv**2)
    moments = Moments(input_tokens, output_tokens, input_tokens * output_tokens, squared)
    return Call(moments, moments.context_tokens, mean)


def prompt(call: Call) -> Call:
    """What a router reads: the prompt; it writes one token."""
    given = call.moments.input_tokens
    one = np.ones_like(given)
    moments = Moments(given, one, given, one, call.moments.cached_share)
    return Call(moments, moments.context_tokens, call.mean_lengths)
