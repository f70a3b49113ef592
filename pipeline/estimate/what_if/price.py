"""What the panel knows of cost: each deployment's step terms at a grid of lengths, and what its cache holds.

Terms are priced as the re-estimate prices them (the same draws of the serving model in the same worlds), but
as if the cache held any number of requests; how many it does hold is kept apart, so that the panel can
interpolate over the batch up to there.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.assumptions.deployments import Deployment
from pipeline.assumptions.serving import Serving
from pipeline.estimate.cost_curves import CONCURRENCIES, ENGINES, TERMS, MeanLengths, configurations
from pipeline.estimate.study import ServingModel
from pipeline.estimate.what_if.settings import fixed

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Read = Callable[[Serving], ServingModel]
INPUT_GRID = np.geomspace(20, 128_000, 9)
OUTPUT_GRID = np.geomspace(10, 40_960, 8)
ROOMY = 1e6  # share of memory: any number of requests fits
MANY = 1e9  # requests: more than fit anywhere
AT_ONCE = 2**20  # rows times draws of one call, for the memory that it takes


def grid() -> list[MeanLengths]:
    """Lengths that are the same for all queries; output runs fastest."""
    return [MeanLengths(float(i), float(o), 0.0) for i in INPUT_GRID for o in OUTPUT_GRID]


def without_limit(serving: Serving) -> Serving:
    """The settings with memory for any number of requests."""
    return serving.model_copy(update={"memory_share": fixed(serving.memory_share, ROOMY)})


def step_terms(
    deployments: Sequence[Deployment],
    points: Sequence[MeanLengths],
    engine: str,
    model: ServingModel,
    seed: np.random.SeedSequence,
    draws: int,
    kept: Indices,
) -> NDArray[np.float32]:
    """ln of B a, B b, B k (s) and of power (W) without limit of memory, (deployments, L, G, 4, kept)."""
    each = (len(deployments), len(CONCURRENCIES), len(TERMS) + 1, len(kept))
    found = np.empty((len(points), *each), dtype=np.float32)
    at_once = max(1, AT_ONCE // (len(deployments) * len(CONCURRENCIES) * draws))
    for start in range(0, len(points), at_once):
        some = points[start : start + at_once]
        rows = pd.concat([configurations(item, one) for one in some for item in deployments])
        cost = model(rows.reset_index(drop=True).assign(engine=engine), np.random.default_rng(seed), draws)
        running = rows["concurrency"].to_numpy()[:, None]
        terms = [getattr(cost, name)[:, kept] * running for name in TERMS]
        stacked = np.log(np.stack([*terms, cost.gpu_w[:, kept]], axis=1))
        found[start : start + at_once] = stacked.reshape(len(some), *each)
    return np.moveaxis(found, 0, 1)


def capacities(
    deployments: Sequence[Deployment], points: Sequence[MeanLengths], engine: str, model: ServingModel
) -> Array:
    """Tokens of context that the cache holds, (deployments, L)."""
    rows = [configurations(item, point).iloc[[0]] for item in deployments for point in points]
    many = pd.concat(rows, ignore_index=True).assign(engine=engine, concurrency=MANY)
    held = np.asarray(model(many, np.random.default_rng(0), 1).concurrency, dtype=float)
    return held.reshape(len(deployments), -1) * np.array([point.context_tokens for point in points])


def by_engine(choice: Indices) -> Iterator[tuple[str, Indices]]:
    """Each engine and the worlds that run it."""
    for number, engine in enumerate(ENGINES):
        yield engine, np.flatnonzero(choice == number)
