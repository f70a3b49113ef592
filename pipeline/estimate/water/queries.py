"""What the servers draw for a query, Wh, in both analyses, from the draws of their energy at the facility."""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from pipeline.assumptions.published import AsPublished
from pipeline.assumptions.simulation import Simulation
from pipeline.contracts.results import REGIMES, Regime
from pipeline.estimate.published_energy import ANALYSIS as AS_PUBLISHED
from pipeline.estimate.published_energy import blend_members, trimmed, uncut_blend
from pipeline.estimate.published_sobol import Draws, model_energies
from pipeline.estimate.re_estimated import ANALYSIS as RE_ESTIMATED
from pipeline.estimate.re_estimated import BLEND
from pipeline.estimate.study import Case, Study
from pipeline.fit.published_throughput import ThroughputFit

Array = NDArray[np.float64]


def published_it_wh(
    published: AsPublished, fits: Mapping[str, ThroughputFit], simulation: Simulation
) -> Iterator[tuple[Regime, str, Array]]:
    """Regime, subject and energies (replicates, draws) of the fleet's variant; NaN where the blend is cut.

    The blend is cut by its energy at the facility, as published, and only then divided by PUE.
    """
    draws = Draws(published, simulation)
    base = published.variants[published.authors_stream.fleet]
    for regime in REGIMES:
        at_facility = model_energies(draws, published, base, fits, regime)
        pue = {name: draws.values(name, "pue", base.pue.distribution) for name in at_facility}
        for name, energy_wh in at_facility.items():
            yield regime, name, energy_wh / pue[name]
        chosen = blend_members(at_facility, base.blend.models)
        cut = {name: trimmed(at_facility[name], base.trim) / pue[name] for name in chosen}
        yield regime, BLEND, uncut_blend(cut, chosen)


def re_estimated_it_wh(study: Study, case: Case, queries: int) -> Iterator[tuple[str, Array]]:
    """Subject and energies (worlds, queries) of the first `queries` queries of every world."""
    lengths = case.queries
    energies = {}
    for item in study.deployments.models:
        at_facility = study.served(item, case).energy_wh(
            "facility", lengths.input_tokens[:, :queries], lengths.output_tokens[:, :queries]
        )
        energies[item.model] = at_facility / study.worlds.pue[:, None]
        yield item.model, energies[item.model]
    yield BLEND, np.concatenate([energies[name] for name in study.deployments.blend], axis=1)


def mean_it_wh(study: Study, case: Case) -> Array:
    """Mean over the blend's queries in every world, (worlds,)."""
    at = study.conditions(case.moments.context_tokens)
    return np.asarray(study.blend_mean_wh(case, at, case.moments) / study.worlds.pue)


def means_it_wh(
    study: Study, published: AsPublished, fits: Mapping[str, ThroughputFit], simulation: Simulation
) -> dict[tuple[str, str], dict[Regime, Array]]:
    """Mean of the blend's queries, Wh, by analysis and variant: (1,) as published, (worlds,) re-estimated.

    The published fleet takes the blend before it is cut, as the authors do.
    """
    draws = Draws(published, simulation)
    variant = published.authors_stream.fleet
    base = published.variants[variant]
    found: dict[tuple[str, str], dict[Regime, Array]] = {(AS_PUBLISHED, variant): {}}
    for regime in REGIMES:
        at_facility = model_energies(draws, published, base, fits, regime)
        chosen = blend_members(at_facility, base.blend.models)
        pue = {name: draws.values(name, "pue", base.pue.distribution) for name in chosen}
        each = [(at_facility[name] / pue[name]).mean() for name in chosen]
        found[AS_PUBLISHED, variant][regime] = np.array([np.mean(each)])
    for case in study.cases:
        found.setdefault((RE_ESTIMATED, case.variant), {})[case.regime] = mean_it_wh(study, case)
    return found


def median_it_wh(study: Study, scenario: str = "production", regime: Regime = "short") -> Array:
    """Median over the blend's queries in every world, Wh, (worlds,)."""
    (case,) = (case for case in study.cases if (case.scenario, case.regime) == (scenario, regime))
    blend = dict(re_estimated_it_wh(study, case, study.propagation.inner))[BLEND]
    return np.asarray(np.median(blend, axis=1))
