"""The headline energies once more, on a page: numpy and the hand-kept tables, nothing of pipeline/.

A step of decoding takes what six terms say (weights, products, cache, layers, requests, exchange), fitted to
ML.ENERGY's chat rows by non-negative least squares of relative errors; prompts take what NVIDIA's saturated
cells say; power goes with ln of the batch. Nothing but the tables and the priors of params.yaml is shared.
"""

import csv
import re
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path

import numpy as np

N, QUERIES, SEED = 16_000, 128, 1
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
LENGTHS = {row["key"]: row for row in table("data/telemetry/token_lengths.csv")}


def prior(path: str) -> dict[str, float]:
    """Numbers below a dotted path of params.yaml, found by indentation."""
    at, end = 0, len(TEXT)
    for depth, name in enumerate(path.split(".")):
        found = re.compile(rf"^{'  ' * depth}{name}:", re.M).search(TEXT, at, end)
        assert found, path
        nested = re.compile(rf"^ {{0,{2 * depth}}}\S", re.M).search(TEXT, found.end(), end)
        at, end = found.start(), nested.start() if nested else end
    return {key: float(value) for key, value in re.findall(r"\b(\w+): (-?[\d.]+)", TEXT[at:end])}


def lognormal(p: dict[str, float], z: np.ndarray) -> np.ndarray:
    above = p.get("above", 0.0)
    low, high = np.log(p["p5"] - above), np.log(p["p95"] - above)
    return above + np.exp((low + high) / 2 + z * (high - low) / 2 / 1.645)


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
        self.bits, self.rated_w = bits, f(chip["rated_w"])
        width = (
            f(m["latent_rank"]) + f(m["latent_rope_dim"])
            if m["attention"] == "latent"
            else 2 * f(m["kv_heads"]) * f(m["head_dim"])
        )
        self.cache = 2 * width * (f(m["full_attention_layers"]) or self.layers)
        self.window = 2 * width * f(m["sliding_layers"]) * f(m["window_tokens"])
        free = 0.92 * gpus * f(chip["memory_gib"]) * 2**30 - self.total * bits
        self.tokens = max(free / self.cache, 1.0)

    def terms(self, batch: np.ndarray, context: np.ndarray) -> np.ndarray:
        """Rated seconds of a step, (6, ...)."""
        read = self.total - self.routed + self.routed * (1 - (1 - self.share) ** batch)
        held = batch * (self.cache * context + self.window)
        return np.stack(
            [
                read * self.bits / self.bandwidth,
                2 * self.active * batch / self.flops,
                held / self.bandwidth,
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
        x.append(item.terms(batch, np.array(100 + output)) / (batch / f(row["output_tokens_per_s"])))
    return np.array(x)


def saturated(alike: Callable[[Instance], bool]) -> np.ndarray:
    """Terms of decoding and of prompts over the measured time of a request, of NVIDIA's saturated cells."""
    x = []
    for item, row in rows_of("data/published/throughput.csv", alike):
        if row["set"] == "tensorrt_llm_overview":  # as many requests as the cache, in eight bits, holds
            given, answer = f(row["input_tokens"]), f(row["output_tokens"])
            batch = np.array(np.clip(item.tokens * 2 / (given + answer / 2), 1, 1024))
            decode = item.terms(batch, np.array(given + answer / 2))[:3] * answer / batch
            decode[2] /= 2
            prompt = 2 * item.active * given / item.flops
            x.append(np.r_[decode, prompt] / (answer / f(row["output_tokens_per_s"])))
    return np.array(x)


def fit(alike: Callable[[Instance], bool]) -> tuple[np.ndarray, np.ndarray, float]:
    """Coefficients of a step on vLLM and on TensorRT-LLM, and of prompts.

    Those of all models, brought to the level of a class: one factor for each engine, and one for prompts.
    Saturated cells run hundreds of requests, so they say nothing of what a step takes however few there are:
    reading weights, layers and exchange take on TensorRT-LLM what they take on vLLM.
    """
    every = chat_steps(lambda _: True)
    step = nnls(every, np.ones(len(every)))
    step = step * np.exp(-np.mean(np.log(chat_steps(alike) @ step)))
    every, own = saturated(lambda _: True), saturated(alike)
    trt = np.r_[step[0], nnls(every[:, 1:], 1 - every[:, 0] * step[0])]
    busy, prompt = nnls(np.c_[own[:, 1:3] @ trt[1:3], own[:, 3]], 1 - own[:, 0] * step[0])
    return step, np.r_[step[0], busy * trt[1:3], step[3:]], prompt


POWER = power()
SATURATED = prior("servers.H100.saturated_share")["value"]  # of the rating while prompts are computed
ALIKE = {
    "large mixture-of-experts": lambda item: item.total > 200e9 and item.share < 1,
    "large dense": lambda item: item.total > 200e9 and item.share == 1,
    "mid": lambda item: 15e9 < item.total <= 200e9,
    "small": lambda item: item.total <= 15e9,
}


def empirical(kind: str, quantity: str, rng: np.random.Generator) -> np.ndarray:
    """Tokens of queries drawn from the histogram of a trace, (N, QUERIES), and its mean."""
    rows = [
        row
        for row in table("data/telemetry/token_length_parts.csv")
        if (row["traffic"], row["quantity"]) == (kind, quantity)
    ]
    low, high, count = (
        np.array([f(row[c]) for row in rows]) for c in ("from_tokens", "to_tokens", "requests")
    )
    at = rng.choice(len(rows), size=(N, QUERIES), p=count / count.sum())
    return low[at] + rng.random((N, QUERIES)) * (high - 1 - low)[at]


def instances(members: str, default: str) -> list[tuple[str, str, float, str]]:
    found = []
    for name in members.split(";"):
        model, _, own = name.strip().partition(" on ")
        gpus, gpu, precision = re.fullmatch(r"(\d+) (.+) in (\w+).*", own or default).groups()
        found.append((model, gpu, float(gpus), precision))
    return found


def classes() -> dict[str, tuple[list[tuple[str, str, float, str]], float, bool]]:
    """Members, most requests in flight and whether experts are spread, by class, from params.yaml."""
    block = TEXT[TEXT.index("    classes:") : TEXT.index("    models:\n    - model: DeepSeek-R1")]
    found = {}
    for part in re.split(r"^    - name: ", block, flags=re.M)[1:]:
        default = re.search(r"instance: (.+)", part)[1]
        members = " ".join(re.search(r"models:(?: >-)?\s*(.+?)\n      \w+:", part, re.S)[1].split())
        members = members.replace("DeepSeek-R1;", "DeepSeek-R1 on 8 H200 in fp8;")
        most = float(re.search(r"for (\d+) requests", default)[1])
        found[part.split("\n")[0]] = (instances(members, default), most, "fleet_gain: true" in part)
    return found


def service(name: str, regime: str) -> np.ndarray:
    """Median query of a service of a class at the facility, Wh, in N worlds."""
    rng = np.random.default_rng(SEED)
    members, most, spread = classes()[name]
    step_vllm, step_trt, per_prompt = fit(ALIKE[name])
    kind, side = {"short": ("conversation", "short"), "long": ("reasoning", "long")}[regime]
    z = rng.standard_normal((8, N))
    r = np.mean([prior("lengths.production.level_correlation")[end] for end in ("low", "high")])
    levels = [
        lognormal(prior(f"lengths.production.{side}.{which}_level"), one)
        for which, one in (("input", z[0]), ("output", r * z[0] + np.sqrt(1 - r**2) * z[1]))
    ]
    given = empirical(kind, "input_tokens", rng) * levels[0][:, None]
    answer = empirical(kind, "output_tokens", rng) * levels[1][:, None]
    context = given.mean(1) + (answer**2).mean(1) / (2 * answer.mean(1))
    practice = {key: prior(f"energy.practice.{key}") for key in ("cached_share", "reallocated_utilisation")}
    cached = rng.beta(practice["cached_share"]["alpha"], practice["cached_share"]["beta"], N)
    kept = prior("energy.load.utilisation")
    given_away = rng.random(N) < prior("energy.practice.reallocates")["value"]
    load = np.where(
        given_away,
        rng.beta(*(practice["reallocated_utilisation"][p] for p in ("alpha", "beta")), N),
        rng.beta(kept["alpha"], kept["beta"], N),
    )
    active = 1 - rng.random(N) * (1 - load)
    pue = lognormal(prior("energy.pue"), z[2])
    configured = lognormal({"p5": prior("energy.deployments.concurrency")["p5"], "p95": most}, z[3])
    gain = lognormal(prior("energy.practice.fleet_gain"), z[4]) if spread else np.ones(N)
    # Of one service seen from outside: the time of a step, and the power of its accelerators.
    spreads = [prior(f"serving.spreads.{one}")["value"] for one in ("laboratory", "version")]
    spreads += [prior("serving.power_spreads")[one] for one in ("laboratory", "configuration")]
    spread_ln = np.sqrt(np.sum(np.square(spreads)))
    error = np.exp(spread_ln * z[5])
    trt = rng.random(N) < prior("energy.deployments.tensorrt_share")["value"]
    which = rng.integers(len(members), size=N)
    fixed_w = lognormal({"p5": 1150.0, "p95": 3050.0}, z[6])  # of a node: 8.4 kW in training less its cards
    found = np.empty(N)
    for at, member in enumerate(members):
        own = which == at
        item, eight = Instance(*member), trt[own]
        held = item.tokens * np.where(eight, 2.0, 1.0) / context[own]
        batch = np.clip(np.minimum(configured[own], held), 1, 2048) * load[own] / active[own]
        batch = np.maximum(batch, 1.0)
        parts = item.terms(batch, context[own])
        scale = np.where(eight, step_trt[:, None], step_vllm[:, None])
        step = scale * parts
        step[2] /= np.where(eight, 2.0, 1.0)  # its cache is in eight bits
        grow = step[2] / batch / context[own]
        base = (step.sum(0) - step[2]) / batch
        i, o = given[own], answer[own]
        prompt = per_prompt * 2 * item.active / item.flops * (1 - cached[own])
        seconds = prompt[:, None] * i + base[:, None] * o + grow[:, None] * o * (i + o / 2)
        seconds = np.median(seconds, axis=1) * error[own] / gain[own]
        reading = prompt * i.mean(1)
        reading /= reading + base * o.mean(1) + grow * (o * (i + o / 2)).mean(1)
        decoding = np.minimum(POWER[0] + POWER[1] * np.log(batch), 1.0)
        gpu_w = item.gpus * item.rated_w * (SATURATED * reading + decoding * (1 - reading))
        wall = fixed_w[own] * item.gpus / 8
        idle = (1 / active[own] - 1) * (0.14 * item.gpus * item.rated_w * 1.15 + wall)
        found[own] = pue[own] * (1.15 * gpu_w + wall + idle) * seconds / 3600
    return found


if __name__ == "__main__":
    for name, alike in ALIKE.items():
        print(name, *(np.round(one, 2) for one in fit(alike)))
        for regime in ("short", "long"):
            print(name, regime, np.percentile(service(name, regime), [5, 50, 95]).round(3))
