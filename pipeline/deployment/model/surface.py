"""Predictions of every model on every chip in few numbers, for a page that has no Python.

ln Wh of a query at the server, as `predict` gives it in P5, P50 and P95, is smooth in the load. It is written
as an average plus few components, and each of them as an interpolation (kriging) between loads:

    ln q[j](configuration, load) = sum_r score[configuration, r] component[r, j](load),    score[., 0] = 1
    component[r, j](load) = trend(load) . b[r, j] + sum_n exp(-|place(load) - place(n)|^2 / 2) w[n, r, j]

Components are found on some configurations at all loads; the scores of the others on the loads that tell
most. `place` says how far loads are apart, and whether somebody has measured one like it; nothing here knows
how a server works. tests/present/site/test_what_if.py has how near it comes.
"""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, qr
from scipy.stats.qmc import Sobol

from pipeline.core.draws import generator
from pipeline.core.processes import side_by_side
from pipeline.deployment.model.contract import OK, QUANTILES
from pipeline.deployment.model.predict import Predictor
from pipeline.deployment.model.rows import check_rows
from pipeline.serving.model.prepare import prepare

Array = NDArray[np.float64]
BATCHES = (1.0, 4.0, 16.0, 64.0, 256.0, 1024.0)
PROMPTS, ANSWERS = (20.0, 64_000.0), (10.0, 16_000.0)
LENGTHS = 64
ANCHORS = 128  # configurations that the components are found on
TOLD = 56  # loads that the others are predicted at
COMPONENTS = 48
COUNTS = (1, 2, 4, 8, 16)  # accelerators of one instance
ROOM = 32_768.0  # tokens of context that the fewest of them have to hold
MANY = 1e6  # requests: more than fit anywhere
ENGINE = "vLLM"  # whose cache says how many do: the commonest
CONTEXTS = (256.0, 2048.0, 16_384.0, 131_072.0)
REACH = 3.0  # ln; over which loads are alike
FAR = 5.0  # ln; between a load that was measured and one that was not
FEW_TOKENS = 20.0  # what a request costs beside its tokens is about as much
JITTER = 1e-4  # of the variance
NOISE = 1e-4  # variance of ln that components do not explain
STEPS = 2**15 - 1
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
    """Coordinates between which distances are taken, (n, 5); columns running and the three lengths."""
    names = ("input_tokens", "cached_input_tokens", "output_tokens")
    prompt, cached, answer = (loads[name].to_numpy(float) for name in names)
    fresh = prompt - (1 - region.cached_work) * cached + FEW_TOKENS
    near = [loads["running"].to_numpy(float), fresh, answer, prompt + answer / 2]
    return np.column_stack([*np.log(near), FAR * region.outside(loads)]) / REACH


def trend(at: Array) -> Array:
    """What is taken out before distances matter, of places, (n, T): tokens read and written, by batch."""
    batch, fresh, answer = np.exp(REACH * at[:, :3].T)
    blends = [fresh + c * answer for c in (3, 30)] + [fresh + c * answer / batch for c in (10, 100, 1000)]
    return np.column_stack([np.ones(len(at)), at, *np.log(blends)])


def alike(one: Array, other: Array) -> Array:
    """Kernel between places, (n, m)."""
    squared = ((one[:, None] - other) ** 2).sum(axis=2)
    return np.asarray(np.exp(-squared / 2))


@dataclass(frozen=True)
class Kriging:
    """Weights of the trend and of the nodes that run through values at places, with little noise."""

    nodes: Array
    weights: Array  # (T + N, columns)

    @classmethod
    def through(cls, at: Array, values: Array) -> "Kriging":
        """Values, (n, columns), at places, (n, 5)."""
        design = trend(at)
        factor = cho_factor(alike(at, at) + JITTER * np.eye(len(at)))
        whitened = cho_solve(factor, design)
        inner = design.T @ whitened + 1e-6 * np.eye(design.shape[1])
        slopes = np.linalg.solve(inner, whitened.T @ values)
        return cls(at, np.concatenate([slopes, cho_solve(factor, values - design @ slopes)]))

    def __call__(self, at: Array) -> Array:
        """At other places, (m, columns)."""
        return np.asarray(np.column_stack([trend(at), alike(at, self.nodes)]) @ self.weights)


def designed(seed: int, count: int) -> pd.DataFrame:
    """Loads at which predictions are asked for: every batch with every one of some lengths."""
    points = Sobol(3, scramble=True, rng=generator(seed, "surface loads")).random(count)
    prompt, answer, cached = points.T

    def spread(at: Array, ends: tuple[float, float]) -> Array:
        return np.round(ends[0] * (ends[1] / ends[0]) ** at)

    prompt, answer = spread(prompt, PROMPTS), spread(answer, ANSWERS)
    lengths = pd.DataFrame(
        {
            "input_tokens": prompt,
            "output_tokens": answer,
            "cached_input_tokens": np.round(prompt * np.clip(2 * cached - 1, 0, 0.97)),
        }
    )
    return lengths.merge(pd.DataFrame({"concurrency": BATCHES}), how="cross")


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


def predicted(tool: Predictor, configurations: pd.DataFrame, loads: pd.DataFrame) -> pd.DataFrame:
    """What `predict` says of each configuration at each load that it can serve; `at`: which configuration."""
    rows = configurations.assign(at=range(len(configurations))).merge(loads, how="cross")
    halves = [rows.iloc[: len(rows) // 2], rows.iloc[len(rows) // 2 :]]
    found = pd.concat(side_by_side(tool.predict, halves), ignore_index=True)
    found = found[(found["status"] == OK) & found[VALUES].notna().all(axis=1)]
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
    room: Array
    region: Region
    kriging: Kriging  # columns (R + 1) * 3
    scores: Array  # (C, R)

    def __call__(self, at: int, loads: pd.DataFrame) -> Array:
        """P5, P50 and P95, Wh, (n, 3), of one configuration; `concurrency` as asked for."""
        context = loads["input_tokens"].to_numpy(float) + loads["output_tokens"].to_numpy(float) / 2
        most = np.exp(np.interp(np.log(context), np.log(CONTEXTS), np.log(self.room[at])))
        running = np.minimum(loads["concurrency"].to_numpy(float), most)
        parts = self.kriging(place(loads.assign(running=running), self.region))
        parts = parts.reshape(len(loads), -1, len(VALUES))
        return np.asarray(np.exp(np.einsum("nrj,r->nj", parts, np.r_[1.0, self.scores[at]])))

    def packed(self) -> dict[str, Any]:
        """For JSON: numbers of the page whatif.js, arrays as little endian in base 64, row by row."""
        table, scale = self.configurations, np.abs(self.scores).max(axis=0) / STEPS
        return {
            "configurations": {name: table[name].tolist() for name in ("model", "gpu", "gpus")},
            "contexts": list(CONTEXTS),
            "room": [[float(f"{value:.4g}") for value in row] for row in self.room],
            "reach": REACH,
            "far": FAR,
            "fewTokens": FEW_TOKENS,
            "cachedWork": self.region.cached_work,
            "units": self.region.units.tolist(),
            "measured": _base64(4 * self.region.points, "<i2"),
            "nodes": _base64(self.kriging.nodes, "<f4"),
            "weights": _base64(self.kriging.weights, "<f4"),
            "scale": scale.tolist(),
            "scores": _base64(np.rint(self.scores / scale), "<i2"),
        }


def _base64(values: Array, kind: str) -> str:
    return base64.b64encode(values.astype(kind).tobytes()).decode("ascii")


def surface(tool: Predictor, models: Sequence[str], chips: Sequence[str], lengths: int = LENGTHS) -> Surface:
    """Predict, find components, and the scores of every configuration."""
    found = served(tool, models, chips)
    loads, region = designed(tool.world.seed, lengths), Region.of(tool)
    nodes = place(loads.assign(running=loads["concurrency"]), region)
    some = np.unique(np.linspace(0, len(found) - 1, ANCHORS).astype(int))
    rows = predicted(tool, found.iloc[some], loads)
    values = np.stack([v.ravel() for v in _at_nodes(rows, region, nodes)])
    mean = values.mean(axis=0)
    _, size, components = np.linalg.svd(values - mean, full_matrices=False)
    components, variance = components[:COMPONENTS], size[:COMPONENTS] ** 2 / len(values)
    columns: Any = np.concatenate([mean[None], components]).reshape(-1, len(loads), len(VALUES))
    at_loads = columns.transpose(1, 0, 2)
    kriging = Kriging.through(nodes, at_loads.reshape(len(loads), -1))
    by_load = at_loads[:, 1:].reshape(len(loads), -1)
    told = np.sort(qr(by_load.T, pivoting=True, mode="r")[1][:TOLD])
    scores = np.zeros((len(found), len(components)))
    for at, of in predicted(tool, found, loads.iloc[told]).groupby("at"):
        scores[int(str(at))] = _scores(kriging, of, region, variance)
    return Surface(found, room(tool, found), region, kriging, scores)


def _at_nodes(rows: pd.DataFrame, region: Region, nodes: Array) -> Iterator[Array]:
    """ln values of each configuration at the nodes, (N, 3): as predicted, or beyond what its memory holds."""
    for _, of in rows.groupby("at"):
        yield Kriging.through(place(of, region), np.log(of[VALUES].to_numpy(float)))(nodes)


def _scores(kriging: Kriging, of: pd.DataFrame, region: Region, variance: Array) -> Array:
    """Of one configuration, by least squares; components vary about zero as on the anchors, (R,)."""
    found = kriging(place(of, region)).reshape(len(of), -1, len(VALUES))
    parts = found.transpose(0, 2, 1).reshape(-1, len(variance) + 1)
    left = np.log(of[VALUES].to_numpy(float)).ravel() - parts[:, 0]
    inner = parts[:, 1:].T @ parts[:, 1:] + np.diag(NOISE / variance)
    return np.asarray(np.linalg.solve(inner, parts[:, 1:].T @ left))
