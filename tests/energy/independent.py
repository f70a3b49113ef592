"""The headline energies and waters once more: numpy and the hand-kept tables, nothing of pipeline/.

A step of decoding takes what six terms say (weights, products, cache, layers, requests, exchange), fitted to
ML.ENERGY's chat rows by non-negative least squares of relative errors; TensorRT-LLM and prompts take what
NVIDIA's saturated cells say, or rows at stated loads; power goes with ln of the batch. Nothing but the tables
and the priors of params.yaml is shared.
"""

import re
from collections.abc import Iterator
from functools import cache

import numpy as np

from tests.energy.independent_fit import (
    ALIKE,
    MODELS,
    POWER,
    SATURATED,
    TEXT,
    Instance,
    f,
    of_saturated,
    of_stated,
    prior,
    table,
)

N, QUERIES, SEED = 16_000, 128, 1
BLEND, WINDOW = "published blend", prior("lengths.agents.window")["value"]
CHAT = {"short": ("conversation", "short"), "long": ("reasoning", "long")}
REGIMES = (*CHAT, "agent step", "agent task")
FITS = {"saturated": of_saturated, "stated": of_stated}


def lognormal(p: dict[str, float], z: np.ndarray) -> np.ndarray:
    above = p.get("above", 0.0)
    low, high = np.log(p["p5"] - above), np.log(p["p95"] - above)
    return above + np.exp((low + high) / 2 + z * (high - low) / 2 / 1.645)


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

    def __init__(self, rng: np.random.Generator, rows: str) -> None:
        self.fit = FITS[rows]
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
    step_vllm, step_trt, per_prompt = world.fit(alike)
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
def median_query(name: str, regime: str, rows: str = "saturated") -> tuple[np.ndarray, np.ndarray]:
    """Wh of the servers for the median query of a service of a class, or of the blend, and PUE: (N,).

    rows: of TensorRT-LLM that it is fitted to.
    """
    rng = np.random.default_rng(SEED)
    world, agent = World(rng, rows), regime.startswith("agent")
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


def service(name: str, regime: str, rows: str = "saturated") -> np.ndarray:
    """Wh at the facility."""
    return np.prod(median_query(name, regime, rows), axis=0)


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
            for values in (*(service(name, regime, rows) for rows in FITS), *water(name, regime)):
                print(name, regime, *(f"{one:.3g}" for one in np.percentile(values, [5, 50, 95])))
