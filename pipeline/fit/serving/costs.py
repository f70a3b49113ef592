"""What one request costs on a configuration, as a function of its lengths.

    instance-seconds = a I + b O + k O (I + O/2)

follows from the terms of a step: a request takes its share, 1/B, of O steps. What is read or computed once a
step (weights, kernels, synchronisation) is shared by the B requests and goes into b, prompts into a; cache
reads and scores of layers that see the whole context, whose cost grows along the output, go into k. What
grows less than linearly (windows) or as the square of the input (scores of prompts) is taken at the means.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.assumptions.serving import Serving
from pipeline.fit.serving import terms as T
from pipeline.fit.serving.architecture import Array
from pipeline.fit.serving.model import ServingModel
from pipeline.fit.serving.predictive import Indices, draw
from pipeline.fit.serving.prepare import Prepared

PER_PROMPT = ("prefill", "prefill_attention", "request")
SHARED = ("weights", "matmul", "kernels", "sync", "token", "step")
PER_CONTEXT = ("kv", "attention")


@dataclass(frozen=True)
class RequestCost:
    """n configurations, D draws; shapes (n, D) unless stated."""

    a_s_per_input_token: Array
    b_s_per_output_token: Array
    k_s_per_token2: Array
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
    rng: np.random.Generator,
    n_draws: int,
    kept: Indices | None = None,
) -> RequestCost:
    """Cost of a request at the concurrency of each row, with parameter and residual error.

    Configurations and kept draws as in predictive.draw. Draw j is one world: the same parameters in all rows,
    the same residual in the rows of one configuration. Averaged over requests with the row's mean lengths and
    output_cv, a I + b O + k O (I + O (1 + cv^2) / 2) is output_tokens / output_tokens_per_s, exactly.
    """
    draws = draw(configurations, model, settings, rng, n_draws, kept=kept, with_terms=True)
    seconds = draws.terms_s
    assert seconds is not None
    scale = draws.step_s / seconds.sum(axis=1)  # correction and residual, on every term alike
    a, b, k = split(draws.main, draws.running, seconds)
    return RequestCost(
        a * scale, b * scale, k * scale, draws.gpu_w, draws.output_tokens_per_s, draws.running.mean(axis=1),
        draws.main.load.gpus, draws.basis,
    )  # fmt: skip


def split(p: Prepared, running: Array, seconds: Array) -> tuple[Array, Array, Array]:
    """a, b, k, (n, D), from requests in the batch, (n, D), and seconds of each term of a step, (n, K, D)."""
    load, context = p.load, T.mean_context(p.load)
    part = {name: seconds[:, position] / running for name, position in T.INDEX.items()}
    growing = {
        "kv": _growing_share(p.arch.cache_elements, context),
        "attention": _growing_share(p.arch.attention_flops, context),
    }
    ratio = (load.output_tokens / load.input_tokens)[:, None]
    prompt_share = (1 / (1 + load.output_tokens / load.input_tokens))[:, None]
    a = sum(part[name] for name in PER_PROMPT) + part["exchange"] * prompt_share
    b = sum(part[name] for name in SHARED) + part["exchange"] * (1 - prompt_share)
    b = b + sum(part[name] * (1 - growing[name][:, None]) for name in PER_CONTEXT)
    k = sum(part[name] * growing[name][:, None] for name in PER_CONTEXT)
    return np.asarray(a * ratio), np.asarray(b), np.asarray(k / context[:, None])


def _growing_share(cost: Callable[[Array], Array], context: Array) -> Array:
    """Share of a cost that still grows in proportion to the context, at this context, (n,)."""
    return np.clip(
        context * (cost(context * 1.001) - cost(context)) / (0.001 * context * cost(context)), 0, 1
    )
