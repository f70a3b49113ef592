"""Every candidate's errors on rows that it did not see, by what was left out and over laboratories.

What the step model is compared with, on the same held-out rows.

By configuration of the TensorRT-LLM tables (I input, O output tokens, S tokens/s), leaving one cell out:

    log-linear      ln S = b0 + b1 ln I + b2 ln O               the published form
    capped          the same, at most the largest S seen        the published form with its cap
    log-quadratic   all squares and products of ln I and ln O, slightly ridged
    additive        O / S = a I + b O + k O (I + O/2), a, b, k >= 0

And on all rows EcoLogits (Rince and Banse 2025), which gives energy per token of one GPU from active
parameters and batch, times the GPUs that hold the weights (memory of 80 GB, 1.2 times the weights), and time
per token of a request, as its package computes them:

    E = n (alpha exp(beta B) P + gamma),    tokens/s = B / (a P + b B + c)
"""

from typing import Any, cast

import numpy as np
import pandas as pd
import statsmodels.api as sm
from ecologits.impacts.llm import compute_llm_impacts_dag
from numpy.typing import NDArray
from scipy.optimize import nnls

from pipeline.core.units import JOULES_PER_KWH
from pipeline.serving.model.architecture import Array
from pipeline.serving.model.contract import COMPARISON, SELECTION
from pipeline.serving.model.effects import joined
from pipeline.serving.model.held_out import JOULES, RATE, chosen, point_errors, scores
from pipeline.serving.model.prepare import Prepared, Tables, prepare
from pipeline.serving.model.settings import Serving

FEWEST_CELLS = 7  # of a configuration: six to fit the quadratic, one to predict
QUADRATIC_RIDGE = 1e-2
PER_CONFIGURATION = ("log-linear", "capped", "log-quadratic", "additive")
ANY_LATENCY_S = 1e12  # EcoLogits caps generation at a measured request latency; there is none here
TOKENS = 100.0  # of a request; EcoLogits is proportional to them
ORDER = ["rows", "left_out", "quantity", "form"]
POOLED = ("pooled linear", "pooled quadratic")


def ecologits(
    active_params_b: float, total_params_b: float, bits: float, batch: float
) -> tuple[float, float]:
    """Output tokens/s of the instance and GPU energy, J/output token."""
    found: dict[str, Any] = compute_llm_impacts_dag(
        model_active_parameter_count=active_params_b,
        model_total_parameter_count=total_params_b,
        output_token_count=TOKENS,
        request_latency=ANY_LATENCY_S,
        batch_size=batch,
        model_quantization_bits=cast(int, bits),  # it multiplies by them, 4.25 too
        datacenter_pue=1.0,
        datacenter_wue=0.0,
        if_electricity_mix_adpe=0.0,
        if_electricity_mix_pe=0.0,
        if_electricity_mix_gwp=0.0,
        if_electricity_mix_wue=0.0,
    )
    rate = batch * TOKENS / found["generation_latency"]
    return rate, found["gpu_energy"] * found["gpu_required_count"] * JOULES_PER_KWH / TOKENS


def configuration_of(rows: pd.DataFrame) -> NDArray[np.object_]:
    """One text for all rows measured on one configuration, (n,)."""
    parts = ("laboratory", "engine_year", "model", "gpu", "gpus", "precision", "split_by_request")
    return joined(*(rows[part] for part in parts))


def leave_one_cell_out(rows: pd.DataFrame) -> pd.DataFrame:
    """Predicted tokens/s of each cell by each form of PER_CONFIGURATION, from the others; key as index.

    rows: input_tokens, output_tokens, output_tokens_per_s of saturated configurations with enough cells.
    """
    found = []
    for _, group in rows.groupby(configuration_of(rows)):
        if len(group) >= FEWEST_CELLS:
            i, o, rate = (
                group[name].to_numpy(float)
                for name in ("input_tokens", "output_tokens", "output_tokens_per_s")
            )
            cells = [_predict_cell(i, o, rate, at) for at in range(len(group))]
            found.append(pd.DataFrame(cells, columns=list(PER_CONFIGURATION), index=group["key"]))
    return pd.concat(found)


def _predict_cell(i: Array, o: Array, rate: Array, at: int) -> list[float]:
    others = np.arange(len(i)) != at
    log_i, log_o, log_rate = np.log(i), np.log(o), np.log(rate)
    linear = np.column_stack([np.ones(len(i)), log_i, log_o])
    quadratic = np.column_stack([linear, log_i**2, log_o**2, log_i * log_o])
    by_line = linear[at] @ np.linalg.lstsq(linear[others], log_rate[others], rcond=None)[0]
    ridge = QUADRATIC_RIDGE * np.eye(6)
    by_square = np.linalg.lstsq(
        np.vstack([quadratic[others], ridge]), np.r_[log_rate[others], np.zeros(6)], rcond=None
    )[0]
    terms = np.column_stack([i, o, o * (i + o / 2)])
    seconds = o / rate
    cost, _ = nnls(terms[others] / seconds[others, None], np.ones(others.sum()))  # relative errors
    additive = o[at] / max(float(terms[at] @ cost), 1e-9)
    capped = min(float(by_line), float(log_rate[others].max()))
    return [float(np.exp(by_line)), float(np.exp(capped)), float(np.exp(quadratic[at] @ by_square)), additive]


def with_alternatives(
    predictions: pd.DataFrame, training: pd.DataFrame, tables: Tables, settings: Serving
) -> pd.DataFrame:
    """The held-out predictions of our forms and of all alternatives, in a fixed order."""
    saturated = training[training["load"] == "saturated"]
    by_cell = leave_one_cell_out(saturated)
    cells = saturated.set_index("key", drop=False).loc[by_cell.index]
    parts = [predictions]
    parts += [point_errors(cells, by_cell[form].to_numpy(), "cell", str(form)) for form in by_cell]
    timed = training[training["in_step"]].reset_index(drop=True)
    p = prepare(timed, tables, settings)
    groups = {"laboratory": timed["laboratory"], "model": p.rows["model_level"]}
    outside = ecologits_of(p)
    for left_out, group in groups.items():
        for form, predicted in pooled(timed, p, group.to_numpy(object)).items():
            parts.append(point_errors(timed, predicted, left_out, form))
        for quantity, predicted in outside.items():
            parts.append(point_errors(timed, predicted, left_out, "EcoLogits", quantity))
    return pd.concat(parts, ignore_index=True).sort_values([*ORDER, "key"], ignore_index=True)


def pooled(rows: pd.DataFrame, p: Prepared, groups: np.ndarray) -> dict[str, Array]:
    """Tokens/s of each row by ordinary least squares of ln step time on the rows of other groups, (n,).

    Linear in ln of batch, parameters, accelerators, bandwidth, arithmetic, prompt and answer, with the
    engine; or with squares and products of batch.
    """
    batch = np.log(p.load.concurrency)
    rest = [
        np.log(p.arch.total_params),
        np.log(p.arch.active_params),
        np.log(p.load.gpus),
        np.log(p.chip.bandwidth),
        np.log(p.chip.peak_weight),
        np.log(p.load.input_tokens),
        np.log(p.load.output_tokens),
        p.load.weight_bits,
        *(rows["engine"] == engine for engine in ("SGLang", "TensorRT-LLM")),
    ]
    linear = np.column_stack([np.ones(len(rows)), batch, *(np.asarray(one, float) for one in rest)])
    products = np.column_stack([batch**2, *(batch * np.asarray(one, float) for one in rest[:7])])
    log_step = batch - np.log(rows[RATE].to_numpy(float))
    found = {}
    for name, design in zip(POOLED, (linear, np.column_stack([linear, products])), strict=True):
        predicted = np.empty(len(rows))
        for group in pd.unique(groups):
            out = groups == group
            fitted = sm.OLS(log_step[~out], design[~out]).fit()
            predicted[out] = np.exp(batch[out] - fitted.predict(design[out]))
        found[name] = predicted
    return found


def ecologits_of(p: Prepared) -> dict[str, Array]:
    """What EcoLogits, which is fitted to none of the rows, predicts of each at its batch, (n,)."""
    keys = [p.arch.active_params / 1e9, p.arch.total_params / 1e9, p.load.weight_bits, p.load.concurrency]
    each, at = np.unique(np.round(np.column_stack(keys), 2), axis=0, return_inverse=True)
    found = np.array([ecologits(*one) for one in each])[at.ravel()]
    return {RATE: found[:, 0], JOULES: found[:, 1]}


def compare(candidates: pd.DataFrame) -> pd.DataFrame:
    """Scores of every candidate by source, the chosen forms marked, best median first."""
    table = scores(candidates, ORDER)
    table["chosen"] = table["form"].map(chosen).map({True: "yes", False: "no"})
    order = ["rows", "left_out", "quantity", "median_abs_ln_error", "form"]
    return table.sort_values(order, ignore_index=True)[list(COMPARISON.columns)]


def select(candidates: pd.DataFrame) -> pd.DataFrame:
    """SELECTION: over laboratories, each with the same weight, whatever the number of its rows."""
    by_laboratory = scores(candidates, ["left_out", "quantity", "form", "laboratory"])
    table = by_laboratory.groupby(["left_out", "quantity", "form"])
    found = pd.DataFrame(
        {
            "laboratories": table.size(),
            "n": table["n"].sum(),
            "mean_median_abs_ln_error": table["median_abs_ln_error"].mean(),
            "sd_of_bias_ln": table["bias_ln"].std(),
            "mean_coverage_90": table["coverage_90"].mean(),
            "mean_interval_score": table["interval_score"].mean(),
        }
    ).reset_index()
    pooled_rows = scores(candidates, ["left_out", "quantity", "form"])
    found = found.merge(
        pooled_rows[["left_out", "quantity", "form", "coverage_90", "p95_over_p5", "interval_score"]]
    )
    found["chosen"] = found["form"].map(chosen).map({True: "yes", False: "no"})
    order = ["left_out", "quantity", "mean_median_abs_ln_error", "form"]
    return found.sort_values(order, ignore_index=True)[list(SELECTION.columns)]
