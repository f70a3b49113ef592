"""What the panel knows of cost: each deployment's step terms at a grid of lengths, and what its cache holds.

Terms are priced as the re-estimate prices them, with the same draws of the serving model in the same worlds.
Where the cache holds fewer requests than a point of the batch, the terms go on up to that point by the power
of the batch by which they last grew; so every length has all points, and the panel finds those of the full
cache on that power, whence it interpolates as the re-estimate does.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.assumptions.deployments import Deployment
from pipeline.estimate.cost_curves import CONCURRENCIES, ENGINES, TERMS, MeanLengths, configurations
from pipeline.estimate.study import ServingModel, fleet_gain

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
INPUT_GRID = np.geomspace(20, 128_000, 9)
OUTPUT_GRID = np.geomspace(10, 40_960, 8)
APART = 1.3  # a full cache closer to a point of the batch gives no power
MANY = 1e9  # requests: more than fit anywhere
SELDOM = 0.05  # weight of terms beyond the full cache, which serve interpolation over lengths alone
AT_ONCE = 2**19  # rows times draws of one call, for the memory that it takes


def grid() -> list[MeanLengths]:
    """Lengths that are the same for all queries; output runs fastest."""
    return [MeanLengths(float(i), float(o), 0.0) for i in INPUT_GRID for o in OUTPUT_GRID]


def step_terms(
    deployments: Sequence[Deployment],
    points: Sequence[MeanLengths],
    engine: str,
    model: ServingModel,
    seed: np.random.SeedSequence,
    draws: int,
    kept: Indices,
) -> NDArray[np.float32]:
    """ln of B a, B b, B k (s) and of power (W), (deployments, L, G, 4, kept worlds)."""
    each = (len(deployments), len(CONCURRENCIES), len(TERMS) + 1, len(kept))
    found = np.empty((len(points), *each), dtype=np.float32)
    at_once = max(1, AT_ONCE // (len(deployments) * len(CONCURRENCIES) * len(kept)))
    for start in range(0, len(points), at_once):
        some = points[start : start + at_once]
        rows = pd.concat([configurations(item, one) for one in some for item in deployments])
        rows = rows.reset_index(drop=True).assign(engine=engine)
        cost = model(rows, np.random.default_rng(seed), draws, kept)
        running = np.asarray(cost.concurrency, dtype=float)
        terms = [getattr(cost, name) * running[:, None] for name in TERMS]
        stacked = np.log(np.stack([*terms, cost.gpu_w], axis=1)).reshape(-1, *each[1:])
        drawn_on = [beyond(*pair) for pair in zip(stacked, running.reshape(len(stacked), -1), strict=True)]
        found[start : start + at_once] = np.stack(drawn_on).reshape(len(some), *each)
    gains = np.log([fleet_gain(item, seed, draws)[kept] for item in deployments])
    found[..., : len(TERMS), :] -= gains[:, None, None].astype(np.float32)
    return np.moveaxis(found, 0, 1)


def beyond(ln_terms: Array, running: Array) -> Array:
    """ln terms, (G, 4, worlds), at all of CONCURRENCIES, from those at the requests that ran, (G,)."""
    wanted = np.array(CONCURRENCIES)
    inside = int(np.sum(running >= wanted))
    if inside == len(wanted):
        return ln_terms
    last = inside - 1  # the cache is full at the first point that it does not reach
    start = last if last == 0 or running[inside] > APART * wanted[last] else last - 1
    slope = (ln_terms[inside] - ln_terms[start]) / np.log(running[inside] / wanted[start])
    found = ln_terms.copy()
    found[inside:] = ln_terms[last] + slope * np.log(wanted[inside:] / wanted[last])[:, None, None]
    return found


def capacities(
    deployments: Sequence[Deployment], points: Sequence[MeanLengths], engine: str, model: ServingModel
) -> Array:
    """Tokens of context that the cache holds, (deployments, L)."""
    rows = [configurations(item, point).iloc[[0]] for item in deployments for point in points]
    many = pd.concat(rows, ignore_index=True).assign(engine=engine, concurrency=MANY)
    held = np.asarray(model(many, np.random.default_rng(0), 1).concurrency, dtype=float)
    return held.reshape(len(deployments), -1) * np.array([point.context_tokens for point in points])


def weights(tokens: Array, points: Sequence[MeanLengths]) -> Array:
    """How much each term matters, (L, 4 G), by the tokens that the cache holds, (L,): fully until then."""
    full = tokens / np.array([point.context_tokens for point in points])
    before = np.array([0.0, *CONCURRENCIES[:-1]])
    needed = np.where(before < full[:, None], 1.0, SELDOM)
    return np.repeat(needed, len(TERMS) + 1, axis=1)


def by_engine(choice: Indices) -> Iterator[tuple[str, Indices]]:
    """Each engine and the worlds that run it."""
    for number, engine in enumerate(ENGINES):
        yield engine, np.flatnonzero(choice == number)
