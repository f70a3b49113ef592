"""What an input token costs in output tokens, from the fitted cost of a request; for sharing energy in logs.

Instance-seconds of a request are a I + b O + k O (I + O/2) (pipeline/serving/model/costs.py). At the mean
context C of running requests an output token takes b + k C and an input token a, so that an input token
counts as a / (b + k C) output tokens. The time of a step is shared, and its power with it: the ratio of
seconds is that of energies.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from pipeline.serving.model.contract import ANY_OTHER_MODEL, TOKEN_WEIGHTS
from pipeline.serving.model.costs import request_cost
from pipeline.serving.model.model import ServingModel
from pipeline.serving.model.settings import Serving
from pipeline.serving.model.training import PRECISIONS

CONFIGURATION = ["model", "gpu", "gpus", "precision"]
QUANTILES = {"weight_input_p5": 0.05, "weight_input": 0.5, "weight_input_p95": 0.95}
DECIMALS = 5  # whole units of weight in logs


def token_weights(
    chat: pd.DataFrame,
    model: ServingModel,
    settings: Serving,
    lengths: Mapping[str, float],
    in_flight: float,
    seed: int,
) -> pd.DataFrame:
    """TOKEN_WEIGHTS: each measured model, over its configurations and draws, and any other model.

    chat: rows of ML.ENERGY v3, whose configurations are priced at `in_flight` requests in flight (fewer where
    the cache holds fewer) and at mean `lengths`, input_tokens and output_tokens. Any other model: the middle
    of the models' medians, between the 5th and 95th percentile of all draws.
    """
    rows = chat.drop_duplicates(CONFIGURATION).sort_values(CONFIGURATION, ignore_index=True)
    rows = rows[[*CONFIGURATION, "total_params_b", "active_params_b"]].assign(
        **lengths,
        gpus=rows["gpus"].astype("int64"),
        precision=rows["precision"].map(PRECISIONS),
        engine="vLLM",
        output_cv=1.0,
        concurrency=in_flight,
    )
    cost = request_cost(rows, model, settings, seed, settings.draws)
    context = (
        lengths["input_tokens"] + lengths["output_tokens"]
    )  # I + O (1 + cv^2) / 2: long answers stay longer
    weight = cost.a_s_per_input_token / (cost.b_s_per_output_token + cost.k_s_per_token2 * context)
    found = [
        _row(name, weight[of.index], cost.concurrency[of.index].mean()) for name, of in rows.groupby("model")
    ]
    other = _row(ANY_OTHER_MODEL, weight, cost.concurrency.mean())
    middle = float(np.median([row["weight_input"] for row in found]))
    table = pd.DataFrame([*found, other | {"weight_input": middle}])
    return table.round(dict.fromkeys(QUANTILES, DECIMALS))[list(TOKEN_WEIGHTS.columns)]


def _row(name: object, weight: np.ndarray, in_flight: float) -> dict[str, object]:
    quantiles = {label: float(np.quantile(weight, share)) for label, share in QUANTILES.items()}
    return {
        "model": str(name),
        "configurations": len(weight),
        "requests_in_flight": float(in_flight),
    } | quantiles
