"""The re-estimate: energy per query of each deployment and of the blend, with all that we do not know.

The blend's queries are those of its members in equal numbers, in the same world.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.contracts.results import BOUNDARIES
from pipeline.estimate.nested import band, split
from pipeline.estimate.study import Case, Study
from pipeline.estimate.tables import Band, FleetResult, Result, Tables, assemble
from pipeline.units import WH_PER_GWH

Array = NDArray[np.float64]
ANALYSIS = "re_estimated"
BLEND = "blend"
INTERVAL = "median and P5-P95 over what is not known"
KEYS = ["variant", "regime", "subject", "boundary"]


def subjects(study: Study, case: Case) -> Iterator[tuple[str, str, Array]]:
    """Each subject and boundary with its energies, Wh: (replicates, outer, inner), of the blend 3 x inner."""
    queries = case.queries
    served = {item.model: study.served(item, case) for item in study.deployments.models}
    shape = (study.worlds.replicates, study.propagation.outer, -1)
    for boundary in BOUNDARIES:
        energies = {
            model: cost.energy_wh(boundary, queries.input_tokens, queries.output_tokens).reshape(shape)
            for model, cost in served.items()
        }
        blend = np.concatenate([energies[name] for name in study.deployments.blend], axis=2)
        for subject, energy_wh in [*energies.items(), (BLEND, blend)]:
            yield subject, boundary, energy_wh


def estimate(study: Study, queries_per_day: float, long_share: float) -> tuple[Tables, pd.DataFrame]:
    """The tables that every analysis writes, and RE_ESTIMATED with ignorance and variability apart."""
    energy: list[Result] = []
    tokens: list[Result] = []
    splits = []
    for case in study.cases:
        for subject, boundary, energy_wh in subjects(study, case):
            pooled = energy_wh.reshape(len(energy_wh), -1)
            energy.append(Result.of(case.variant, case.regime, subject, pooled, boundary))
            keys = dict(zip(KEYS, (case.variant, case.regime, subject, boundary), strict=True))
            counts = {"n_outer": len(study.worlds), "n_inner": energy_wh.shape[2]}
            splits.append({**keys, **split(energy_wh), **counts})
        lengths = case.queries.output_tokens.reshape(study.worlds.replicates, -1)
        tokens.append(Result.of_tokens(case.variant, case.regime, "all models", lengths))
    return assemble(ANALYSIS, energy, list(fleet(study, queries_per_day, long_share)), tokens), pd.DataFrame(
        splits
    )


def fleet(study: Study, queries_per_day: float, long_share: float) -> Iterator[FleetResult]:
    """Energy of a day's queries at the blend's mean, by variant: all short, all long, and mixed.

    No overhead is added: idle servers, host and cooling are in the facility energy already.
    """
    for variant in dict.fromkeys(case.variant for case in study.cases):
        day = {
            case.regime: _blend_means(study, case) * queries_per_day / WH_PER_GWH
            for case in study.cases
            if case.variant == variant
        }
        short, long = (1 - long_share) * day["short"], long_share * day["long"]
        yield _fleet_result(study, variant, "short", "total", day["short"])
        yield _fleet_result(study, variant, "long", "total", day["long"])
        yield _fleet_result(study, variant, "mixed", "short", short)
        yield _fleet_result(study, variant, "mixed", "long", long)
        yield _fleet_result(study, variant, "mixed", "total", short + long)


def _blend_means(study: Study, case: Case) -> Array:
    """Mean facility energy of the blend's queries in each world, (replicates, outer)."""
    at = study.conditions(case.moments.context_tokens)
    return study.blend_mean_wh(case, at, case.moments).reshape(study.worlds.replicates, -1)


def _fleet_result(study: Study, variant: str, scenario: str, component: str, gwh: Array) -> FleetResult:
    found = band(gwh, study.worlds.replicates)
    day = Band(found["p50"], found["p5"], found["p95"], found["mc_error_p50"])
    draws = len(study.worlds) * study.propagation.inner * len(study.deployments.blend)
    return FleetResult(variant, scenario, component, day, INTERVAL, draws)
