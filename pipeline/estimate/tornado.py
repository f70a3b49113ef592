"""One input at a time: the blend's mean energy with one input at its P5 and P95, the others at their median.

The input takes all its values (every world); the percentiles are of the energy that results, which for an
input that acts in one direction is the energy at the input's own percentile. An engine has no median: the
others are taken on the one that most worlds run, on vLLM if both are as likely, which shifts the bar of
throughput to one side.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from pipeline.estimate.query_energy import Conditions
from pipeline.estimate.re_estimated import BLEND
from pipeline.estimate.study import Case, Study
from pipeline.estimate.worlds import Moments

INPUTS = {
    "mean lengths": "lengths of a service's requests beside those of the trace",
    "throughput": "engine, parameters and residual of the serving model, with the power that goes with them",
    "accelerator power": "residual of accelerator power",
    "server power": "fixed part, losses and difference between servers",
    "concurrency": "requests in flight for which an instance is configured",
    "utilisation": "mean load over that configuration",
    "idle share": "how much of the shortfall shows as idle servers",
    "pue": "power usage effectiveness",
}


def tornado(study: Study) -> pd.DataFrame:
    """TORNADO of every case; the widest input first."""
    tables = []
    for case in study.cases:
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
    worlds, moments = study.worlds, case.median_moments.take(np.zeros(size, dtype=np.int64))
    median_world = np.full(size, len(worlds))
    scalars = {
        name: np.full(size, np.median(getattr(worlds, name))) for name in ("utilisation", "idle_share", "pue")
    }
    conditions = Conditions(
        throughput=median_world,
        power=median_world,
        node_uniforms=np.full((size, worlds.node_uniforms.shape[1]), 0.5),
        context_tokens=moments.context_tokens,
        concurrency_uniforms=np.full(size, 0.5),
        **scalars,
    )
    return conditions, moments


def _varied(study: Study, case: Case, name: str) -> tuple[Conditions, Moments]:
    """Every input at its median but one, which takes its value of every world."""
    worlds, every = study.worlds, np.arange(len(study.worlds))
    middle, moments = _at_median(study, case, len(worlds))
    match name:
        case "mean lengths":
            return replace(middle, context_tokens=case.moments.context_tokens), case.moments
        case "throughput":
            # Power keeps the median world's residual, so only what goes with the time of a step moves.
            return replace(middle, throughput=every), moments
        case "accelerator power":
            return replace(middle, power=every), moments
        case "server power":
            return replace(middle, node_uniforms=worlds.node_uniforms), moments
        case "concurrency":
            return replace(middle, concurrency_uniforms=worlds.concurrency_uniforms), moments
        case "utilisation":
            return replace(middle, utilisation=worlds.utilisation), moments
        case "idle share":
            return replace(middle, idle_share=worlds.idle_share), moments
        case _:
            return replace(middle, pue=worlds.pue), moments
