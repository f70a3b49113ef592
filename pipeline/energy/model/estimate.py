"""The re-estimate: energy per query of each deployment, of a service of each class and of the blend.

What is not known of a service is drawn in every interval of it, so a service of a class runs one of its
models in each sample. The blend is no service: its queries are those of its members in equal numbers, in the
same sample, as the published analysis blends them.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from pipeline.core.columns import BLEND, BOUNDARIES, REGIMES
from pipeline.core.summaries import band, split
from pipeline.core.units import WH_PER_GWH, Array
from pipeline.energy.model.study import Case, Study
from pipeline.published.model.draws import Band, FleetResult, Result, Tables, assemble

ANALYSIS = "re_estimated"
INTERVAL = "median and P5-P95 over what is not known"
KEYS = ["variant", "regime", "subject", "boundary"]
# Of the published analysis; its other variants stand in energy_per_query.csv and fleet.csv.
VARIANTS = ["v1", "v2", "v2_text"]
QUARTILES = ["p25", "p50", "p75"]
IGNORANCE = ["p5", "p50", "p95"]


def subjects(study: Study, case: Case) -> Iterator[tuple[str, str, Array]]:
    """Each subject and boundary with its energies, Wh: (replicates, outer, inner), of the blend 3 x inner."""
    queries = case.queries
    served = {item.model: study.served(item, case) for item in study.able(case)}
    served |= {name: study.service(name, case) for name in study.deployments.services}
    shape = (study.samples.replicates, study.propagation.outer, -1)
    for boundary in BOUNDARIES:
        energies = {
            model: cost.queries_wh(boundary, queries).reshape(shape) for model, cost in served.items()
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
            pooled = np.sort(energy_wh.reshape(len(energy_wh), -1), axis=1)
            energy.append(Result.of_ordered(case.variant, case.regime, subject, pooled, boundary))
            keys = dict(zip(KEYS, (case.variant, case.regime, subject, boundary), strict=True))
            counts = {"n_outer": len(study.samples), "n_inner": energy_wh.shape[2]}
            splits.append({**keys, **split(energy_wh, pooled), **counts})
        if case.regime in REGIMES:
            lengths = case.queries.output_tokens.reshape(study.samples.replicates, -1)
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
            if case.variant == variant and case.regime in REGIMES
        }
        short, long = (1 - long_share) * day["short"], long_share * day["long"]
        yield _fleet_result(study, variant, "short", "total", day["short"])
        yield _fleet_result(study, variant, "long", "total", day["long"])
        yield _fleet_result(study, variant, "mixed", "short", short)
        yield _fleet_result(study, variant, "mixed", "long", long)
        yield _fleet_result(study, variant, "mixed", "total", short + long)


def _blend_means(study: Study, case: Case) -> Array:
    """Mean facility energy of the blend's queries in each sample, (replicates, outer)."""
    at = study.conditions(case.moments.context_tokens)
    return study.blend_mean_wh(case, at, case.moments).reshape(study.samples.replicates, -1)


def _fleet_result(study: Study, variant: str, scenario: str, component: str, gwh: Array) -> FleetResult:
    found = band(gwh, study.samples.replicates)
    day = Band(found["p50"], found["p5"], found["p95"], found["mc_error_p50"])
    draws = len(study.samples) * study.propagation.inner * len(study.deployments.blend)
    return FleetResult(variant, scenario, component, day, INTERVAL, draws)


def headlines(energy: pd.DataFrame, fleet: pd.DataFrame, split: pd.DataFrame) -> dict[str, Any]:
    """The headline, by analysis and variant.

    Fleet totals by scenario and, of the blend by regime: as published the quartiles over queries,
    re-estimated (`split`, RE_ESTIMATED) median and mean with their bands.
    """
    published: dict[str, Any] = {name: {} for name in VARIANTS}
    ours: dict[str, Any] = {name: {} for name in split["variant"].unique()}
    found = {"as_published": published, "re_estimated": ours}
    at_facility = energy[(energy["subject"] == BLEND) & (energy["boundary"] == "facility")]
    for row in at_facility[at_facility["variant"].isin(VARIANTS)].to_dict("records"):
        place = published[row["variant"]]
        place[f"blend_{row['regime']}_wh"] = {name: row[f"{name}_wh"] for name in QUARTILES}
    for row in split[(split["subject"] == BLEND) & (split["boundary"] == "facility")].to_dict("records"):
        for statistic in ("median", "mean"):
            name = f"blend_{row['regime']}_{statistic}_wh"
            ours[row["variant"]][name] = {p: row[f"{statistic}_{p}_wh"] for p in IGNORANCE}
    shown = (fleet["component"] == "total") & fleet["variant"].isin([*published, *ours])
    for row in fleet[shown].to_dict("records"):
        place = found[row["analysis"]][row["variant"]]
        place.setdefault("fleet_gwh_per_day", {})[row["scenario"]] = row["value_gwh_per_day"]
    return found


def metrics(found: dict[str, Any]) -> dict[str, float]:
    """Of the headlines, what `dvc metrics` shows: medians of the blend, Wh at the facility."""
    ours = found["re_estimated"]["production_lengths"]
    return {
        "chat_wh": ours["blend_short_median_wh"]["p50"],
        "long_wh": ours["blend_long_median_wh"]["p50"],
        "pub_wh": found["as_published"]["v2"]["blend_short_wh"]["p50"],
    }
