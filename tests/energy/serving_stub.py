"""A serving model with known costs: a step takes t0 + B t1 + B t2 context + prefill; log-normal samples."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.float64]
CACHE_TOKENS = 400_000.0


@dataclass(frozen=True)
class StubCost:
    a_s_per_input_token: Array
    b_s_per_output_token: Array
    k_s_per_token2: Array
    d_s_per_cached_token: Array
    gpu_w: Array
    concurrency: Array


def stub(spread: float = 0.2, power_spread: float = 0.05, cache_tokens: float = CACHE_TOKENS):
    """A ServingModel with `spread` (sd of ln seconds) and `power_spread` shared by all rows of a sample."""

    def request_cost(rows: pd.DataFrame, samples: int, kept=None) -> StubCost:
        rng = np.random.default_rng(4)
        own = slice(None) if kept is None else kept
        slow = np.exp(spread * rng.standard_normal(samples))[own]
        power = np.exp(power_spread * rng.standard_normal(samples))[own]
        size = rows["active_params_b"].to_numpy()[:, None] / 100
        context = rows["input_tokens"] + rows["output_tokens"] * (1 + rows["output_cv"] ** 2) / 2
        running = np.minimum(rows["concurrency"].to_numpy(), cache_tokens / context.to_numpy())
        step = 0.01 * size / running[:, None] + 0.0001 * size
        return StubCost(
            a_s_per_input_token=1e-5 * size * slow,
            b_s_per_output_token=step * slow,
            k_s_per_token2=1e-8 * slow * np.ones_like(size),
            d_s_per_cached_token=5e-7 * size * slow,
            gpu_w=np.minimum(5600.0, 1800 + 400 * np.log(running))[:, None] * slow**-0.5 * power,
            concurrency=running,
        )

    return request_cost
