"""What the step model is compared with, on the same held-out rows.

By configuration of the TensorRT-LLM tables (I input, O output tokens, S tokens/s), leaving one cell out:

    log-linear      ln S = b0 + b1 ln I + b2 ln O               the published form
    capped          the same, at most the largest S seen        the published form with its cap
    log-quadratic   all squares and products of ln I and ln O, slightly ridged
    additive        O / S = a I + b O + k O (I + O/2), a, b, k >= 0

Pooled over the ML.ENERGY rows, leaving configurations or models out: ln step time on ln batch, ln parameters,
ln GPUs, accelerator and precision, linear or with squares and products of batch.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import nnls

from pipeline.fit.serving.architecture import Array
from pipeline.fit.serving.names import joined

FEWEST_CELLS = 7  # of a configuration: six to fit the quadratic, one to predict
QUADRATIC_RIDGE = 1e-2
PER_CONFIGURATION = ("log-linear", "capped", "log-quadratic", "additive")
POOLED = ("pooled linear", "pooled quadratic")


def configuration_of(rows: pd.DataFrame) -> NDArray[np.object_]:
    """One text for all rows measured on one configuration, (n,)."""
    parts = ("source", "version", "model", "gpu", "gpus", "precision", "split_by_request")
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


def pooled(
    rows: pd.DataFrame, shape: pd.DataFrame, groups: NDArray[np.object_]
) -> dict[str, NDArray[np.float64]]:
    """Predicted tokens/s of each row from the rows of other groups, (n,), by form.

    rows: concurrency, output_tokens_per_s, gpu, gpus, precision; shape: total_params and active_params.
    """
    batch, gpus = np.log(rows["concurrency"].to_numpy(float)), np.log(rows["gpus"].to_numpy(float))
    total, active = (np.log(shape[name].to_numpy(float) / 1e9) for name in ("total_params", "active_params"))
    b200 = (rows["gpu"] == "B200").to_numpy(float)
    fp8 = (rows["precision"] == "fp8").to_numpy(float)
    linear = [np.ones(len(rows)), batch, total, active, gpus, b200, fp8]
    squares = [batch**2, batch * total, batch * active, batch * gpus, batch * b200, total**2, active**2]
    log_step = batch - np.log(rows["output_tokens_per_s"].to_numpy(float))
    found = {}
    for name, columns in zip(POOLED, (linear, linear + squares), strict=True):
        design = np.column_stack(columns)
        predicted = np.empty(len(rows))
        for group in pd.unique(groups):
            out = groups == group
            fit = np.linalg.lstsq(design[~out], log_step[~out], rcond=None)[0]
            predicted[out] = np.exp(batch[out] - design[out] @ fit)
        found[name] = predicted
    return found
