"""Estimators on the same measured chat rows: EcoLogits, the published form, a pooled regression, ours.

EcoLogits takes the precision of the row and either its default batch or the measured one. The published form
has no batch; it applies where its model and server were measured (eight H100, FP8). The pooled regression is
linear in logarithms and predicts each model from all others, among them its twins of the same shape (Llama
3.1 and 3.3 70B), which ours leaves out as well.
"""

import numpy as np
import pandas as pd
import statsmodels.api as sm
from ecologits.impacts.llm import BATCH_SIZE

from pipeline.core.errors import InputError
from pipeline.core.units import Array
from pipeline.ingest.sources import with_role
from pipeline.serving.model.comparison import ecologits
from pipeline.serving.model.held_out import FORMS
from pipeline.serving.model.settings import Serving
from pipeline.validation.model.contract import PEERS, PEERS_SUMMARY

BITS = {"FP8": 8, "BF16": 16, "FP16": 16}
QUANTITIES = ("output_tokens_per_s", "gpu_j_per_output_token")
OURS = "this project"
KEYS = ["method", "batch", "held_out", "quantity"]


def chat_rows(measurements: pd.DataFrame) -> pd.DataFrame:
    """The measured rows: chat under constant load, one a configuration and batch."""
    return with_role(measurements, "chat").sort_values("key", ignore_index=True)


def compare(
    measurements: pd.DataFrame, held_out: pd.DataFrame, fits: pd.DataFrame, settings: Serving
) -> pd.DataFrame:
    """PEERS of every method; SERVING_MEASUREMENTS, HELD_OUT and THROUGHPUT_FIT."""
    rows = chat_rows(measurements)
    found = [
        our_rows(rows, held_out),
        ecologits_rows(rows),
        published_rows(rows, fits, settings.prompt_tokens["chat"].distribution.median()),
        pooled_rows(rows),
    ]
    order = ["method", "batch", "quantity", "key"]
    return pd.concat(found, ignore_index=True).sort_values(order, ignore_index=True)


def ecologits_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """PEERS rows of EcoLogits at its default and at the measured batch."""
    parts = []
    for batch in ("default", "measured"):
        sizes = np.full(len(rows), float(BATCH_SIZE)) if batch == "default" else rows["concurrency"]
        bits = rows["precision"].map(BITS)
        each = zip(rows["active_params_b"], rows["total_params_b"], bits, sizes, strict=True)
        found = [ecologits(*one) for one in each]
        for quantity, predicted in zip(QUANTITIES, np.array(found).T, strict=True):
            parts.append(_compared(rows, "EcoLogits", batch, quantity, predicted))
    return pd.concat(parts, ignore_index=True)


def published_rows(rows: pd.DataFrame, fits: pd.DataFrame, input_tokens: float) -> pd.DataFrame:
    """PEERS rows of the published regression, tokens/s, where model and server are those it was fitted to."""
    regressions = fits[fits["method"] == "regression"].set_index("model")
    applies = (
        rows["model"].isin(regressions.index)
        & (rows["gpu"] == "H100")
        & (rows["gpus"] == 8)
        & (rows["precision"] == "FP8")
    )
    rows = rows[applies].reset_index(drop=True)
    fit = regressions.loc[rows["model"]].reset_index(drop=True)
    log_rate = (
        fit["intercept"]
        + fit["slope_input"] * np.log(input_tokens)
        + fit["slope_output"] * np.log(rows["output_tokens"])
    )
    rate = np.minimum(np.exp(log_rate), fit["largest_tokens_per_s"]).to_numpy(float)
    return _compared(rows, "published log-linear, capped", "none", "output_tokens_per_s", rate)


def pooled_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """PEERS rows of a log-linear regression on batch, sizes, GPUs, accelerator and precision."""
    x = pd.DataFrame(
        {
            "ln_batch": np.log(rows["concurrency"]),
            "ln_total": np.log(rows["total_params_b"]),
            "ln_active": np.log(rows["active_params_b"]),
            "ln_gpus": np.log(rows["gpus"]),
            "b200": (rows["gpu"] == "B200").astype(float),
            "fp8": (rows["precision"] == "FP8").astype(float),
        }
    )
    x = sm.add_constant(x)
    parts = []
    for quantity in QUANTITIES:
        y = np.log(rows[quantity])
        predicted = np.empty(len(rows))
        for model in sorted(rows["model"].unique()):
            out = (rows["model"] == model).to_numpy()
            predicted[out] = np.exp(sm.OLS(y[~out], x[~out]).fit().predict(x[out]))
        parts.append(_compared(rows, "pooled regression", "measured", quantity, predicted))
    return pd.concat(parts, ignore_index=True)


def our_rows(rows: pd.DataFrame, held_out: pd.DataFrame) -> pd.DataFrame:
    """PEERS rows of the chosen form, each model predicted without its rows; held_out: HELD_OUT."""
    parts = []
    for quantity in QUANTITIES:
        form = FORMS[quantity]
        chosen = held_out[
            (held_out["left_out"] == "model")
            & (held_out["form"] == form)
            & (held_out["quantity"] == quantity)
        ].set_index("key")
        missing = rows.loc[~rows["key"].isin(chosen.index), "key"]
        if len(missing):
            raise InputError(f"heldout_predictions.csv: no prediction of {missing.iloc[0]} by {form}")
        predicted = chosen["predicted_p50"].loc[rows["key"]].to_numpy(float)
        parts.append(_compared(rows, OURS, "measured", quantity, predicted))
    return pd.concat(parts, ignore_index=True)


def summarise(peers: pd.DataFrame) -> pd.DataFrame:
    """Errors by method, batch and accelerator, and over both; PEERS_SUMMARY."""
    every = pd.concat([peers, peers.assign(gpu="all")])
    rows = []
    for keys, group in every.groupby([*KEYS, "gpu"]):
        error = group["ln_error"]
        rows.append(
            dict(zip([*KEYS, "gpu"], keys, strict=True))
            | {
                "n": len(group),
                "median_abs_ln_error": error.abs().median(),
                "rmse_ln": float(np.sqrt((error**2).mean())),
                "bias_ln": error.mean(),
            }
        )
    return pd.DataFrame(rows)[list(PEERS_SUMMARY.columns)]


def _compared(rows: pd.DataFrame, method: str, batch: str, quantity: str, predicted: Array) -> pd.DataFrame:
    """Every peer here predicts rows that its fit has not seen."""
    table = rows[["key", "model", "gpu"]].assign(
        method=method,
        batch=batch,
        held_out="yes",
        quantity=quantity,
        measured=rows[quantity],
        predicted=predicted,
        ln_error=np.log(rows[quantity] / predicted),
    )
    return table[list(PEERS.columns)]
