"""Water per query of every scenario, subject and analysis, summarised as energy is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.assumptions.deployments import Propagation
from pipeline.assumptions.published import AsPublished
from pipeline.assumptions.simulation import Simulation
from pipeline.contracts.read import validate
from pipeline.contracts.results import Regime
from pipeline.contracts.water_results import CARBON_PER_QUERY, WATER_PER_QUERY, WATER_SPLIT
from pipeline.estimate.fleet.draws import own_uniforms
from pipeline.estimate.nested import split
from pipeline.estimate.published_energy import ANALYSIS as AS_PUBLISHED
from pipeline.estimate.re_estimated import ANALYSIS as RE_ESTIMATED
from pipeline.estimate.re_estimated import BLEND
from pipeline.estimate.sobol import points, stage_seed
from pipeline.estimate.study import Study
from pipeline.estimate.summaries import summarise
from pipeline.estimate.water.draws import TERMS
from pipeline.estimate.water.queries import published_it_wh, re_estimated_it_wh
from pipeline.estimate.water.scenarios import Sites
from pipeline.fit.published_throughput import ThroughputFit

Array = NDArray[np.float64]
STAGE = "estimate_water"
OUTSIDE = "outside the paper"
NO_BINS = np.ones(1)  # no histogram of water is drawn


@dataclass(frozen=True)
class Rows:
    """Rows of WATER_PER_QUERY, of WATER_SPLIT (the re-estimate) and of CARBON_PER_QUERY."""

    water: list[dict[str, Any]]
    split: list[dict[str, Any]]
    carbon: list[dict[str, Any]]

    def tables(self) -> dict[str, pd.DataFrame]:
        """Validated, by the name of the file; that of carbon has no rows unless they were asked for."""
        carbon = pd.DataFrame(self.carbon, columns=list(CARBON_PER_QUERY.columns))
        return {
            "water_per_query": validate(pd.DataFrame(self.water), WATER_PER_QUERY, "water per query"),
            "water_split": validate(pd.DataFrame(self.split), WATER_SPLIT, "water split"),
            "carbon_per_query": validate(carbon, CARBON_PER_QUERY, "carbon") if self.carbon else carbon,
        }


def own_seeds(simulation: Simulation) -> list[np.random.SeedSequence]:
    """Independent seeds: sites of worlds, sites of the published analysis."""
    return stage_seed(simulation, STAGE).spawn(2)


def world_uniforms(simulation: Simulation, propagation: Propagation) -> Array:
    """Uniforms of the site and its factors in every world, (TERMS, worlds)."""
    return own_uniforms(own_seeds(simulation)[0], propagation, TERMS)


def query_uniforms(seed: np.random.SeedSequence, size: Simulation, queries: int) -> Array:
    """Uniforms of the site and its factors of each query, (TERMS, replicates, queries).

    A blend has several times the draws of a model; each member gets points of its own.
    """
    models = queries // size.draws_per_replicate
    each = points(seed, size, TERMS * models).reshape(TERMS, models, size.replicates, -1)
    return np.concatenate(list(np.moveaxis(each, 1, 0)), axis=2)


def per_query(
    sites: Sites,
    study: Study,
    published: AsPublished,
    fits: Mapping[str, ThroughputFit],
    simulation: Simulation,
) -> Rows:
    """Every scenario on the draws of both analyses."""
    rows = Rows([], [], [])
    settings = sites.settings
    size = simulation.model_copy(update={"draws_per_replicate": settings.draws_per_replicate})
    variant = published.authors_stream.fleet
    seed = own_seeds(simulation)[1]
    for regime, subject, it_wh in published_it_wh(published, fits, size):
        keys = _keys(AS_PUBLISHED, variant, regime, subject)
        _add(rows, sites, keys, it_wh, query_uniforms(seed, size, it_wh.shape[1]))
    uniforms = world_uniforms(simulation, study.propagation)
    for case in study.cases:
        for subject, it_wh in re_estimated_it_wh(study, case, settings.queries_per_world):
            keys = _keys(RE_ESTIMATED, case.variant, case.regime, subject)
            _add(rows, sites, keys, it_wh, uniforms, worlds=len(study.worlds) // study.worlds.replicates)
    return rows


def _keys(analysis: str, variant: str, regime: Regime, subject: str) -> dict[str, str]:
    return {"analysis": analysis, "variant": variant, "regime": regime, "subject": subject}


def _add(
    rows: Rows,
    sites: Sites,
    keys: dict[str, str],
    it_wh: Array,
    uniforms: Array,
    worlds: int | None = None,
) -> None:
    """Rows of one subject; with `worlds` (a replicate) the energies are (replicates x worlds, queries)."""
    for where, drawn in sites.draws(uniforms):
        # Models alone are compared with others' at the headline's sites; at all they would take long.
        apart = keys["subject"] == BLEND or where["site_scenario"] == sites.settings.headline
        at = drawn.expand() if worlds else drawn
        for scope, ml in at.water_ml(it_wh).items():
            place = {**keys, **where, "scope": scope}
            rows.water.append({**place, **_summary(ml, worlds, "ml")})
            if worlds and apart:
                rows.split.append(_split(place, ml, worlds))
        if sites.settings.carbon and not np.isnan(at.carbon_kg_per_kwh).any():
            of = {**keys, "site_scenario": where["site_scenario"]}
            rows.carbon.append({**of, **_summary(at.carbon_g(it_wh), worlds, "g"), "note": OUTSIDE})


def _summary(values: Array, worlds: int | None, unit: str) -> dict[str, float | int]:
    by_replicate = values.reshape(len(values) // worlds, -1) if worlds else values
    return summarise(by_replicate, NO_BINS).columns(unit)


def _split(place: Mapping[str, str], ml: Array, worlds: int) -> dict[str, Any]:
    shape = (len(ml) // worlds, worlds, -1)
    found = {name.replace("_wh", "_ml"): value for name, value in split(ml.reshape(shape)).items()}
    keys = {name: value for name, value in place.items() if name != "analysis"}
    return {**keys, **found, "n_outer": len(ml), "n_inner": ml.shape[1]}


def headline(table: pd.DataFrame, scenario: str) -> dict[str, dict[str, dict[str, float]]]:
    """The blend's median query at the sites of a scenario for `dvc metrics show`, mL, from WATER_SPLIT."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    chosen = (table["site_scenario"] == scenario) & (table["subject"] == BLEND)
    for row in table[chosen].to_dict("records"):
        place = found.setdefault(row["variant"], {}).setdefault(f"{row['regime']}_{row['scope']}_ml", {})
        place |= {name: row[f"median_{name}_ml"] for name in ("p5", "p50", "p95")}
    return found
