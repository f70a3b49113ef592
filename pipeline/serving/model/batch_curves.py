"""Energy per output token and power of the measured chat configurations over the batch, as fitted."""

import numpy as np
import pandas as pd

from pipeline.serving.model.contract import BATCH_CURVES
from pipeline.serving.model.costs import request_cost
from pipeline.serving.model.model import ServingModel
from pipeline.serving.model.settings import Serving
from pipeline.serving.model.training import PRECISIONS

AS_MEASURED = ["total_params_b", "active_params_b", "laboratory", "engine", "engine_date"]
CONFIGURATION = ["model", "gpu", "gpus", "precision"]
POINTS = 9  # a configuration, evenly spaced in logarithm
QUANTILES = {"p5": 0.05, "p50": 0.5, "p95": 0.95}


def configuration_names(rows: pd.DataFrame) -> pd.Series:
    """`Qwen3 8B, 1 B200, BF16`: one text a configuration, in all tables and figures."""
    gpus = rows["gpus"].astype(int).astype(str)
    return rows["model"] + ", " + gpus + " " + rows["gpu"] + ", " + rows["precision"].str.upper()


def curves(chat: pd.DataFrame, model: ServingModel, settings: Serving, seed: int) -> pd.DataFrame:
    """BATCH_CURVES from the least to the largest measured batch; chat: rows of ML.ENERGY v3."""
    grid = _grid(chat, settings.prompt_tokens["chat"].distribution.median())
    configurations = grid.assign(precision=grid["precision"].map(PRECISIONS))
    cost = request_cost(configurations, model, settings, seed, settings.draws)
    rated_w = model.tables.hardware.loc[grid["gpu"], "rated_w"].to_numpy(float) * grid["gpus"].to_numpy(float)
    drawn = {
        "gpu_j_per_output_token": cost.gpu_w / cost.output_tokens_per_s,
        "gpu_power_fraction": cost.gpu_w / rated_w[:, None],
    }
    found = {
        f"{name}_{label}": np.quantile(values, q, axis=1)
        for name, values in drawn.items()
        for label, q in QUANTILES.items()
    }
    table = grid.assign(configuration=configuration_names(grid), **found)
    return table[list(BATCH_CURVES.columns)].sort_values(["configuration", "concurrency"], ignore_index=True)


def _grid(chat: pd.DataFrame, input_tokens: float) -> pd.DataFrame:
    parts = []
    for _, rows in chat.groupby(CONFIGURATION):
        batch = rows["concurrency"]
        first = rows.iloc[[0] * POINTS][[*CONFIGURATION, *AS_MEASURED]]
        parts.append(
            first.assign(
                concurrency=np.geomspace(batch.min(), batch.max(), POINTS),
                output_tokens=rows["output_tokens"].mean(),
                input_tokens=input_tokens,
            )
        )
    grid = pd.concat(parts, ignore_index=True)
    return grid.assign(gpus=grid["gpus"].astype("int64"))
