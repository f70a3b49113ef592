"""Factors of services as they are judged to run: load, requests in flight and lengths of the re-estimate.

The worlds are those of the study, so that per query the factors of its models and of its blend are the
re-estimate itself. Beside them stand the middle-sized and small models of the fleet, whose tiers answer in
equal parts as the blend does, and a model that is not known: in each world one of all, each size as likely.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.assumptions.deployments import Deployment, Deployments
from pipeline.assumptions.factors import ModelClass
from pipeline.contracts.factors import MIXED
from pipeline.estimate.cost_curves import EngineCurves
from pipeline.estimate.factors.evidence import Rests, together
from pipeline.estimate.factors.pricing import Naming, Pricing, workload
from pipeline.estimate.factors.values import Energies, Place, energies, mean_of, one_of, rows
from pipeline.estimate.query_energy import Conditions, requests_in_flight, serve
from pipeline.estimate.study import Case
from pipeline.estimate.worlds import Worlds

Array = NDArray[np.float64]
ENDS = (5.0, 95.0)  # percentiles of requests in flight over worlds
SAME_SIZE = 0.05  # parameters that differ by less are one class
LARGE = "any large model"
NOT_KNOWN = "any model"


@dataclass(frozen=True)
class Subject:
    """One service, or several together, in one case: columns that name it, and its values in every world."""

    about: dict[str, Any]
    energies: Energies
    requests: Array
    rests: Rests


def production_rows(
    deployments: Deployments,
    tiers: Mapping[str, Sequence[Deployment]],
    tier_seed: np.random.SeedSequence,
    classes: Sequence[ModelClass],
    pricing: Pricing,
    which: tuple[Array, Array],
    at: list[Place],
    naming: Naming,
) -> Iterator[dict[str, Any]]:
    """Rows of the blend, of the other tiers, by the name that their class gets, and of all models.

    The study's models are priced as in the study, by themselves; tiers by a seed of their own, which is as
    good, since no value takes several tiers in one world. which: uniforms, (worlds,), of the tier and of the
    model in it that a world takes for one not known.
    """
    others = [item for members in tiers.values() for item in members]
    apart = replace(pricing, model_seed=tier_seed)
    of_study = subjects(deployments.models, pricing, classes, naming)
    of_tiers = subjects(others, apart, classes, naming)
    for case, studied, rest in zip(pricing.cases, of_study, of_tiers, strict=True):
        blend = [one for one in studied if one.about["reference_model"] in deployments.blend]
        remaining = iter(rest)
        by_tier = {LARGE: blend} | {
            name: list(islice(remaining, len(members))) for name, members in tiers.items()
        }
        for one in [*mixtures(by_tier, which), *studied, *rest]:
            yield from subject_rows(one, case, pricing.worlds, at)


def subjects(
    deployments: Sequence[Deployment], pricing: Pricing, classes: Sequence[ModelClass], naming: Naming
) -> list[list[Subject]]:
    """All deployments, for each case."""
    curves = iter(pricing.curves(deployments))
    bases = pricing.bases(deployments)
    return [
        [
            subject(item, basis, next(curves), case, pricing, classes, naming)
            for item, basis in zip(deployments, bases, strict=True)
        ]
        for case in pricing.cases
    ]


def subject(
    item: Deployment,
    basis: str,
    curve: EngineCurves,
    case: Case,
    pricing: Pricing,
    classes: Sequence[ModelClass],
    naming: Naming,
) -> Subject:
    """One deployment in one case, at the load of every world."""
    at = Conditions.as_drawn(pricing.worlds, case.moments.context_tokens)
    served = serve(curve, pricing.server(item), item, replace(at, pue=np.ones(len(pricing.worlds))))
    requests = requests_in_flight(curve, item, at)
    low, high = np.percentile(requests, ENDS)
    rests = naming.evidence.of(item, basis, (low, high), case.mean_lengths.output_tokens)
    about = {"model_class": class_of(item, classes), **naming.describe(item)}
    return Subject(about, energies(served, case.moments), requests, rests)


def mixtures(by_tier: Mapping[str, Sequence[Subject]], which: tuple[Array, Array]) -> Iterator[Subject]:
    """Each tier, then one model of any tier."""
    for name, members in by_tier.items():
        mean = mean_of([one.energies for one in members])
        requests = np.concatenate([one.requests for one in members])
        yield Subject(mixed(name, members), mean, requests, together([one.rests for one in members]))
    every = [one for members in by_tier.values() for one in members]
    sizes = np.array([len(members) for members in by_tier.values()])
    tier = np.minimum((which[0] * len(sizes)).astype(np.int64), len(sizes) - 1)
    member = np.minimum((which[1] * sizes[tier]).astype(np.int64), sizes[tier] - 1)
    at = (np.cumsum(sizes) - sizes)[tier] + member
    yield Subject(
        mixed(NOT_KNOWN, every),
        one_of([one.energies for one in every], at),
        np.choose(at, [one.requests for one in every]),
        together([one.rests for one in every]),
    )


def mixed(name: str, members: Sequence[Subject]) -> dict[str, Any]:
    """The columns that name several deployments; what they share stays."""
    columns = {key: [one.about[key] for one in members] for key in members[0].about}
    shared = {key: values[0] if len(set(values)) == 1 else MIXED for key, values in columns.items()}
    gpus = columns["gpus"][0] if shared["gpus"] != MIXED else np.nan
    models = ", ".join(dict.fromkeys(columns["reference_model"]))
    unknown = {"total_params_b": np.nan, "active_params_b": np.nan, "gpus": gpus}
    return {**shared, **unknown, "model_class": name, "reference_model": models}


def subject_rows(subject: Subject, case: Case, worlds: Worlds, at: list[Place]) -> Iterator[dict[str, Any]]:
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
    for row in rows(subject.energies, worlds, at):
        yield {**about, **row, **subject.rests.at(row["boundary"], row["per"])}


def class_of(item: Deployment, classes: Sequence[ModelClass]) -> str:
    """The class whose reference model has the same size, else one named by its size."""
    ours = np.array([item.total_params_b, item.active_params_b])
    for known in classes:
        theirs = np.array([known.total_params_b, known.active_params_b])
        if (np.abs(ours / theirs - 1) < SAME_SIZE).all():
            return known.name
    total, active = ours
    return f"dense {total:.0f} B" if total == active else f"mixture {total:.0f} B, {active:.0f} B active"
