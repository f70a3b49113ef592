"""Water per query of every scenario, subject and analysis, summarised as energy is.

It goes by what the servers draw for a query, Wh, which is their energy at the facility over its PUE.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeline.core.columns import REGIMES, Regime
from pipeline.core.draws import Simulation, uniforms
from pipeline.core.summaries import split, summarise
from pipeline.core.units import Array
from pipeline.energy.model.estimate import ANALYSIS as RE_ESTIMATED
from pipeline.energy.model.estimate import BLEND
from pipeline.energy.model.study import Case, Study
from pipeline.published.model.draws import Draws, model_energies
from pipeline.published.model.energy import ANALYSIS as AS_PUBLISHED
from pipeline.published.model.energy import ThroughputFit, blend_members, trimmed, uncut_blend
from pipeline.published.model.settings import AsPublished
from pipeline.water.model.sites import NAMES, Sites, site_uniforms

LOCATION_BASED = "location based, by the mean grid of the country"
MEDIAN = ("p5", "p50", "p95")
NO_BINS = np.ones(1)  # no histogram of water is drawn


def published_it_wh(
    published: AsPublished, fits: Mapping[str, ThroughputFit], simulation: Simulation
) -> Iterator[tuple[Regime, str, Array]]:
    """Regime, subject and energies (replicates, draws) of the fleet's variant; NaN where the blend is cut.

    The blend is cut by its energy at the facility, as published, and only then divided by PUE.
    """
    draws = Draws(simulation)
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
    """Subject and energies (n, queries) of the first `queries` queries of every sample."""
    first, pue = case.queries.first(queries), study.samples.pue[:, None]
    energies = {}
    for item in study.able(case):
        energies[item.model] = study.served(item, case).queries_wh("facility", first) / pue
        yield item.model, energies[item.model]
    for name in study.deployments.services:
        yield name, study.service(name, case).queries_wh("facility", first) / pue
    yield BLEND, np.concatenate([energies[name] for name in study.deployments.blend], axis=1)


def mean_it_wh(study: Study, case: Case) -> Array:
    """Mean over the blend's queries in every sample, (n,)."""
    at = study.conditions(case.moments.context_tokens)
    return np.asarray(study.blend_mean_wh(case, at, case.moments) / study.samples.pue)


def means_it_wh(
    study: Study, published: AsPublished, fits: Mapping[str, ThroughputFit], simulation: Simulation
) -> dict[tuple[str, str], dict[Regime, Array]]:
    """Mean of the blend's queries, Wh, by analysis and variant: (1,) as published, (n,) re-estimated.

    The published fleet takes the blend before it is cut, as the authors do.
    """
    draws = Draws(simulation)
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
    """Median over the blend's queries in every sample, Wh, (n,)."""
    (case,) = (case for case in study.cases if (case.scenario, case.regime) == (scenario, regime))
    blend = dict(re_estimated_it_wh(study, case, study.propagation.inner))[BLEND]
    return np.asarray(np.median(blend, axis=1))


@dataclass(frozen=True)
class Rows:
    """Rows of WATER_PER_QUERY, of WATER_SPLIT (the re-estimate) and of CARBON_PER_QUERY."""

    water: list[dict[str, Any]]
    split: list[dict[str, Any]]
    carbon: list[dict[str, Any]]

    def tables(self) -> dict[str, pd.DataFrame]:
        """By name."""
        found = {"water_per_query": self.water, "water_split": self.split, "carbon_per_query": self.carbon}
        return {name: pd.DataFrame(rows) for name, rows in found.items()}


def query_uniforms(size: Simulation, queries: int) -> Array:
    """Uniforms of the site and its factors of each query as published, (TERMS, replicates, queries)."""
    return np.stack([uniforms(size.seed, f"published, {name}", size.replicates, queries) for name in NAMES])


def per_query(
    sites: Sites, study: Study, published: AsPublished, fits: Mapping[str, ThroughputFit], size: Simulation
) -> Rows:
    """Every scenario on the draws of both analyses; size: how many of the published one."""
    rows = Rows([], [], [])
    settings = sites.settings
    variant = published.authors_stream.fleet
    for regime, subject, it_wh in published_it_wh(published, fits, size):
        keys = _keys(AS_PUBLISHED, variant, regime, subject)
        _add(rows, sites, keys, it_wh, query_uniforms(size, it_wh.shape[1]))
    samples = study.samples
    for case in study.cases:
        for subject, it_wh in re_estimated_it_wh(study, case, settings.queries_per_sample):
            keys = _keys(RE_ESTIMATED, case.variant, case.regime, subject)
            _add(rows, sites, keys, it_wh, site_uniforms(samples.design), outer=samples.design.outer)
    return rows


def _keys(analysis: str, variant: str, regime: Regime, subject: str) -> dict[str, str]:
    return {"analysis": analysis, "variant": variant, "regime": regime, "subject": subject}


def _add(
    rows: Rows, sites: Sites, keys: dict[str, str], it_wh: Array, drawn: Array, outer: int | None = None
) -> None:
    """Rows of one subject; with `outer` the energies are (replicates x outer, queries)."""
    for where, site in sites.draws(drawn):
        # Models alone are compared with others' at the headline's sites; at all they would take long.
        apart = keys["subject"] == BLEND or where["site_scenario"] == sites.settings.headline
        at = site.expand() if outer else site
        for scope, ml in at.water_ml(it_wh).items():
            place = {**keys, **where, "scope": scope}
            rows.water.append({**place, **_summary(ml, outer, "ml")})
            if outer and apart:
                rows.split.append(_split(place, ml, outer))
        grams = at.carbon_g(it_wh)
        row = {**keys, "site_scenario": where["site_scenario"], **_summary(grams, outer, "g")}
        known = _split({}, grams, outer) if outer and apart else {}
        row |= {f"median_{name}_g": known.get(f"median_{name}_ml", np.nan) for name in MEDIAN}
        rows.carbon.append({**row, "note": LOCATION_BASED})


def _summary(values: Array, outer: int | None, unit: str) -> dict[str, float | int]:
    by_replicate = values.reshape(len(values) // outer, -1) if outer else values
    return summarise(by_replicate, NO_BINS).columns(unit)


def _split(place: Mapping[str, str], ml: Array, outer: int) -> dict[str, Any]:
    shape = (len(ml) // outer, outer, -1)
    found = {name.replace("_wh", "_ml"): value for name, value in split(ml.reshape(shape)).items()}
    keys = {name: value for name, value in place.items() if name != "analysis"}
    return {**keys, **found, "n_outer": len(ml), "n_inner": ml.shape[1]}


def headline(
    water: pd.DataFrame, carbon: pd.DataFrame, scenario: str
) -> dict[str, dict[str, dict[str, float]]]:
    """The blend's median query at the sites of a scenario for `dvc metrics show`, mL and g.

    water: WATER_SPLIT; carbon: CARBON_PER_QUERY.
    """
    found: dict[str, dict[str, dict[str, float]]] = {}
    carbon = carbon[carbon["analysis"] == RE_ESTIMATED].assign(scope="carbon")
    for table, unit in ((water, "ml"), (carbon, "g")):
        chosen = (table["site_scenario"] == scenario) & (table["subject"] == BLEND)
        for row in table[chosen].to_dict("records"):
            of_variant = found.setdefault(row["variant"], {})
            of_variant[f"{row['regime']}_{row['scope']}_{unit}".replace(" ", "_")] = {
                name: row[f"median_{name}_{unit}"] for name in MEDIAN
            }
    return found
