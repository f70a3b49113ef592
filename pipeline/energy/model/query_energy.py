"""Energy of queries on one deployment, at three boundaries.

    gpu       accelerators while they serve           gpu_w * seconds
    node      wall power of the servers that serve    node_w(gpu_w) * seconds
    facility  also idle servers, and cooling          PUE * (node_w + idle servers * idle_w) * seconds

in Wh after division by 3600; seconds = a (1 - c) I + b O + k O (I + O/2) at the requests in flight that the
load leaves; c is the share of the input that is read from a cache.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from pipeline.core.units import SECONDS_PER_HOUR, Array, Indices
from pipeline.energy.model.cost_curves import EngineCurves, Terms
from pipeline.energy.model.load import part_load
from pipeline.energy.model.samples import Moments, Queries, Samples
from pipeline.servers.model.power import ServerFit
from pipeline.serving.model.deployments import Deployment


@dataclass(frozen=True)
class Conditions:
    """Under what queries are served, (S,) each; `throughput` and `power` are samples of the serving model.

    Apart from sensitivity analysis both are the same sample; power keeps what goes with the time of a step.
    """

    throughput: Indices
    power: Indices
    node_uniforms: Array  # (S, 4)
    context_tokens: Array
    concurrency_uniforms: Array
    utilisation: Array
    idle_share: Array
    pue: Array

    @classmethod
    def as_drawn(cls, samples: Samples, context_tokens: Array) -> Self:
        """Those of every sample."""
        every = np.arange(len(samples))
        return cls(
            throughput=every,
            power=every,
            node_uniforms=samples.node_uniforms,
            context_tokens=context_tokens,
            concurrency_uniforms=samples.concurrency_uniforms,
            utilisation=samples.utilisation,
            idle_share=samples.idle_share,
            pue=samples.pue,
        )


@dataclass(frozen=True)
class Served:
    """Terms of a request's seconds and the watts charged to it at each boundary, (S,)."""

    terms: Terms
    watts: dict[str, Array]

    @classmethod
    def together(cls, parts: Sequence[tuple[Indices, Self]], size: int) -> Self:
        """One of `size` samples from its parts, each with the samples, (S,), that it is of."""
        terms = np.empty((len(fields(Terms)), size))
        watts = {name: np.empty(size) for name in parts[0][1].watts}
        for own, part in parts:
            terms[:, own] = [getattr(part.terms, one.name) for one in fields(Terms)]
            for name, values in watts.items():
                values[own] = part.watts[name]
        return cls(Terms(*terms), watts)

    def queries_wh(self, boundary: str, queries: Queries) -> Array:
        """Energy of the queries of each sample, (S, n)."""
        if queries.call:
            one_call = self.mean_energy_wh(boundary, queries.call)[:, None]
        else:
            lengths = queries.input_tokens, queries.output_tokens
            one_call = self.energy_wh(boundary, *lengths, queries.cached_share)
        return np.asarray(one_call * queries.calls)

    def energy_wh(
        self, boundary: str, input_tokens: Array, output_tokens: Array, cached_share: Array | float = 0.0
    ) -> Array:
        """Energy of queries of the given lengths, (S, n), and cached shares, (S,)."""
        seconds = self.terms.seconds(input_tokens, output_tokens, cached_share)
        return np.asarray(self.watts[boundary][:, None] / SECONDS_PER_HOUR * seconds)

    def mean_energy_wh(self, boundary: str, moments: Moments) -> Array:
        """Mean energy over queries with the given moments, (S,)."""
        return np.asarray(self.watts[boundary] / SECONDS_PER_HOUR * self.mean_seconds(moments))

    def mean_seconds(self, moments: Moments) -> Array:
        """Mean instance-seconds over queries with the given moments, (S,); the cost is linear in them."""
        terms = self.terms
        prompt = terms.of_input(moments.cached_share) * moments.input_tokens
        seconds = (
            prompt
            + terms.b * moments.output_tokens
            + terms.k * (moments.product + moments.output_squared / 2)
        )
        return np.asarray(seconds * moments.calls)


def serve(curve: EngineCurves, server: ServerFit, deployment: Deployment, at: Conditions) -> Served:
    """What a request costs on one deployment under the given conditions."""
    state = part_load(at.utilisation, at.idle_share)
    terms = curve.at(requests_in_flight(curve, deployment, at), at.throughput)
    gpu_w = terms.gpu_w * np.exp(curve.power_shift(at.throughput, at.power))
    gpus = np.array(deployment.gpus)
    node_w, idle_w = server.node_w(gpu_w, gpus, at.node_uniforms), server.idle_w(gpus, at.node_uniforms)
    facility_w = at.pue * state.watts_per_serving_node(node_w, idle_w)
    return Served(terms, {"gpu": gpu_w, "node": node_w, "facility": facility_w})


def requests_in_flight(curve: EngineCurves, deployment: Deployment, at: Conditions) -> Array:
    """Requests that run on a serving instance at the load of each sample, (S,)."""
    wanted = deployment.concurrency.distribution.ppf(at.concurrency_uniforms)
    configured = curve.configured(wanted, at.context_tokens, at.throughput)
    return part_load(at.utilisation, at.idle_share).concurrency_share * configured
