"""What the step model is compared with, on the same held-out rows.

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
from ecologits.impacts.llm import compute_llm_impacts_dag
from numpy.typing import NDArray
from scipy.optimize import nnls

from pipeline.core.units import JOULES_PER_KWH
from pipeline.serving.model.architecture import Array
from pipeline.serving.model.names import joined

FEWEST_CELLS = 7  # of a configuration: six to fit the quadratic, one to predict
QUADRATIC_RIDGE = 1e-2
PER_CONFIGURATION = ("log-linear", "capped", "log-quadratic", "additive")
ANY_LATENCY_S = 1e12  # EcoLogits caps generation at a measured request latency; there is none here
TOKENS = 100.0  # of a request; EcoLogits is proportional to them


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
