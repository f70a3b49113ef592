"""The factor table, over what is not known: services as they are judged to run, then stated deployments.

As in production, load, requests in flight and lengths are those of the re-estimate, sample for sample, so
that per query the factors of its models, of a service of each class, and of its blend are the re-estimate
itself. Beside them stands a model that is not known: in each sample one of all, each class as likely. A
stated deployment is a model class on an accelerator, in a precision, with requests in flight drawn in a band
and cut at what the cache holds.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from pipeline.core.assumption import Assumption, Constant
from pipeline.core.draws import Design, Simulation
from pipeline.core.units import Array, Indices
from pipeline.energy.model.cost_curves import EngineCurves, ServingModel
from pipeline.energy.model.headline import PUBLISHED_BLEND
from pipeline.energy.model.load import part_load
from pipeline.energy.model.query_energy import Conditions, Served, requests_in_flight, serve
from pipeline.energy.model.samples import Samples
from pipeline.energy.model.settings import ReEstimate
from pipeline.energy.model.study import Case, draw_samples
from pipeline.factors.model.contract import MIXED
from pipeline.factors.model.settings import BatchBand, Factors, Instance, ModelClass, Precision
from pipeline.factors.model.values import (
    Costs,
    Energies,
    Evidence,
    Naming,
    Place,
    Rests,
    energies,
    mean_of,
    one_of,
    places,
    rows,
    together,
    workload,
)
from pipeline.lengths.model.scenario import Traffic
from pipeline.servers.model.power import ServerFit
from pipeline.serving.model.deployments import ONE_OF_BLEND, Deployment, Deployments
from pipeline.water.model.sites import Sites, site_uniforms

ENDS = (5.0, 95.0)  # percentiles of requests in flight over samples
NOT_KNOWN = "any model"


def factor_rows(
    factors: Factors,
    settings: ReEstimate,
    traffic: dict[str, Traffic],
    servers: dict[str, ServerFit],
    model: ServingModel,
    sites: Sites,
    simulation: Simulation,
    naming: Naming,
) -> pd.DataFrame:
    """All columns of the contract FACTORS but those of the release."""
    # Sample for sample the study.
    samples = draw_samples(settings, simulation, settings.propagation)
    study = Costs.draw(samples, settings, traffic, servers, model)
    at = places(sites, site_uniforms(samples.design), factors.sites)
    found = list(production_rows(settings.deployments, factors, study, at, naming))

    samples = draw_samples(settings, simulation, factors.propagation)
    stated = Costs.draw(samples, settings, traffic, servers, model)
    in_band = samples.design.uniforms("factors, requests in the band")
    at = places(sites, site_uniforms(samples.design), factors.stated_sites)
    found += stated_rows(factors, stated, in_band, at, naming)
    return pd.DataFrame(found)


@dataclass(frozen=True)
class Subject:
    """One service, or several together, in one case: columns that name it, and its values in every sample."""

    about: dict[str, Any]
    energies: Energies
    requests: Array
    rests: Rests


def production_rows(
    deployments: Deployments, factors: Factors, costs: Costs, at: list[Place], naming: Naming
) -> Iterator[dict[str, Any]]:
    """Rows of the blend, of a service of each class, of one of any model, and of all models."""
    services = deployments.services
    every = list(dict.fromkeys([*deployments.models, *(item for own in services.values() for item in own)]))
    curves, bases = iter(costs.curves(every)), dict(zip(every, costs.bases(every), strict=True))
    for case in costs.cases:
        found = {
            item: subject(item, bases[item], next(curves), case, costs, factors, naming)
            for item in costs.able(every, case)
        }
        by_class = {name: [found[item] for item in costs.able(own, case)] for name, own in services.items()}
        together = [average(by_class[ONE_OF_BLEND]), *mixtures(by_class, costs.samples.design)]
        for one in [*together, *found.values()]:
            yield from subject_rows(one, case, costs.samples, at)


def subject(
    item: Deployment,
    basis: str,
    curve: EngineCurves,
    case: Case,
    costs: Costs,
    factors: Factors,
    naming: Naming,
) -> Subject:
    """One deployment in one case, at the load of every sample."""
    at = Conditions.as_drawn(costs.samples, case.moments.context_tokens)
    served = serve(curve, costs.server(item), item, replace(at, pue=np.ones(len(costs.samples))))
    requests = requests_in_flight(curve, item, at)
    low, high = np.percentile(requests, ENDS)
    rests = naming.evidence.of(item, basis, (low, high), case.mean_lengths.output_tokens)
    about = {"model_class": class_of(item, factors, naming), **naming.describe(item)}
    return Subject(about, energies(served, case.moments), requests, rests)


def average(members: Sequence[Subject]) -> Subject:
    """The published blend: queries that go to its models in equal numbers; no service."""
    energies = mean_of([one.energies for one in members])
    requests = np.concatenate([one.requests for one in members])
    return Subject(
        mixed(PUBLISHED_BLEND, members), energies, requests, together([one.rests for one in members])
    )


def mixtures(by_class: Mapping[str, Sequence[Subject]], design: Design) -> Iterator[Subject]:
    """A service of each class, which runs one of its models in each sample; then one of any class.

    Models are drawn as in the study, so that the rows agree with its. Each class is as likely; the blend's
    models are of the others already.
    """
    picks = {}
    for name, members in by_class.items():
        drawn = design.uniforms(f"model, {name}")
        picks[name] = np.minimum((drawn * len(members)).astype(np.int64), len(members) - 1)
        yield one_drawn(name, members, picks[name])
    classes = [name for name in by_class if name != ONE_OF_BLEND]
    every = [one for name in classes for one in by_class[name]]
    sizes = np.array([len(by_class[name]) for name in classes])
    drawn = design.uniforms("factors, class")
    which = np.minimum((drawn * len(sizes)).astype(np.int64), len(sizes) - 1)
    member = np.choose(which, [picks[name] for name in classes])
    yield one_drawn(NOT_KNOWN, every, (np.cumsum(sizes) - sizes)[which] + member)


def one_drawn(name: str, members: Sequence[Subject], which: Indices) -> Subject:
    """One of several in each sample."""
    energies = one_of([one.energies for one in members], which)
    requests = np.choose(which, [one.requests for one in members])
    return Subject(mixed(name, members), energies, requests, together([one.rests for one in members]))


def mixed(name: str, members: Sequence[Subject]) -> dict[str, Any]:
    """The columns that name several deployments; what they share stays."""
    columns = {key: [one.about[key] for one in members] for key in members[0].about}
    shared = {key: values[0] if len(set(values)) == 1 else MIXED for key, values in columns.items()}
    gpus = columns["gpus"][0] if shared["gpus"] != MIXED else np.nan
    models = ", ".join(dict.fromkeys(columns["reference_model"]))
    unknown = {"total_params_b": np.nan, "active_params_b": np.nan, "gpus": gpus}
    return {**shared, **unknown, "model_class": name, "reference_model": models}


def subject_rows(subject: Subject, case: Case, samples: Samples, at: list[Place]) -> Iterator[dict[str, Any]]:
    """All rows of one subject in one case."""
    low, high = np.percentile(subject.requests, ENDS)
    about = {
        "load": "as in production",
        **subject.about,
        "requests_in_flight": "as in production",
        "requests_low": float(low),
        "requests_high": float(high),
        **workload(case),
    }
    for row in rows(subject.energies, samples, at):
        yield {**about, **row, **subject.rests.at(row["boundary"], row["per"])}


def class_of(item: Deployment, factors: Factors, naming: Naming) -> str:
    """The class whose reference model has nearly the same size, else one named by its size."""
    ours = np.array([item.total_params_b, item.active_params_b])
    for known in factors.classes:
        if (np.abs(ours / naming.sizes_b[known.model] - 1) < factors.same_size_within).all():
            return known.name
    total, active = ours
    return f"dense {total:.0f} B" if total == active else f"mixture {total:.0f} B, {active:.0f} B active"


def stated_rows(
    factors: Factors, costs: Costs, in_band: Array, at: list[Place], naming: Naming
) -> Iterator[dict[str, Any]]:
    """Rows of every class, instance, precision, workload and band; in_band: uniforms, (samples,)."""
    references = {
        deployment(item, instance, precision, naming): item.name
        for item in factors.classes
        for instance in item.instances
        for precision in instance.precisions
    }
    every = list(references)
    curves, bases = iter(costs.curves(every)), dict(zip(every, costs.bases(every), strict=True))
    for case in costs.cases:
        for one in costs.able(every, case):
            curve = next(curves)
            about = {"load": "as stated", "model_class": references[one]}
            about |= naming.describe(one) | workload(case)
            for band in factors.batch_bands:
                if reached(curve, band, case.moments.context_tokens) >= factors.least_share:
                    found = band_rows(one, bases[one], curve, case, costs, band, in_band, at, naming.evidence)
                    yield from ({**about, **row} for row in found)


def band_rows(
    one: Deployment,
    basis: str,
    curve: EngineCurves,
    case: Case,
    costs: Costs,
    band: BatchBand,
    in_band: Array,
    at: list[Place],
    evidence: Evidence,
) -> Iterator[dict[str, Any]]:
    """Rows of one deployment and workload in one band; evidence goes by what runs there in any sample."""
    wanted = band.low * (band.high / band.low) ** in_band
    running = curve.configured(wanted, case.moments.context_tokens, np.arange(len(wanted)))
    served = served_at(curve, costs.server(one), one, running, costs.samples)
    ends = (float(running.min()), float(running.max()))
    rests = evidence.of(one, basis, ends, case.mean_lengths.output_tokens)
    flight = {"requests_in_flight": band.name, "requests_low": band.low, "requests_high": band.high}
    for row in rows(energies(served, case.moments), costs.samples, at):
        yield {**flight, **row, **rests.at(row["boundary"], row["per"])}


def deployment(item: ModelClass, instance: Instance, precision: Precision, naming: Naming) -> Deployment:
    """The reference model on one instance, as the cost curves take it; the band gives its concurrency."""
    unused = Assumption(
        distribution=Constant(family="constant", value=1), unit="requests", source="-", reason="-"
    )
    total, active = naming.sizes_b[item.model]
    return Deployment(
        model=item.model,
        total_params_b=total,
        active_params_b=active,
        gpu=instance.gpu,
        gpus=instance.gpus,
        precision=precision,
        source="-",
        reason=item.reason,
        concurrency=unused,
    )


def served_at(
    curve: EngineCurves, server: ServerFit, one: Deployment, running: Array, samples: Samples
) -> Served:
    """What requests cost with `running` in flight in every sample, at PUE 1."""
    terms = curve.at(running, np.arange(len(samples)))
    gpus = np.array(one.gpus)
    node_w = server.node_w(terms.gpu_w, gpus, samples.node_uniforms)
    state = part_load(samples.utilisation, samples.idle_share)
    with_idle_w = state.watts_per_serving_node(node_w, server.idle_w(gpus, samples.node_uniforms))
    return Served(terms, {"gpu": terms.gpu_w, "node": node_w, "facility": with_idle_w})


def reached(curve: EngineCurves, band: BatchBand, context_tokens: Array) -> float:
    """Share of the samples in which the cache holds more than the least of the band."""
    every = np.arange(len(context_tokens))
    most = curve.configured(np.full(len(every), band.high), context_tokens, every)
    return float(np.mean(most > band.low))
