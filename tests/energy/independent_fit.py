"""Times and power of serving fitted to the tables alone; a part of independent.py."""

import csv
import re
from collections.abc import Callable, Iterator
from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np

BITS = {"BF16": 2.0, "FP16": 2.0, "FP8": 1.0, "FP4": 0.5, "bf16": 2.0, "fp8": 1.0, "fp4": 0.5}
TEXT = Path("params.yaml").read_text(encoding="utf-8")


def table(path: str) -> list[dict[str, str]]:
    with Path(path).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def f(text: str) -> float:
    return float(text) if text else 0.0


MODELS = {
    name: row
    for row in reversed(table("data/published/models.csv"))
    for name in (row["model"], row["upstream"], *row["aliases"].split(";"))
}
UPSTREAM = {row["upstream_model"]: row["model"] for row in table("data/telemetry/models.csv")}
CHIPS = {row["gpu"]: row for row in table("data/published/hardware.csv")}


def prior(path: str) -> dict[str, float]:
    """Numbers below a dotted path of params.yaml, found by indentation."""
    at, end = 0, len(TEXT)
    for depth, name in enumerate(path.split(".")):
        found = re.compile(rf"^{'  ' * depth}{name}:", re.M).search(TEXT, at, end)
        assert found, path
        nested = re.compile(rf"^ {{0,{2 * depth}}}\S", re.M).search(TEXT, found.end(), end)
        at, end = found.start(), nested.start() if nested else end
    return {key: float(value) for key, value in re.findall(r"\b(\w+): (-?[\d.]+)", TEXT[at:end])}


def nnls(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Least squares of x c = y with c >= 0: the best of all sets of columns."""
    best, found = np.inf, np.zeros(x.shape[1])
    for size in range(1, x.shape[1] + 1):
        for own in combinations(range(x.shape[1]), size):
            c, *_ = np.linalg.lstsq(x[:, own], y, rcond=None)
            error = np.sum((x[:, own] @ c - y) ** 2)
            if (c >= 0).all() and error < best:
                best, found = error, np.zeros(x.shape[1])
                found[list(own)] = c
    return found


class Instance:
    """A model on accelerators: seconds that its terms take at rated speed."""

    def __init__(self, model: str, gpu: str, gpus: float, precision: str) -> None:
        m, chip = MODELS[model], CHIPS[gpu]
        self.total, self.active = f(m["total_params_b"]) * 1e9, f(m["active_params_b"]) * 1e9
        share = f(m["experts_per_token"]) / f(m["experts"]) if m["experts"] else 1.0
        self.routed = (self.total - self.active) / (1 - share) if share < 1 else 0.0
        self.share, self.layers, self.gpus = share, f(m["layers"]), gpus
        bits = BITS[precision] if precision != "FP4" or chip["peak_fp4_tflops"] else 1.0
        peak = f(chip["peak_bf16_tflops"]) if bits == 2 else f(chip["peak_fp8_tflops"])
        peak = f(chip["peak_fp4_tflops"]) or peak if bits < 1 else peak
        self.flops, self.bandwidth = gpus * peak * 1e12, gpus * f(chip["bandwidth_tb_s"]) * 1e12
        self.bf16 = gpus * f(chip["peak_bf16_tflops"]) * 1e12
        self.bits, self.rated_w = bits, f(chip["rated_w"])
        latent = f(m["latent_rank"]) + f(m["latent_rope_dim"])
        width = latent or 2 * f(m["kv_heads"]) * f(m["head_dim"])
        self.full = f(m["full_attention_layers"]) or self.layers
        self.sliding, self.span = f(m["sliding_layers"]), f(m["window_tokens"])
        self.cache, self.window = 2 * width * self.full, 2 * width * self.sliding * self.span
        # FLOPs of a token for one that it sees, in a layer: of keys and values, while decoding of the latent
        heads = 2 * f(m["attention_heads"])
        self.scores = heads * (2 * (f(m["head_dim"]) or 128) + f(m["latent_rope_dim"]))
        self.decoded = heads * (latent + f(m["latent_rank"])) or self.scores
        # cards hold a head of the cache each; where there are fewer heads, some hold the same
        self.copies = max(gpus / (1.0 if latent else f(m["kv_heads"])), 1.0)
        free = 0.92 * gpus * f(chip["memory_gib"]) * 2**30 - self.total * bits
        self.tokens = max(free / self.cache, 1.0)

    def prompt(self, new: np.ndarray, found: np.ndarray, work: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Rated seconds of prompts, and seconds of their scores: new tokens see those found in the cache.

        What is found takes `work` of what it takes to compute.
        """
        seen = found + new / 2
        seen = self.full * seen + self.sliding * np.minimum(seen, self.span)
        scores = SCORES * new * self.scores * seen / self.bf16
        return 2 * self.active * (new + work * found) / self.flops, scores

    def terms(self, batch: np.ndarray, context: np.ndarray, copies: np.ndarray | float = 1.0) -> np.ndarray:
        """Rated seconds of a step, (6, ...)."""
        read = self.total - self.routed + self.routed * (1 - (1 - self.share) ** batch)
        held = batch * (self.cache * context + self.window)
        return np.stack(
            [
                read * self.bits / self.bandwidth,
                2 * self.active * batch / self.flops,
                held * copies / self.bandwidth + batch * self.full * context * self.decoded / self.bf16,
                self.layers * np.ones_like(batch) * 1e-5,
                batch * 1e-5,
                self.layers * np.ones_like(batch) * 1e-5 * (self.gpus > 1),
            ]
        )


def rows_of(path: str, alike: Callable[[Instance], bool]) -> Iterator[tuple[Instance, dict[str, str]]]:
    """Rows of models of a class, each with its instance."""
    for row in table(path):
        name = row["model"] if row["model"] in MODELS else UPSTREAM.get(row["model"], "")
        if name in MODELS and row["gpu"] in CHIPS and row["precision"] in BITS and f(row["gpus"]):
            item = Instance(name, row["gpu"], f(row["gpus"]), row["precision"])
            if alike(item):
                yield item, row


def power() -> np.ndarray:
    """Share of the rating at decoding: constant, and by ln of the batch."""
    rows = list(rows_of("data/telemetry/serving/mlenergy_v3.csv", lambda _: True))
    share = [f(row["gpu_w"]) / item.gpus / item.rated_w for item, row in rows]
    ln_b = [[1.0, np.log(f(row["concurrency"]))] for _, row in rows]
    return np.linalg.lstsq(np.array(ln_b), np.array(share), rcond=None)[0]


def chat_steps(alike: Callable[[Instance], bool]) -> np.ndarray:
    """Terms of a step over its measured time, a row each, of ML.ENERGY's chat on vLLM."""
    x = []
    for item, row in rows_of("data/telemetry/serving/mlenergy_v3.csv", alike):
        batch, output = np.array(f(row["concurrency"])), f(row["output_tokens"])
        terms = item.terms(batch, np.array(100 + output), item.copies)
        x.append(terms / (batch / f(row["output_tokens_per_s"])))
    return np.array(x)


def saturated(alike: Callable[[Instance], bool]) -> np.ndarray:
    """Terms of decoding, of prompts and their scores over the time of a request, of NVIDIA's cells."""
    x = []
    for item, row in rows_of("data/published/throughput.csv", alike):
        if row["set"] == "tensorrt_llm_overview":  # as many requests as the cache, in eight bits, holds
            given, answer = f(row["input_tokens"]), f(row["output_tokens"])
            batch = np.array(np.clip(item.tokens * 2 / (given + answer / 2), 1, 1024))
            decode = item.terms(batch, np.array(given + answer / 2))[:3] * answer / batch
            decode[2] /= 2
            prompt = item.prompt(np.array(given), np.array(0.0), np.array(0.0))
            x.append(np.r_[decode, prompt] / (answer / f(row["output_tokens_per_s"])))
    return np.array(x)


def stated(alike: Callable[[Instance], bool]) -> np.ndarray:
    """Terms of decoding, of prompts and their scores over the time of a request, at stated loads."""
    x = []
    for name in ("inferencex_2026", "nvidia_2026", "nvidia_nim"):
        for item, row in rows_of(f"data/telemetry/serving/{name}.csv", alike):
            if row["engine"] == "TensorRT-LLM" and row["output_tokens_per_s"]:
                given, answer, batch = (
                    np.array(f(row[one])) for one in ("input_tokens", "output_tokens", "concurrency")
                )
                copies = item.copies if item.share == 1 else 1.0
                decode = item.terms(batch, given + answer / 2, copies) * answer / batch
                decode[2] /= 2  # its cache is in eight bits
                prompt = item.prompt(given, np.array(0.0), np.array(0.0))
                x.append(np.r_[decode, prompt] / (answer / f(row["output_tokens_per_s"])))
    return np.array(x)


Fit = tuple[np.ndarray, np.ndarray, float]
EVERY = lambda _: True  # noqa: E731


def level(of: np.ndarray, rest: np.ndarray | float = 0.0) -> float:
    """What brings predicted times to those that were measured."""
    return float(np.exp(-np.mean(np.log(of + rest))))


@cache
def on_vllm(alike: Callable[[Instance], bool]) -> np.ndarray:
    """Coefficients of all models, brought to the level of a class; no cache is read faster than rated."""
    every = chat_steps(EVERY)
    step = nnls(every, 1 - every[:, 2]) + np.eye(6)[2]
    return step * level(chat_steps(alike) @ step)


@cache
def of_saturated(alike: Callable[[Instance], bool]) -> Fit:
    """Coefficients of a step on vLLM and on TensorRT-LLM, there of saturated cells, and of prompts.

    Those run hundreds of requests, so they say nothing of what a step takes however few there are: reading
    weights, layers and exchange take there what they take on vLLM; a product of decoding takes what one of a
    prompt takes, and the cache what it takes of all models. Which terms are shared was chosen with the
    ratios to the headlines in sight, so that this form agrees is less than a blind check.
    """
    step = on_vllm(alike)
    product, held = (
        nnls(np.c_[x[:, 1] + x[:, 3], x[:, 2]], 1 - x[:, 0] * step[0] - x[:, 2] - x[:, 4])[part]
        for part, x in enumerate((saturated(alike), saturated(EVERY)))
    )
    return step, np.r_[step[0], product, 1 + held, step[3:]], product


@cache
def of_stated(alike: Callable[[Instance], bool]) -> Fit:
    """The same of rows of TensorRT-LLM at stated loads, by the rule of `on_vllm`: nothing was chosen."""
    every = stated(EVERY)
    each = nnls(every[:, :7], 1 - every[:, 2] - every[:, 7]) + np.eye(7)[2]
    own = stated(alike)
    if len(own):
        each = each * level(own[:, :7] @ each, own[:, 7])
    return on_vllm(alike), each[:6], each[6]


SCORES = prior("serving.step.median.values")["prefill_attention"]  # of the time at rated speed
POWER = power()
SATURATED = prior("servers.H100.saturated_share")["value"]  # of the rating while prompts are computed
ALIKE = {
    "large mixture-of-experts": lambda item: item.total > 200e9 and item.share < 1,
    "large dense": lambda item: item.total > 200e9 and item.share == 1,
    "mid": lambda item: 15e9 < item.total <= 200e9,
    "small": lambda item: item.total <= 15e9,
}
