"""What one request costs on a configuration, as a function of its lengths.

    instance-seconds = a I + d C + b O + k O (I + O/2)

follows from the terms of a step: a request takes its share, 1/B, of O steps. C of the I tokens of the prompt
are in the cache. What is read or computed once a
step (weights, kernels, synchronisation) is shared by the B requests and goes into b, prompts into a; cache
reads and scores of layers that see the whole context, whose cost grows along the output, go into k. What
grows less than linearly (windows) or as the square of the input (scores of prompts) is taken at the means.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.serving.model import terms as T
from pipeline.serving.model.architecture import Array
from pipeline.serving.model.model import ServingModel
from pipeline.serving.model.predictive import Indices, draw
from pipeline.serving.model.prepare import Prepared
from pipeline.serving.model.settings import Serving

PER_PROMPT = ("prefill", "prefill_attention", "request")
SHARED = ("weights", "matmul", "kernels", "sync", "token", "step")
PER_CONTEXT = ("kv", "attention")


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
