"""The headline energies and waters once more: numpy and the hand-kept tables, nothing of pipeline/.

A step of decoding takes what six terms say (weights, products, cache, layers, requests, exchange), fitted to
ML.ENERGY's chat rows by non-negative least squares of relative errors; prompts take what NVIDIA's saturated
cells say; power goes with ln of the batch. Nothing but the tables and the priors of params.yaml is shared.
"""

import csv
import re
from collections.abc import Callable, Iterator
from functools import cache
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


@cache
def fit(alike: Callable[[Instance], bool]) -> tuple[np.ndarray, np.ndarray, float]:
    """Coefficients of a step on vLLM and on TensorRT-LLM, and of prompts.

    Those of all models, brought to the level of a class by one factor; no cache is read faster than rated.
    Saturated cells run hundreds of requests, so they say nothing of what a step takes however few there are:
    reading weights, layers and exchange take on TensorRT-LLM what they take on vLLM; a product of decoding
    takes there what one of a prompt takes, and the cache what it takes of all models.
    """
    every = chat_steps(lambda _: True)
    step = nnls(every, 1 - every[:, 2]) + np.eye(6)[2]
    step = step * np.exp(-np.mean(np.log(chat_steps(alike) @ step)))
    product, held = (
        nnls(np.c_[x[:, 1] + x[:, 3], x[:, 2]], 1 - x[:, 0] * step[0] - x[:, 2] - x[:, 4])[part]
        for part, x in enumerate((saturated(alike), saturated(lambda _: True)))
    )
    return step, np.r_[step[0], product, 1 + held, step[3:]], product


SCORES = prior("serving.step.median.values")["prefill_attention"]  # of the time at rated speed
POWER = power()
SATURATED = prior("servers.H100.saturated_share")["value"]  # of the rating while prompts are computed
BLEND, WINDOW = "published blend", prior("lengths.agents.window")["value"]
CHAT = {"short": ("conversation", "short"), "long": ("reasoning", "long")}
REGIMES = (*CHAT, "agent step", "agent task")
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


def blend() -> Iterator[tuple[tuple[str, str, float, str], float, bool]]:
    """Members of the published blend: above 200 billion parameters."""
    block = TEXT[TEXT.index("    models:\n    - model: DeepSeek-R1") :]
    for name, instance, more in re.findall(r"    - model: (.+)\n      instance: (.+)\n(.+)", block)[:5]:
        if f(MODELS[name]["total_params_b"]) > 200:
            most = float(re.search(r"for (\d+) requests", instance)[1])
            yield instances(name, instance)[0], most, "fleet_gain: true" in more


Lengths = tuple[np.ndarray, np.ndarray, np.ndarray]  # input and output, (N, QUERIES); cached share, (N,)


def of_chat(kind: str, side: str, rng: np.random.Generator) -> Lengths:
    """Of a trace, at the levels of other services, which go together."""
    z = rng.standard_normal((2, N))
    r = np.mean([prior("lengths.production.level_correlation")[end] for end in ("low", "high")])
    levels = [
        lognormal(prior(f"lengths.production.{side}.{which}_level"), one)[:, None]
        for which, one in (("input", z[0]), ("output", r * z[0] + np.sqrt(1 - r**2) * z[1]))
    ]
    given, answer = (empirical(kind, f"{which}_tokens", rng) for which in ("input", "output"))
    return given * levels[0], answer * levels[1], beta("energy.practice.cached_share", rng)


def of_steps(rng: np.random.Generator) -> Lengths:
    """Of an agent's calls, about the mean of its service and within the window."""
    sides = []
    for which in ("input", "output"):
        mean = lognormal(prior(f"lengths.agents.{which}_tokens"), rng.standard_normal(N))
        sides.append(np.minimum(mean[:, None] * about(f"{which}_spread", rng), WINDOW))
    return sides[0], sides[1], beta("lengths.agents.cached_share", rng)


def about(spread: str, rng: np.random.Generator) -> np.ndarray:
    s = prior(f"lengths.agents.{spread}")["value"]
    return np.exp(s * rng.standard_normal((N, QUERIES)) - s**2 / 2)


def beta(path: str, rng: np.random.Generator) -> np.ndarray:
    p = prior(path)
    return rng.beta(p["alpha"], p["beta"], N)


class World:
    """What is not known of a service, (N,): its load, site, engine, server and errors of the fit."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.z = rng.standard_normal((6, N))
        given_away = rng.random(N) < prior("energy.practice.reallocates")["value"]
        moved, kept = (beta(f"energy.{one}utilisation", rng) for one in ("practice.reallocated_", "load."))
        self.load = np.where(given_away, moved, kept)
        self.active = 1 - rng.random(N) * (1 - self.load)
        self.pue = lognormal(prior("energy.pue"), self.z[0])
        self.work = lognormal(prior("serving.cached_work"), self.z[1])
        self.trt = rng.random(N) < prior("energy.deployments.tensorrt_share")["value"]
        # Of one service seen from outside: the time of a step, and the power of its accelerators.
        spreads = [prior(f"serving.spreads.{one}")["value"] for one in ("laboratory", "version")]
        spreads += [prior("serving.power_spreads")[one] for one in ("laboratory", "configuration")]
        self.error = np.exp(np.sqrt(np.sum(np.square(spreads))) * self.z[2])
        # of a node: 8.4 kW in training less its cards
        self.fixed_w = lognormal({"p5": 1150.0, "p95": 3050.0}, self.z[3])

    def configured(self, most: float) -> np.ndarray:
        return lognormal({"p5": prior("energy.deployments.concurrency")["p5"], "p95": most}, self.z[4])

    def gain(self, spread: bool) -> np.ndarray:
        return lognormal(prior("energy.practice.fleet_gain"), self.z[5]) if spread else np.ones(N)


def served(
    item: Instance, most: float, spread: bool, own: np.ndarray, lengths: Lengths, world: World
) -> np.ndarray:
    """Wh that servers draw, idle ones too, for each query in some of the worlds, (own, QUERIES)."""
    (alike,) = (one for one in ALIKE.values() if one(item))
    step_vllm, step_trt, per_prompt = fit(alike)
    given, answer, cached = (side[own] for side in lengths)
    context = given.mean(1) + (answer**2).mean(1) / (2 * answer.mean(1))
    eight, load, active = world.trt[own], world.load[own], world.active[own]
    bits = np.where(eight, 2.0, 1.0)  # its cache is in eight bits, and split by request where experts are
    copies = np.where(eight & (item.share < 1), 1.0, item.copies)
    held = item.tokens * bits / copies / context
    batch = np.clip(np.minimum(world.configured(most)[own], held), 1, 2048)
    batch = np.maximum(batch * load / active, 1.0)
    step = np.where(eight, step_trt[:, None], step_vllm[:, None]) * item.terms(batch, context, copies)
    step[2] /= bits
    grow = step[2] / batch / context
    base = (step.sum(0) - step[2]) / batch
    new = given * (1 - cached[:, None])
    prompt, scores = item.prompt(new, given - new, world.work[own][:, None])
    prompt = per_prompt * prompt + scores
    decode = base[:, None] * answer + grow[:, None] * answer * (given + answer / 2)
    seconds = (prompt + decode) * (world.error / world.gain(spread))[own][:, None]
    reading = prompt.mean(1) / (prompt + decode).mean(1)
    decoding = np.minimum(POWER[0] + POWER[1] * np.log(batch), 1.0)
    gpu_w = item.gpus * item.rated_w * (SATURATED * reading + decoding * (1 - reading))
    wall = world.fixed_w[own] * item.gpus / 8
    idle = (1 / active - 1) * (0.14 * item.gpus * item.rated_w * 1.15 + wall)
    return (1.15 * gpu_w + wall + idle)[:, None] * seconds / 3600


@cache
def median_query(name: str, regime: str) -> tuple[np.ndarray, np.ndarray]:
    """Wh of the servers for the median query of a service of a class, or of the blend, and PUE: (N,)."""
    rng = np.random.default_rng(SEED)
    world, agent = World(rng), regime.startswith("agent")
    lengths = of_steps(rng) if agent else of_chat(*CHAT[regime], rng)
    if name == BLEND:
        every = np.arange(N)
        parts = [served(Instance(*one), *how, every, lengths, world) for one, *how in blend()]
        wh = np.concatenate(parts, axis=1) if regime != "agent task" else np.stack(parts)
    else:
        members, *how = classes()[name]
        able = [one for one in members if not agent or f(MODELS[one[0]]["max_context_tokens"]) >= WINDOW]
        which, wh = rng.integers(len(able), size=N), np.empty((N, QUERIES))
        for at, one in enumerate(able):
            own = np.flatnonzero(which == at)
            wh[own] = served(Instance(*one), *how, own, lengths, world)
    if regime == "agent task":  # so many calls, each at the mean of its service
        steps = lognormal(prior("lengths.agents.steps"), rng.standard_normal(N))
        calls = np.maximum(steps[:, None] * about("steps_spread", rng), 1.0)
        tasks = wh.mean(axis=-1)[..., None] * calls
        wh = np.concatenate(tasks, axis=1) if name == BLEND else tasks
    return np.median(wh, axis=1), world.pue


def service(name: str, regime: str) -> np.ndarray:
    """Wh at the facility."""
    return np.prod(median_query(name, regime), axis=0)


def water(name: str, regime: str) -> tuple[np.ndarray, np.ndarray]:
    """mL on site, and with the water of its electricity, at Microsoft's sites by what their servers draw."""
    found = re.search(r"    microsoft_today:.+?sites: >-\s+(.+?)\n      weights", TEXT, re.S)
    sites = [by_key("sites")[key] for key in re.split(r";\s+", found[1])]
    pue = np.array([f(by_key("pue")[site["pue_key"]]["value"]) for site in sites])
    taken = np.array([f(by_key("wue")[site["wue_key"]]["value"]) for site in sites]) * pue
    grid = np.array([f(by_key("electricity_water")[site["grid_key"]]["value"]) for site in sites])
    weight = np.array([f(site["electricity_mwh"]) for site in sites]) / pue
    weight /= weight.sum()
    used = taken * f(by_key("wue")["ms_fy25_global"]["value"]) / (weight @ taken)
    rng = np.random.default_rng(SEED + 1)
    wh = np.tile(median_query(name, regime)[0], 16)  # many sites for each service
    at, z = rng.choice(len(sites), size=len(wh), p=weight), rng.standard_normal((2, len(wh)))
    onsite = wh * used[at] * lognormal(prior("water.wue_factor"), z[0])
    return onsite, onsite + wh * (pue * grid)[at] * lognormal(prior("water.electricity_factor"), z[1])


@cache
def by_key(name: str) -> dict[str, dict[str, str]]:
    return {row["key"]: row for row in table(f"data/published/{name}.csv")}


if __name__ == "__main__":
    for name in (*ALIKE, BLEND):
        for regime in REGIMES:
            for values in (service(name, regime), *water(name, regime)):
                print(name, regime, *(f"{one:.3g}" for one in np.percentile(values, [5, 50, 95])))
