"""Factors of stated deployments: model class, accelerator, precision, and a band of requests in flight.

In each world (what is not known, as in the re-estimate: serving model, engine, server power, load, site,
levels of length), with requests in flight drawn in the band and cut at what the cache holds.
"""

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.assumptions.base import Assumption
from pipeline.assumptions.deployments import Deployment
from pipeline.assumptions.factors import BatchBand, Factors, Instance, ModelClass
from pipeline.distributions import Constant
from pipeline.estimate.cost_curves import EngineCurves
from pipeline.estimate.factors.evidence import Evidence
from pipeline.estimate.factors.pricing import Naming, Pricing, workload
from pipeline.estimate.factors.values import Place, energies, rows
from pipeline.estimate.load import part_load
from pipeline.estimate.query_energy import Served
from pipeline.estimate.study import Case
from pipeline.estimate.worlds import Worlds
from pipeline.fit.node_power import ServerFit

Array = NDArray[np.float64]
Precision = Literal["fp4", "fp8", "bf16"]
MOST = 0.5  # of the worlds have to reach a band, or it is left out


def stated_rows(
    factors: Factors, pricing: Pricing, in_band: Array, at: list[Place], naming: Naming
) -> Iterator[dict[str, Any]]:
    """Rows of every class, instance, precision, workload and band; in_band: uniforms, (worlds,)."""
    references = [
        (item.name, deployment(item, instance, precision))
        for item in factors.classes
        for instance in item.instances
        for precision in instance.precisions
    ]
    deployments = [one for _, one in references]
    curves = iter(pricing.curves(deployments))
    bases = pricing.bases(deployments)
    for case in pricing.cases:
        for (name, one), basis in zip(references, bases, strict=True):
            about = {"load": "as stated", "model_class": name, **naming.describe(one), **workload(case)}
            curve = next(curves)
            for band in factors.batch_bands:
                if reached(curve, band, case.moments.context_tokens):
                    for row in band_rows(
                        one, basis, curve, case, pricing, band, in_band, at, naming.evidence
                    ):
                        yield {**about, **row}


def band_rows(
    one: Deployment,
    basis: str,
    curve: EngineCurves,
    case: Case,
    pricing: Pricing,
    band: BatchBand,
    in_band: Array,
    at: list[Place],
    evidence: Evidence,
) -> Iterator[dict[str, Any]]:
    """Rows of one deployment and workload in one band; evidence goes by what runs there in any world."""
    wanted = band.low * (band.high / band.low) ** in_band
    running = curve.configured(wanted, case.moments.context_tokens, np.arange(len(wanted)))
    served = serve(curve, pricing.server(one), one, running, pricing.worlds)
    ends = (float(running.min()), float(running.max()))
    rests = evidence.of(one, basis, ends, case.mean_lengths.output_tokens)
    flight = {"requests_in_flight": band.name, "requests_low": band.low, "requests_high": band.high}
    for row in rows(energies(served, case.moments), pricing.worlds, at):
        yield {**flight, **row, **rests.at(row["boundary"], row["per"])}


def deployment(item: ModelClass, instance: Instance, precision: Precision) -> Deployment:
    """The reference model on one instance, as the cost curves take it; the band gives its concurrency."""
    unused = Assumption(
        distribution=Constant(family="constant", value=1), unit="requests", source="-", reason="-"
    )
    return Deployment(
        model=item.model,
        total_params_b=item.total_params_b,
        active_params_b=item.active_params_b,
        gpu=instance.gpu,
        gpus=instance.gpus,
        precision=precision,
        source="-",
        reason=item.reason,
        concurrency=unused,
    )


def serve(curve: EngineCurves, server: ServerFit, one: Deployment, running: Array, worlds: Worlds) -> Served:
    """What requests cost with `running` in flight in every world, at PUE 1."""
    terms = curve.at(running, np.arange(len(worlds)))
    gpus = np.array(one.gpus)
    node_w = server.node_w(terms.gpu_w, gpus, worlds.node_uniforms)
    state = part_load(worlds.utilisation, worlds.idle_share)
    with_idle_w = state.watts_per_serving_node(node_w, server.idle_w(gpus, worlds.node_uniforms))
    return Served(terms, {"gpu": terms.gpu_w, "node": node_w, "facility": with_idle_w})


def reached(curve: EngineCurves, band: BatchBand, context_tokens: Array) -> bool:
    """Whether the cache holds more than the least of the band in most worlds."""
    every = np.arange(len(context_tokens))
    most = curve.configured(np.full(len(every), band.high), context_tokens, every)
    return bool(np.mean(most > band.low) >= MOST)
