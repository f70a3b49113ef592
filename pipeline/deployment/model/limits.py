"""What cannot run, whoever serves it: memory, heads over accelerators, context. One sentence a reason.

Weights and the cache of one request of mean length have to fit in the share of memory that engines give to
them; what does not fit beside waits. Attention is split by heads, so that their number divides by that of the
accelerators; mixtures of experts can split attention by request instead and then need experts, or whole
servers, that divide. Engines other than the measured ones (llama.cpp) may split by layer.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from pipeline.servers.model.power import SERVER_GPUS
from pipeline.serving.model import terms as T
from pipeline.serving.model.architecture import Architecture, Array
from pipeline.serving.model.prepare import GIB, Prepared, Tables, prepare
from pipeline.serving.model.settings import ENGINES, Serving


def cannot_run(rows: pd.DataFrame, tables: Tables, settings: Serving) -> list[str]:
    """Reasons of each row, as check_rows returns them, in one text; "" where there is none."""
    answers = rows["output_tokens"].clip(lower=1.0)
    asked = rows.assign(output_tokens=answers, engine=rows["measured_engine"].fillna(ENGINES[0]))
    p = prepare(asked, tables, settings)
    share = settings.memory_share.distribution.median()
    found: list[list[str]] = [[] for _ in range(len(rows))]
    for reasons in (_memory(rows, p, share), _heads(rows, p), _context(rows)):
        for at, reason in reasons:
            found[at].append(reason)
    return ["; ".join(reasons) for reasons in found]


def _memory(rows: pd.DataFrame, p: Prepared, share: float) -> Iterator[tuple[int, str]]:
    weights = T.weight_bytes(p.arch, p.load.weight_bits)
    context = (rows["input_tokens"] + rows["output_tokens"]).to_numpy(float)
    cache = T.cache_bytes_per_gpu(p.arch, p.load, context) * p.load.gpus
    room = share * p.chip.memory * p.load.gpus
    for at in np.flatnonzero(weights + cache > room):
        what = f"{weights[at] / GIB:.4g} GiB of weights"
        if weights[at] <= room[at]:
            what += f" and {cache[at] / GIB:.3g} GiB for the cache of one request"
        whole = f"{p.load.gpus[at]:g} x {p.chip.memory[at] / GIB:.4g} GiB"
        yield int(at), f"{what} do not fit in {share:g} of {whole}"


def _heads(rows: pd.DataFrame, p: Prepared) -> Iterator[tuple[int, str]]:
    gpus = p.load.gpus
    apart = p.arch.is_moe & ((p.arch.experts % gpus == 0) | (gpus % SERVER_GPUS == 0))
    by_layer = (rows["engine"].notna() & rows["measured_engine"].isna()).to_numpy()
    possible = heads_divide(p.arch, gpus) | apart | by_layer | (p.arch.known == 0)
    for at in np.flatnonzero(~possible):
        heads, kv = p.arch.attention_heads[at], p.arch.kv_heads[at]
        what = f"{heads:g} heads, {kv:g} of keys and values,"
        yield int(at), f"{what} do not divide by {gpus[at]:g} accelerators"


def heads_divide(arch: Architecture, gpus: Array) -> Array:
    """Whether each accelerator gets the same number of query heads, and of KV heads or copies of them."""
    kv = (arch.kv_heads % gpus == 0) | (gpus % np.maximum(arch.kv_heads, 1) == 0)
    return np.asarray((arch.attention_heads % gpus == 0) & kv)


def _context(rows: pd.DataFrame) -> Iterator[tuple[int, str]]:
    tokens = (rows["input_tokens"] + rows["output_tokens"]).to_numpy(float)
    longest = rows["max_context_tokens"].to_numpy(float)
    for at in np.flatnonzero(tokens > longest):
        yield (
            int(at),
            (
                f"{tokens[at]:.0f} tokens of prompt and answer exceed the context of {longest[at]:.0f} "
                "(max_context_tokens, where more is served)"
            ),
        )
