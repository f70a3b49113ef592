"""Energy of queries on one deployment, at three boundaries.

    gpu       accelerators while they serve           gpu_w * seconds
    node      wall power of the servers that serve    node_w(gpu_w) * seconds
    facility  also idle servers, and cooling          PUE * (node_w + idle servers * idle_w) * seconds

in Wh after division by 3600; seconds = a I + b O + k O (I + O/2) at the requests in flight that the load
leaves.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pipeline.assumptions.deployments import Deployment
from pipeline.estimate.cost_curves import EngineCurves, Terms
from pipeline.estimate.load import part_load
from pipeline.estimate.worlds import Moments, Worlds
from pipeline.fit.node_power import ServerFit
from pipeline.units import SECONDS_PER_HOUR

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Conditions:
    """Under what queries are served, (S,) each; `throughput` and `power` are worlds of the serving model.

    Apart from sensitivity analysis both are the same world; power keeps what goes with the time of a step.
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
    def as_drawn(cls, worlds: Worlds, context_tokens: Array) -> Self:
        """Those of every world."""
        every = np.arange(len(worlds))
        return cls(
            throughput=every,
            power=every,
            node_uniforms=worlds.node_uniforms,
            context_tokens=context_tokens,
            concurrency_uniforms=worlds.concurrency_uniforms,
            utilisation=worlds.utilisation,
            idle_share=worlds.idle_share,
            pue=worlds.pue,
        )


@dataclass(frozen=True)
class Served:
    """Terms of a request's seconds and the watts charged to it at each boundary, (S,)."""

    terms: Terms
    watts: dict[str, Array]

    def energy_wh(self, boundary: str, input_tokens: Array, output_tokens: Array) -> Array:
        """Energy of queries of the given lengths, (S, n)."""
        seconds = self.terms.seconds(input_tokens, output_tokens)
        return np.asarray(self.watts[boundary][:, None] / SECONDS_PER_HOUR * seconds)

    def mean_energy_wh(self, boundary: str, moments: Moments) -> Array:
        """Mean energy over queries with the given moments, (S,)."""
        return np.asarray(self.watts[boundary] / SECONDS_PER_HOUR * self.mean_seconds(moments))

    def mean_seconds(self, moments: Moments) -> Array:
        """Mean instance-seconds over queries with the given moments, (S,); the cost is linear in them."""
        terms = self.terms
        seconds = terms.a * moments.input_tokens + terms.b * moments.output_tokens
        return np.asarray(seconds + terms.k * (moments.product + moments.output_squared / 2))


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
    """Requests that run on a serving instance at the load of each world, (S,)."""
    wanted = deployment.concurrency.distribution.ppf(at.concurrency_uniforms)
    configured = curve.configured(wanted, at.context_tokens, at.throughput)
    return part_load(at.utilisation, at.idle_share).concurrency_share * configured
