"""Every candidate's errors on rows that it did not see, by what was left out and over laboratories."""

import numpy as np
import pandas as pd
import statsmodels.api as sm

from pipeline.serving.model.alternatives import ecologits, leave_one_cell_out
from pipeline.serving.model.architecture import Array
from pipeline.serving.model.contract import COMPARISON, SELECTION
from pipeline.serving.model.held_out import JOULES, RATE, chosen, point_errors, scores
from pipeline.serving.model.prepare import Prepared, Tables, prepare
from pipeline.serving.model.settings import Serving

ORDER = ["rows", "left_out", "quantity", "form"]
POOLED = ("pooled linear", "pooled quadratic")


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
