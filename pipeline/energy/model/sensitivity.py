"""Which of the sources of spread matter: Sobol indices by group, and one at a time.

Indices are of ln energy: energy is a product of seconds, watts, load and PUE, so that on the log scale they
nearly add, and the indices do not hang on the few largest values. A point of the design takes every group
from a sample of the estimate itself, each group from its own: the index of the sample is the uniform variable
that SALib (Herman and Usher 2017; Saltelli et al. 2010) varies. Accelerator power is split: what goes with
the time of a step belongs to throughput, the rest to power.

One at a time (tornado): the blend's mean energy with one input at its P5 and P95, the others at their median.
The input takes its value of every sample; the percentiles are of the energy that results, which for an input
that acts in one direction is the energy at the input's own percentile. An engine has no median: the others
are taken on the one that most samples run, on vLLM if both are as likely, which shifts the bar of throughput
to one side.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from SALib.analyze import sobol as analyse
from SALib.sample import sobol as sample

from pipeline.core.columns import BLEND, REGIMES
from pipeline.core.draws import seed_of
from pipeline.core.units import Array, Indices
from pipeline.energy.model.query_energy import Conditions
from pipeline.energy.model.samples import Moments, Queries
from pipeline.energy.model.study import Case, Study
from pipeline.serving.model.deployments import ONE_OF_BLEND

Energy = Callable[[Study, Case, dict[str, Array]], Array]
GROUPS = ("length", "throughput", "power", "load", "pue")
ALL_GROUPS = (*GROUPS, "model")
CONFIDENCE = 0.9
ONE_QUERY, MEAN = "one query", "mean over queries"
INPUTS = {
    "mean lengths": "lengths of a service's requests beside those of the trace",
    "throughput": "engine, parameters and residual of the serving model, with the power that goes with them",
    "accelerator power": "residual of accelerator power",
    "server power": "fixed part, losses and difference between servers",
    "concurrency": "requests in flight for which an instance is configured",
    "utilisation": "mean load over that configuration",
    "idle share": "how much of the shortfall shows as idle servers",
    "cached share": "of the input, read from a cache and not computed",
    "pue": "power usage effectiveness",
}


@dataclass(frozen=True)
class Picks:
    """Samples, (S,), from which each group takes its values."""

    length: Indices
    throughput: Indices
    power: Indices
    load: Indices
    pue: Indices

    def conditions(self, study: Study, case: Case) -> Conditions:
        """Conditions that mix them."""
        samples = study.samples
        return Conditions(
            throughput=self.throughput,
            power=self.power,
            node_uniforms=samples.node_uniforms[self.power],
            context_tokens=case.moments.context_tokens[self.length],
            concurrency_uniforms=samples.concurrency_uniforms[self.load],
            utilisation=samples.utilisation[self.load],
            idle_share=samples.idle_share[self.load],
            pue=samples.pue[self.pue],
        )

    def moments(self, study: Study, case: Case) -> Moments:
        """Lengths of one group, what is cached of another."""
        cached = study.samples.cached_share[self.load]
        return replace(case.moments.take(self.length), cached_share=cached)


def shares(study: Study) -> pd.DataFrame:
    """VARIANCE_SHARES at the facility in every case.

    Of the blend, which averages its models, and of a service that runs one of them and does not.
    """
    wanted: list[tuple[str, str, tuple[str, ...], Energy]] = [
        (BLEND, ONE_QUERY, ALL_GROUPS, _query_energy),
        (BLEND, MEAN, GROUPS, _mean_energy),
        (ONE_OF_BLEND, MEAN, ALL_GROUPS, _service_energy),
    ]
    tables = []
    for case in (one for one in study.cases if one.regime in REGIMES):
        for subject, target, groups, energy in wanted:
            points = _points(study, groups)
            table = indices(np.log(energy(study, case, points)), groups, study.propagation.variance_points)
            keys = {"variant": case.variant, "regime": case.regime, "subject": subject, "target": target}
            tables.append(table.assign(**keys)[[*keys, *table.columns]])
    return pd.concat(tables, ignore_index=True)


def indices(values: Array, groups: tuple[str, ...], base_points: int) -> pd.DataFrame:
    """First- and total-order indices of each group with half a 90 % interval (bootstrap over points)."""
    found = analyse.analyze(
        _problem(groups), values, calc_second_order=False, conf_level=CONFIDENCE, num_resamples=200, seed=1
    )
    return pd.DataFrame(
        {
            "group": groups,
            "first_order": found["S1"],
            "first_order_half_width": found["S1_conf"],
            "total_order": found["ST"],
            "total_order_half_width": found["ST_conf"],
            "ln_variance": float(np.var(values)),
            "base_points": base_points,
        }
    )


@cache
def design(groups: tuple[str, ...], base_points: int, seed: int) -> Array:
    """Saltelli points in the unit cube, (base_points (groups + 2), columns): see `_columns`."""
    return np.asarray(sample.sample(_problem(groups), base_points, calc_second_order=False, seed=seed))


def _columns(groups: tuple[str, ...]) -> list[tuple[str, str]]:
    """Variables with their group: one a group, and for one query also which query of the sample."""
    return [*((group, group) for group in groups), *([("query", "length")] if "model" in groups else [])]


def _problem(groups: tuple[str, ...]) -> dict[str, object]:
    columns = _columns(groups)
    return {
        "num_vars": len(columns),
        "names": [name for name, _ in columns],
        "groups": [group for _, group in columns],
        "bounds": [[0.0, 1.0]] * len(columns),
    }


def _points(study: Study, groups: tuple[str, ...]) -> dict[str, Array]:
    seed = int(seed_of(study.samples.design.seed, "variance shares").generate_state(1)[0])
    uniforms = design(groups, study.propagation.variance_points, seed)
    return dict(zip((name for name, _ in _columns(groups)), uniforms.T, strict=True))


def _pick(uniforms: Array, count: int) -> Indices:
    return np.minimum((uniforms * count).astype(np.int64), count - 1)


def _picks(study: Study, points: dict[str, Array]) -> Picks:
    return Picks(*(_pick(points[group], len(study.samples)) for group in GROUPS))


def _query_energy(study: Study, case: Case, points: dict[str, Array]) -> Array:
    """Energy of one query of one member of the blend at every point, (S,)."""
    picks = _picks(study, points)
    conditions = picks.conditions(study, case)
    query = _pick(points["query"], study.propagation.inner)
    lengths = (case.queries.input_tokens, case.queries.output_tokens)
    one, two = (side[picks.length, query][:, None] for side in lengths)
    members = list(study.members())
    queries = Queries(one, two, study.samples.cached_share[picks.load])
    each = [study.serve(item, case, conditions).queries_wh("facility", queries)[:, 0] for item in members]
    return np.choose(_pick(points["model"], len(members)), each)


def _service_energy(study: Study, case: Case, points: dict[str, Array]) -> Array:
    """Mean energy of the queries of a service that runs one model of the blend, at every point, (S,)."""
    picks = _picks(study, points)
    conditions, moments = picks.conditions(study, case), picks.moments(study, case)
    members = list(study.members())
    each = [study.serve(item, case, conditions).mean_energy_wh("facility", moments) for item in members]
    return np.choose(_pick(points["model"], len(members)), each)


def _mean_energy(study: Study, case: Case, points: dict[str, Array]) -> Array:
    """Mean energy of the blend's queries at every point, (S,)."""
    picks = _picks(study, points)
    return study.blend_mean_wh(case, picks.conditions(study, case), picks.moments(study, case))


def tornado(study: Study) -> pd.DataFrame:
    """TORNADO of every case; the widest input first."""
    tables = []
    for case in (one for one in study.cases if one.regime in REGIMES):
        middle = float(study.blend_mean_wh(case, *_at_median(study, case, 1))[0])
        rows = [_row(study, case, name, middle) for name in INPUTS]
        table = pd.DataFrame(rows)
        narrowness = (table["energy_p5_wh"] / table["energy_p95_wh"]).to_numpy()
        tables.append(table.iloc[np.argsort(narrowness, kind="stable")])
    return pd.concat(tables, ignore_index=True)


def _row(study: Study, case: Case, name: str, middle_wh: float) -> dict[str, Any]:
    energy = study.blend_mean_wh(case, *_varied(study, case, name))
    low, high = np.percentile(energy, [5, 95])
    return {
        "variant": case.variant,
        "regime": case.regime,
        "subject": BLEND,
        "input": name,
        "meaning": INPUTS[name],
        "energy_p5_wh": low,
        "energy_at_median_wh": middle_wh,
        "energy_p95_wh": high,
    }


def _at_median(study: Study, case: Case, size: int) -> tuple[Conditions, Moments]:
    """Every input at its median, repeated."""
    samples, moments = study.samples, case.median_moments.take(np.zeros(size, dtype=np.int64))
    median_sample = np.full(size, len(samples))
    scalars = {
        name: np.full(size, np.median(getattr(samples, name)))
        for name in ("utilisation", "idle_share", "pue")
    }
    conditions = Conditions(
        throughput=median_sample,
        power=median_sample,
        node_uniforms=np.full((size, samples.node_uniforms.shape[1]), 0.5),
        context_tokens=moments.context_tokens,
        concurrency_uniforms=np.full(size, 0.5),
        **scalars,
    )
    return conditions, moments


def _varied(study: Study, case: Case, name: str) -> tuple[Conditions, Moments]:
    """Every input at its median but one, which takes its value of every sample."""
    samples, every = study.samples, np.arange(len(study.samples))
    middle, moments = _at_median(study, case, len(samples))
    match name:
        case "mean lengths":
            every_length = replace(case.moments, cached_share=moments.cached_share)
            return replace(middle, context_tokens=case.moments.context_tokens), every_length
        case "throughput":
            # Power keeps the median sample's residual, so only what goes with the time of a step moves.
            return replace(middle, throughput=every), moments
        case "accelerator power":
            return replace(middle, power=every), moments
        case "server power":
            return replace(middle, node_uniforms=samples.node_uniforms), moments
        case "concurrency":
            return replace(middle, concurrency_uniforms=samples.concurrency_uniforms), moments
        case "utilisation":
            return replace(middle, utilisation=samples.utilisation), moments
        case "idle share":
            return replace(middle, idle_share=samples.idle_share), moments
        case "cached share":
            return middle, replace(moments, cached_share=samples.cached_share)
        case _:
            return replace(middle, pue=samples.pue), moments
