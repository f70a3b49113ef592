"""Predictions of every model on every chip in few numbers, for a page that has no Python.

Wh of a query at the server, as `predict` gives it in P5, P50 and P95, over the seconds that a server needs
for it by the terms of the serving model, is smooth in the load. So it is predicted at the same loads for each
configuration, and its ln taken between them by kriging:

    ln q(load) = ln seconds(load) + sum_n kernel(place(load), place(n)) w[n],    exact at these loads,
    kernel(a, b) = exp(-|a - b|^2 / 2) + TREND (1 + a . b)

`place` says how far loads are apart, whether somebody has measured one like it, and how many requests wait;
`errors`, how near all of it comes.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import nnls
from scipy.stats.qmc import Sobol

from pipeline.core.draws import generator
from pipeline.core.processes import side_by_side
from pipeline.deployment.model.contract import OK, QUANTILES
from pipeline.deployment.model.predict import Predictor
from pipeline.deployment.model.rows import check_rows
from pipeline.serving.model.prepare import prepare
from pipeline.serving.model.terms import TERMS

Array = NDArray[np.float64]
BATCHES, PROMPTS, ANSWERS = (1.0, 1024.0), (20.0, 64_000.0), (10.0, 16_000.0)
LOADS = 128  # a power of two
DENSER = 0.6  # of 1: none in the middle is like the next
FITTED = 4  # loads from one that seconds are fitted to, to the next
COUNTS = (1, 2, 4, 8, 16)  # accelerators of one instance
ROOM = 32_768.0  # tokens of context that the fewest of them have to hold
MANY = 1e6  # requests: more than fit anywhere
ENGINE = "vLLM"  # whose cache says how many do: the commonest
CONTEXTS = (256.0, 2048.0, 16_384.0, 131_072.0)
REACH = 4.0  # ln; over which loads are alike
FAR = 2.0  # ln; between a load that was measured and one that was not
WAITING = 1.0  # of ln requests that are asked for over those that run
FEW_TOKENS = 20.0  # what a request costs beside its tokens is about as much
TREND = 10.0  # variance of what is linear in the place, over that of the rest
JITTER = 1e-4
STEP = 1 / 2000  # ln, of the medians that are kept
SPREAD_STEP = 1 / 80  # ln, of what P5 and P95 are away from them
MISSING = -(2**15)
RANDOM = 300  # loads on which errors are taken
USUAL = ((1.0, 256.0), (100.0, 12_000.0), (60.0, 4000.0))  # requests at once, prompt, answer: of these loads
TOLERANCES = {"p5": 0.08, "p50": 0.03, "p95": 0.08}
VALUES = [f"node_wh_per_query_{name}" for name in QUANTILES]


@dataclass(frozen=True)
class Region:
    """Where somebody measured, corners of ln load in units of what is near, (S, 3); what caches save."""

    units: Array  # (3,)
    points: Array
    cached_work: float  # of a cached token, of that to compute it

    @classmethod
    def of(cls, tool: Predictor) -> "Region":
        """Of the serving model's support; points that round to the same half unit are one."""
        near = tool.world.settings.nearness.values
        units = np.array([near["batch"], near["lengths"], near["lengths"]])
        support = tool.world.model.support[["concurrency", "input_tokens", "output_tokens"]]
        points = np.unique(np.round(4 * np.log(support.to_numpy(float)) / units), axis=0) / 4
        return cls(units, points, tool.world.settings.cached_work.distribution.median())

    def outside(self, loads: pd.DataFrame) -> Array:
        """1 where no measured load is near, else 0, (n,)."""
        at = np.log(loads[["running", "input_tokens", "output_tokens"]].to_numpy(float)) / self.units
        distance = np.abs(at[:, None] - self.points).max(axis=2).min(axis=1)
        return np.asarray(distance > 1, dtype=float)


def place(loads: pd.DataFrame, region: Region) -> Array:
    """Coordinates between which distances are taken, (n, 6), of concurrency, running, and three lengths."""
    names = ("concurrency", "running", "input_tokens", "cached_input_tokens", "output_tokens")
    asked, running, prompt, cached, answer = (loads[name].to_numpy(float) for name in names)
    fresh = prompt - (1 - region.cached_work) * cached + FEW_TOKENS
    near = np.log([running, fresh, answer, prompt + answer / 2])
    waiting = np.log(np.maximum(asked / running, 1))
    return np.column_stack([*near, FAR * region.outside(loads), WAITING * waiting]) / REACH


def kernel(one: Array, other: Array) -> Array:
    """Covariance between places, (n, m)."""
    squared = ((one[:, None] - other) ** 2).sum(axis=2)
    return np.asarray(np.exp(-squared / 2) + TREND * (1 + one @ other.T))


@dataclass(frozen=True)
class Steps:
    """What a step takes on each of C configurations: seconds for what it grows with, fitted to `terms`."""

    seconds: Array  # (C, G), of what `grows` gives
    expert_share: Array  # (C,)
    window: Array  # (C,), tokens; 0: none
    exponent: float  # of the tokens of a step, by which experts are touched

    @classmethod
    def of(cls, tool: Predictor, configurations: pd.DataFrame, loads: pd.DataFrame) -> "Steps":
        """By least squares of relative errors over the loads, none below 0."""
        rows = configurations.merge(loads, how="cross")
        asked, settings = check_rows(rows, tool.known).rows.assign(engine=ENGINE), tool.world.settings
        run = prepare(asked, tool.world.model.tables, settings)
        median: Mapping[Any, float] = settings.step.median.values
        needed = run.x @ np.array([median[name] for name in TERMS])
        first = slice(None, None, len(loads))
        share, window = (
            run.arch.expert_share,
            np.where(run.arch.sliding_layers > 0, run.arch.window_tokens, 0),
        )
        exponent = settings.shape.values["routing_exponent"]
        found = cls(np.zeros((len(configurations), 0)), share, window, exponent)
        grown = found.grows(np.arange(len(rows)), rows.assign(running=run.load.concurrency))
        parts = (grown / needed[:, None]).reshape(len(configurations), len(loads), -1)
        size = np.maximum(parts.max(axis=1), np.finfo(float).tiny)
        ones = np.ones(len(loads))
        seconds = [nnls(part / of, ones)[0] / of for part, of in zip(parts, size, strict=True)]
        return cls(np.array(seconds), share[first], window[first], exponent)

    def grows(self, at: NDArray[np.int64], loads: pd.DataFrame) -> Array:
        """What the time of a step grows with, of configurations at loads, (n, G)."""
        names = ("running", "input_tokens", "cached_input_tokens", "output_tokens")
        running, prompt, cached, answer = (loads[name].to_numpy(float) for name in names)
        fresh, prompts, context = prompt - cached, running / answer, prompt + answer / 2
        before, window = cached + fresh / 2, self.window[at]
        experts = 1 - (1 - self.expert_share[at]) ** running**self.exponent
        of_requests = [running, running * context, running * np.minimum(context, window)]
        of_prompts = [fresh, fresh * before, fresh * np.minimum(before, window)]
        return np.column_stack(
            [np.ones(len(loads)), experts, *of_requests, prompts, *(prompts * one for one in of_prompts)]
        )

    def ln_seconds(self, at: NDArray[np.int64], loads: pd.DataFrame) -> Array:
        """Of a server for a query, (n, 1): a step writes a token to every request that runs."""
        prompts = loads["running"].to_numpy(float) / loads["output_tokens"].to_numpy(float)
        step = (self.grows(at, loads) * self.seconds[at]).sum(axis=1)
        return np.asarray(np.log(step / prompts))[:, None]


def spread(points: Array, *ends: tuple[float, float]) -> pd.DataFrame:
    """Loads at points of the unit cube, (n, 4): requests, prompt and answer between ends, what is cached."""
    asked, prompt, answer = (
        np.round(low * (high / low) ** at) for at, (low, high) in zip(points.T[:3], ends, strict=True)
    )
    cached = np.round(prompt * np.clip(2 * points[:, 3] - 1, 0, 0.97))
    names = ("concurrency", "input_tokens", "output_tokens", "cached_input_tokens")
    return pd.DataFrame(dict(zip(names, (asked, prompt, answer, cached), strict=True)))


def designed(seed: int, count: int) -> pd.DataFrame:
    """Loads at which predictions are asked for, more of them of usual lengths."""
    points = Sobol(4, scramble=True, rng=generator(seed, "surface loads")).random(count)
    points[:, 1:3] += DENSER * np.sin(2 * np.pi * points[:, 1:3]) / (2 * np.pi)
    return spread(points, BATCHES, PROMPTS, ANSWERS)


def served(tool: Predictor, models: Sequence[str], chips: Sequence[str]) -> pd.DataFrame:
    """model, gpu and gpus: each model on the fewest accelerators that hold a long context, where any do."""
    every = [(model, chip, count) for model in models for chip in chips for count in COUNTS]
    rows = pd.DataFrame(every, columns=["model", "gpu", "gpus"])
    longest = rows["model"].map(tool.known.models["max_context_tokens"]).fillna(ROOM)
    asked = rows.assign(concurrency=1.0, output_tokens=1.0, input_tokens=np.minimum(longest, ROOM) - 1)
    checked = check_rows(asked, tool.known)
    status, _ = tool.judged(checked)
    rated = checked.hardware.loc[checked.rows["gpu"], "rated_w"].notna().to_numpy()
    held = rows[(status == OK) & rated]
    return held.groupby(["model", "gpu"], sort=False, as_index=False).first()


def predicted(tool: Predictor, rows: pd.DataFrame) -> pd.DataFrame:
    """What `predict` says of configurations at loads, and `running`; no numbers where one cannot run."""
    halves = [rows.iloc[: len(rows) // 2], rows.iloc[len(rows) // 2 :]]
    found = pd.concat(side_by_side(tool.predict, halves), ignore_index=True)
    found.loc[found["status"] != OK, VALUES] = np.nan
    return found.assign(running=found["requests_running"])


def room(tool: Predictor, configurations: pd.DataFrame) -> Array:
    """Requests whose cache fits beside the weights at each of CONTEXTS, (C, len(CONTEXTS))."""
    contexts = pd.DataFrame({"input_tokens": np.array(CONTEXTS) - 1, "output_tokens": 2.0})
    rows = configurations.merge(contexts, how="cross").assign(concurrency=MANY)
    asked = check_rows(rows, tool.known).rows.assign(engine=ENGINE)
    fits = prepare(asked, tool.world.model.tables, tool.world.settings).load.concurrency
    return np.asarray(fits.reshape(len(configurations), -1))


@dataclass(frozen=True)
class Surface:
    """All that the page evaluates."""

    configurations: pd.DataFrame
    loads: pd.DataFrame
    room: Array
    region: Region
    steps: Steps
    medians: NDArray[np.int16]  # (C, N), ln P50 over seconds at the loads, in STEP; MISSING: cannot run
    spreads: NDArray[np.uint8]  # (C, N, 2), ln P50 / P5 and P95 / P50, in SPREAD_STEP

    def running(self, at: int, loads: pd.DataFrame) -> pd.DataFrame:
        """Loads, with how many of the requests that are asked for run."""
        context = loads["input_tokens"].to_numpy(float) + loads["output_tokens"].to_numpy(float) / 2
        most = np.exp(np.interp(np.log(context), np.log(CONTEXTS), np.log(self.room[at])))
        return loads.assign(running=np.minimum(loads["concurrency"].to_numpy(float), most))

    def __call__(self, at: int, loads: pd.DataFrame) -> Array:
        """P5, P50 and P95, Wh, (n, 3), of one configuration."""
        there = self.medians[at] != MISSING
        nodes = place(self.running(at, self.loads[there]), self.region)
        median, (below, above) = self.medians[at, there] * STEP, self.spreads[at, there].T * SPREAD_STEP
        values = np.column_stack([median - below, median, median + above])
        weights = cho_solve(cho_factor(kernel(nodes, nodes) + JITTER * np.eye(len(nodes))), values)
        asked = self.running(at, loads)
        ln = kernel(place(asked, self.region), nodes) @ weights
        return np.asarray(np.exp(ln + self.steps.ln_seconds(np.full(len(loads), at), asked)))

    def packed(self) -> dict[str, Any]:
        """For JSON: numbers of the page whatif.js, arrays as little endian in base 64, row by row."""
        table, loads = self.configurations, self.loads
        return {
            "configurations": {name: table[name].tolist() for name in ("model", "gpu", "gpus")},
            "contexts": list(CONTEXTS),
            "room": [_rounded(row) for row in self.room],
            "reach": REACH,
            "far": FAR,
            "waiting": WAITING,
            "fewTokens": FEW_TOKENS,
            "trend": TREND,
            "jitter": JITTER,
            "cachedWork": self.region.cached_work,
            "units": self.region.units.tolist(),
            "exponent": self.steps.exponent,
            "expertShare": _rounded(self.steps.expert_share),
            "window": _rounded(self.steps.window),
            "seconds": _base64(self.steps.seconds, "<f4"),
            "measured": _base64(4 * self.region.points, "<i2"),
            "loads": dict(
                zip(("batch", "input", "output", "cached"), loads.to_numpy(float).T.tolist(), strict=True)
            ),
            "missing": MISSING,
            "step": STEP,
            "spreadStep": SPREAD_STEP,
            "medians": _base64(self.medians, "<i2"),
            "spreads": _base64(self.spreads, "u1"),
        }


def _rounded(values: Array) -> list[float]:
    return [float(f"{value:.4g}") for value in values]


def _base64(values: NDArray[Any], kind: str) -> str:
    return base64.b64encode(values.astype(kind).tobytes()).decode("ascii")


def surface(tool: Predictor, models: Sequence[str], chips: Sequence[str]) -> Surface:
    """Predict every configuration at every load."""
    found, loads = served(tool, models, chips), designed(tool.world.seed, LOADS)
    steps = Steps.of(tool, found, loads.iloc[::FITTED])
    rows = predicted(tool, found.merge(loads, how="cross"))
    at = np.repeat(np.arange(len(found)), len(loads))
    low, median, high = np.log(rows[VALUES].to_numpy(float)).T
    kept = np.nan_to_num((median - steps.ln_seconds(at, rows)[:, 0]) / STEP, nan=MISSING)
    spreads = np.nan_to_num(np.column_stack([median - low, high - median]) / SPREAD_STEP)
    return Surface(
        found,
        loads,
        room(tool, found),
        Region.of(tool),
        steps,
        np.rint(kept).astype(np.int16).reshape(len(found), -1),
        np.rint(np.clip(spreads, 0, 255)).astype(np.uint8).reshape(len(found), -1, 2),
    )


def errors(tool: Predictor, found: Surface) -> dict[str, dict[str, float]]:
    """Of random loads by band: the share within its tolerance, and what nine errors in ten stay within."""
    rng = generator(tool.world.seed, "surface errors")
    at, loads = rng.integers(len(found.configurations), size=RANDOM), spread(rng.random((RANDOM, 4)), *USUAL)
    rows = predicted(tool, found.configurations.iloc[at].reset_index(drop=True).join(loads))
    ours = np.vstack([found(one, loads.iloc[[n]]) for n, one in enumerate(at)])
    off = np.abs(ours / rows[VALUES].to_numpy(float) - 1)
    off = off[~np.isnan(off).any(axis=1)]
    return {
        name: {
            "tolerance": tolerance,
            "share": float(np.mean(one < tolerance)),
            "p90": float(np.quantile(one, 0.9)),
        }
        for (name, tolerance), one in zip(TOLERANCES.items(), off.T, strict=True)
    }
