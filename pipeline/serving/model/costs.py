"""What one request costs on a configuration, as a function of its lengths.

    instance-seconds = a I + d C + b O + k O (I + O/2)

follows from the terms of a step: a request takes its share, 1/B, of O steps. C of the I tokens of the prompt
are in the cache. What is read or computed once a step (weights, kernels, synchronisation) is shared by the B
requests and goes into b, prompts into a; cache reads and scores of layers that see the whole context, whose
cost grows along the output, go into k. What grows less than linearly (windows) or as the square of the input
(scores of prompts) is taken at the means.

From it too: energy per output token and power of the measured chat configurations over the batch; and what an
input token costs in output tokens, for sharing energy in logs. At the mean context C of running requests an
output token takes b + k C and an input token a, so that it counts as a / (b + k C) output tokens. The time of
a step is shared, and its power with it: the ratio of seconds is that of energies.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.serving.model import terms as T
from pipeline.serving.model.architecture import Array
from pipeline.serving.model.contract import ANY_OTHER_MODEL, BATCH_CURVES, TOKEN_WEIGHTS
from pipeline.serving.model.model import ServingModel
from pipeline.serving.model.predictive import Indices, draw
from pipeline.serving.model.prepare import Prepared
from pipeline.serving.model.settings import Serving
from pipeline.serving.model.training import PRECISIONS

PER_PROMPT = ("prefill", "prefill_attention", "request")
SHARED = ("weights", "matmul", "kernels", "sync", "token", "step")
PER_CONTEXT = ("kv", "attention")
CONFIGURATION = ["model", "gpu", "gpus", "precision"]
AS_MEASURED = ["total_params_b", "active_params_b", "laboratory", "engine", "engine_date"]
POINTS = 9  # of a batch curve, evenly spaced in logarithm
QUANTILES = {"p5": 0.05, "p50": 0.5, "p95": 0.95}
WEIGHT_QUANTILES = {"weight_input_p5": 0.05, "weight_input": 0.5, "weight_input_p95": 0.95}
DECIMALS = 5  # whole units of weight in logs


@dataclass(frozen=True)
class RequestCost:
    """n configurations, D draws; shapes (n, D) unless stated."""

    a_s_per_input_token: Array
    b_s_per_output_token: Array
    k_s_per_token2: Array
    d_s_per_cached_token: Array
    gpu_w: Array  # all GPUs of the instance while it serves, W
    output_tokens_per_s: Array  # of the instance at the row's mean lengths
    concurrency: Array  # (n,) requests that run, mean over draws: at most what the cache holds
    gpus: Array  # (n,)
    basis: NDArray[np.object_]  # (n,)

    def seconds(self, input_tokens: Array, output_tokens: Array) -> Array:
        """Instance-seconds of requests; lengths broadcast against (n, D)."""
        context = input_tokens + output_tokens / 2
        return np.asarray(
            self.a_s_per_input_token * input_tokens
            + self.b_s_per_output_token * output_tokens
            + self.k_s_per_token2 * output_tokens * context
        )


def request_cost(
    configurations: pd.DataFrame,
    model: ServingModel,
    settings: Serving,
    rng: np.random.Generator | int,
    n_draws: int,
    kept: Indices | None = None,
) -> RequestCost:
    """Cost of a request at the concurrency of each row, with parameter and residual error.

    Configurations and kept draws as in predictive.draw, in which draw j is one epistemic sample. Averaged
    over requests with the row's mean lengths and output_cv, a I + d C + b O + k O (I + O (1 + cv^2) / 2) is
    output_tokens / output_tokens_per_s, exactly; a is an average over all tokens of the prompt.
    """
    draws = draw(configurations, model, settings, rng, n_draws, kept=kept, with_terms=True)
    seconds = draws.terms_s
    assert seconds is not None
    a, b, k, d = split(draws.main, draws.running, seconds, draws.cached_work)
    return RequestCost(
        a, b, k, d, draws.gpu_w, draws.output_tokens_per_s, draws.running.mean(axis=1),
        draws.main.load.gpus, draws.basis,
    )  # fmt: skip


def split(
    p: Prepared, running: Array, seconds: Array, cached_work: Array
) -> tuple[Array, Array, Array, Array]:
    """a, b, k, d, (n, D), from requests in the batch, (n, D), and seconds of each term of a step, (n, K, D).

    cached_work: what a cached token takes, of the time to compute it, (D,).
    """
    load, context = p.load, T.mean_context(p.load)
    part = {name: seconds[:, position] / running for name, position in T.INDEX.items()}
    growing = {
        "kv": _growing_share(p.arch.cache_elements, context),
        "attention": _growing_share(p.arch.attention_flops, context),
    }
    ratio = (load.output_tokens / load.input_tokens)[:, None]
    prompt_share = (1 / (1 + load.output_tokens / load.input_tokens))[:, None]
    cached = load.cached_tokens[:, None]
    d = part["prefill"] * cached_work / (load.input_tokens[:, None] - cached + cached_work * cached)
    a = sum(part[name] for name in PER_PROMPT) + part["exchange"] * prompt_share - d * cached
    b = sum(part[name] for name in SHARED) + part["exchange"] * (1 - prompt_share)
    b = b + sum(part[name] * (1 - growing[name][:, None]) for name in PER_CONTEXT)
    k = sum(part[name] * growing[name][:, None] for name in PER_CONTEXT)
    d = d * load.output_tokens[:, None]
    return np.asarray(a * ratio), np.asarray(b), np.asarray(k / context[:, None]), np.asarray(d)


def _growing_share(cost: Callable[[Array], Array], context: Array) -> Array:
    """Share of a cost that still grows in proportion to the context, at this context, (n,)."""
    return np.clip(
        context * (cost(context * 1.001) - cost(context)) / (0.001 * context * cost(context)), 0, 1
    )


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
    return table.round(dict.fromkeys(WEIGHT_QUANTILES, DECIMALS))[list(TOKEN_WEIGHTS.columns)]


def _row(name: object, weight: np.ndarray, in_flight: float) -> dict[str, object]:
    quantiles = {label: float(np.quantile(weight, share)) for label, share in WEIGHT_QUANTILES.items()}
    return {
        "model": str(name),
        "configurations": len(weight),
        "requests_in_flight": float(in_flight),
    } | quantiles
