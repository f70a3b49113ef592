"""The terms of one step of continuous batching, at the rated speed of the hardware.

Each of B running requests gets one token a step, and on average B / O of them need their prompt of I tokens
processed, so that

    T = sum_k c_k x_k   [s],     output tokens/s = B / T,     instance-seconds a request = T O / B.

`terms` gives x, shape (n, K). An overhead is counted in the unit that TERMS names.
"""

from dataclasses import dataclass

import numpy as np

from pipeline.serving.model.architecture import Architecture, Array
from pipeline.serving.model.settings import Serving

TERMS = {
    "weights": "touched weight bytes / bandwidth",
    "matmul": "2 * active parameters * B / peak at weight precision",
    "kv": "B * cache bytes / bandwidth",
    "attention": "B * score FLOPs / peak in bf16",
    "kernels": "layers, 10 us each",
    "sync": "layers * log2(GPUs), 10 us each",
    "exchange": "activation bytes of decode and prompt tokens / link",
    "token": "B, 10 us each",
    "step": "1 ms",
    "prefill": "prompt FLOPs / peak at weight precision",
    "prefill_attention": "prompt score FLOPs / peak in bf16",
    "request": "requests a step, 1 ms each",
}
MEMORY = ("weights", "kv")
COMPUTE = ("matmul", "attention", "prefill", "prefill_attention")
INDEX = {name: position for position, name in enumerate(TERMS)}
ACTIVATION_BYTES = 2.0
REDUCTIONS_PER_LAYER = 2.0


@dataclass(frozen=True)
class Load:
    """What runs; arrays (n,)."""

    concurrency: Array  # requests in the batch, mean
    input_tokens: Array
    cached_tokens: Array  # of the input: found in the cache, so read and not computed
    output_tokens: Array
    output_cv: Array  # coefficient of variation of the output length
    age_share: Array  # output so far of running requests over that in steady state; 1 unless measured early
    gpus: Array
    split_by_request: Array  # 1 where attention is split by request (data parallel), not by head
    weight_bits: Array
    cache_bits: Array


@dataclass(frozen=True)
class Chip:
    """Rated speed of one GPU; arrays (n,)."""

    bandwidth: Array  # byte/s
    peak_weight: Array  # FLOP/s at weight precision
    peak_bf16: Array  # FLOP/s
    link: Array  # byte/s
    memory: Array  # byte
    rated_w: Array


def mean_context(load: Load) -> Array:
    """Mean context of a running request, tokens: long outputs stay longer, hence E[O^2] / (2 E[O])."""
    return load.input_tokens + 0.5 * load.output_tokens * (1 + load.output_cv**2) * load.age_share


def cache_split(arch: Architecture, load: Load) -> Array:
    """GPUs that share the cache of one sequence; copies where there are fewer KV heads than GPUs."""
    by_head = np.minimum(load.gpus, arch.kv_heads)
    return np.maximum(np.where(load.split_by_request > 0, load.gpus, by_head), 1)


def cache_bytes_per_gpu(arch: Architecture, load: Load, context: Array) -> Array:
    """Cache bytes of one sequence on one GPU."""
    return arch.cache_elements(context) * load.cache_bits / 8 / cache_split(arch, load)


def weight_bytes(arch: Architecture, bits: Array) -> Array:
    """Bytes of all weights."""
    return np.asarray(arch.total_params * bits / 8)


def sequences_that_fit(
    arch: Architecture, load: Load, chip: Chip, settings: Serving, context: Array
) -> Array:
    """Requests whose cache of `context` tokens fits beside the weights, or in the least that is left."""
    memory = chip.memory * load.gpus
    usable, least = settings.memory_share.distribution.median(), settings.shape.values["least_free"]
    free = np.maximum(usable * memory - weight_bytes(arch, load.weight_bits), least * memory)
    need = cache_bytes_per_gpu(arch, load, context) * load.gpus
    return np.asarray(free / need)


def roofline_seconds(x: Array) -> Array:
    """The least time of a step at rated speed, s, (n,): all bytes, or all FLOPs, from `terms`."""
    memory, compute = (x[:, [INDEX[name] for name in names]].sum(axis=1) for names in (MEMORY, COMPUTE))
    return np.asarray(np.maximum(memory, compute))


def cached_seconds(arch: Architecture, load: Load, chip: Chip) -> Array:
    """What `prefill` would be of the cached tokens alone, if they were computed, (n,)."""
    tokens = load.concurrency / load.output_tokens * load.cached_tokens
    return np.asarray(tokens * arch.prompt_flops_per_token() / (load.gpus * chip.peak_weight))


def terms(arch: Architecture, load: Load, chip: Chip, settings: Serving) -> Array:
    """x, shape (n, K), columns as TERMS."""
    b, n = load.concurrency, load.gpus
    prompts = b / load.output_tokens  # prompts a step
    fresh = load.input_tokens - load.cached_tokens
    prompt_tokens = prompts * fresh
    context = mean_context(load)
    # What memory does not hold is not read: where more run than fit at this context, theirs is shorter.
    held = np.minimum(sequences_that_fit(arch, load, chip, settings, context), b)
    touched = arch.touched_params(b, settings.shape.values)
    activations = REDUCTIONS_PER_LAYER * arch.layers * arch.hidden_size * ACTIVATION_BYTES
    x = {
        "weights": touched * load.weight_bits / 8 / (n * chip.bandwidth),
        "matmul": b * arch.matmul_flops_per_token() / (n * chip.peak_weight),
        "kv": held * cache_bytes_per_gpu(arch, load, context) / chip.bandwidth,
        "attention": held * arch.attention_flops(context) / (n * chip.peak_bf16),
        "kernels": arch.layers * 1e-5,
        "sync": arch.layers * np.log2(n) * 1e-5,
        "exchange": (n > 1) * activations * (b + prompt_tokens) / chip.link,
        "token": b * 1e-5,
        "step": np.full_like(b, 1e-3),
        "prefill": prompt_tokens * arch.prompt_flops_per_token() / (n * chip.peak_weight),
        "prefill_attention": prompt_tokens
        * arch.prompt_attention_flops(load.cached_tokens + fresh / 2)
        / (n * chip.peak_bf16),
        "request": prompts * 1e-3,
    }
    return np.column_stack([x[name] for name in TERMS])
