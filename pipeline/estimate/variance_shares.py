"""Which of the sources of spread matter: Sobol indices by group, and one at a time.

Indices are of ln energy: energy is a product of seconds, watts, load and PUE, so that on the log scale they
nearly add, and the indices do not hang on the few largest values. Samples take every group from the worlds
and queries of the estimate itself, each group from its own: an index into them is the uniform variable that
SALib (Herman and Usher 2017; Saltelli et al. 2010) varies. Accelerator power is split: what goes with the
time of a step belongs to throughput, the rest to power.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from SALib.analyze import sobol as analyse
from SALib.sample import sobol as sample

from pipeline.estimate.query_energy import Conditions
from pipeline.estimate.re_estimated import BLEND
from pipeline.estimate.study import Case, Study

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
GROUPS = ("length", "throughput", "power", "load", "pue")
QUERY_GROUPS = (*GROUPS, "model")
CONFIDENCE = 0.9
TARGETS = ("one query", "mean over queries")


@dataclass(frozen=True)
class Picks:
    """Worlds, (S,), from which each group takes its values."""

    length: Indices
    throughput: Indices
    power: Indices
    load: Indices
    pue: Indices

    def conditions(self, study: Study, case: Case) -> Conditions:
        """Conditions that mix those worlds."""
        worlds = study.worlds
        return Conditions(
            throughput=self.throughput,
            power=self.power,
            node_uniforms=worlds.node_uniforms[self.power],
            context_tokens=case.moments.context_tokens[self.length],
            concurrency_uniforms=worlds.concurrency_uniforms[self.load],
            utilisation=worlds.utilisation[self.load],
            idle_share=worlds.idle_share[self.load],
            pue=worlds.pue[self.pue],
        )


def shares(study: Study) -> pd.DataFrame:
    """VARIANCE_SHARES of the blend at the facility, in every case, of both targets."""
    tables = []
    for case in study.cases:
        for target in TARGETS:
            groups = QUERY_GROUPS if target == TARGETS[0] else GROUPS
            points = _points(study, groups)
            energy = _query_energy if target == TARGETS[0] else _mean_energy
            table = indices(np.log(energy(study, case, points)), groups, study.propagation.variance_points)
            keys = {"variant": case.variant, "regime": case.regime, "subject": BLEND, "target": target}
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


def design(groups: tuple[str, ...], base_points: int, seed: int) -> Array:
    """Saltelli points in the unit cube, (base_points (groups + 2), columns): see `_columns`."""
    return np.asarray(sample.sample(_problem(groups), base_points, calc_second_order=False, seed=seed))


def _columns(groups: tuple[str, ...]) -> list[tuple[str, str]]:
    """Variables with their group: one a group, and for one query also which query of the world."""
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
    seed = int(study.variance_seed.generate_state(1)[0])
    uniforms = design(groups, study.propagation.variance_points, seed)
    return dict(zip((name for name, _ in _columns(groups)), uniforms.T, strict=True))


def _pick(uniforms: Array, count: int) -> Indices:
    return np.minimum((uniforms * count).astype(np.int64), count - 1)


def _picks(study: Study, points: dict[str, Array]) -> Picks:
    return Picks(*(_pick(points[group], len(study.worlds)) for group in GROUPS))


def _query_energy(study: Study, case: Case, points: dict[str, Array]) -> Array:
    """Energy of one query of one member of the blend at every point, (S,)."""
    picks = _picks(study, points)
    conditions = picks.conditions(study, case)
    query = _pick(points["query"], study.propagation.inner)
    lengths = (case.queries.input_tokens, case.queries.output_tokens)
    sides = [side[picks.length, query][:, None] for side in lengths]
    members = list(study.members())
    each = [study.serve(item, case, conditions).energy_wh("facility", *sides)[:, 0] for item in members]
    return np.choose(_pick(points["model"], len(members)), each)


def _mean_energy(study: Study, case: Case, points: dict[str, Array]) -> Array:
    """Mean energy of the blend's queries at every point, (S,)."""
    picks = _picks(study, points)
    return study.blend_mean_wh(case, picks.conditions(study, case), case.moments.take(picks.length))
