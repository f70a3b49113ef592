"""What a request costs on each deployment, in each drawn world, over the requests in flight.

Instance-seconds of a request = a I + b O + k O (I + O/2), with a, b, k from the serving model
(pipeline/fit/serving). They are asked for at a few concurrencies B; in between, the time of a step, B times
each term, is interpolated linearly in B, and accelerator power in ln B.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.assumptions.deployments import Deployment
from pipeline.errors import InputError

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
ENGINES = ("vLLM", "TensorRT-LLM")
CONCURRENCIES = (1.0, 4.0, 16.0, 48.0, 128.0, 320.0, 800.0, 2048.0)
TERMS = ("a_s_per_input_token", "b_s_per_output_token", "k_s_per_token2")


class Cost(Protocol):
    """What is used of the serving model's answer: arrays (rows, draws), concurrency (rows,)."""

    @property
    def a_s_per_input_token(self) -> Array:
        """Seconds of the instance for each input token."""

    @property
    def b_s_per_output_token(self) -> Array:
        """Seconds of the instance for each output token."""

    @property
    def k_s_per_token2(self) -> Array:
        """Seconds of the instance for each output token and token of context."""

    @property
    def gpu_w(self) -> Array:
        """Power of all accelerators of the instance, W."""

    @property
    def concurrency(self) -> Array:
        """Requests that run: at most what the cache holds."""


Price = Callable[[pd.DataFrame], Cost]


@dataclass(frozen=True)
class MeanLengths:
    """Mean lengths at which a deployment is priced, and the coefficient of variation of the output."""

    input_tokens: float
    output_tokens: float
    output_cv: float

    @property
    def context_tokens(self) -> float:
        """Mean context of a running request: long outputs stay longer."""
        return self.input_tokens + self.output_tokens * (1 + self.output_cv**2) / 2


@dataclass(frozen=True)
class Terms:
    """Cost of requests at one concurrency each, (S,): seconds and accelerator power of the instance."""

    a: Array
    b: Array
    k: Array
    gpu_w: Array

    def seconds(self, input_tokens: Array, output_tokens: Array) -> Array:
        """Instance-seconds of requests, (S, n) for lengths (S, n)."""
        a, b, k = (term[:, None] for term in (self.a, self.b, self.k))
        return a * input_tokens + b * output_tokens + k * output_tokens * (input_tokens + output_tokens / 2)


@dataclass(frozen=True)
class CostCurve:
    """One deployment over concurrency (G,); terms (4, G, worlds + 1), the last world being the median one.

    step_terms: B a, B b, B k in s and gpu_w in W. capacity_tokens: context that the cache holds, in tokens of
    all running requests (infinite where the largest concurrency still fits). power_residual, (worlds + 1,):
    ln gpu_w beyond what goes with the time of a step, 0 in the median world.
    """

    concurrency: Array
    step_terms: Array
    capacity_tokens: float
    power_residual: Array

    @property
    def median_world(self) -> int:
        """Index of the world in which every term has its median."""
        return self.step_terms.shape[2] - 1

    def faster(self, times: Array) -> "CostCurve":
        """The same where every term takes 1 / times as long, (worlds,), at the same power."""
        every = np.r_[times, np.median(times)]
        step_terms = np.concatenate([self.step_terms[:3] / every, self.step_terms[3:]])
        return replace(self, step_terms=step_terms)

    def configured(self, wanted: Array, context_tokens: Array) -> Array:
        """Requests in flight at full load: those wanted, unless the cache holds fewer; at least one."""
        held = np.minimum(self.capacity_tokens / context_tokens, self.concurrency[-1])
        return np.maximum(np.minimum(wanted, held), 1.0)

    def at(self, running: Array, world: Indices) -> Terms:
        """Terms at given requests in flight in given worlds, both (S,); fewer than one count as one."""
        running = np.clip(running, self.concurrency[0], self.concurrency[-1])
        above = np.clip(np.searchsorted(self.concurrency, running), 1, len(self.concurrency) - 1)
        low, high = self.concurrency[above - 1], self.concurrency[above]
        share = (running - low) / (high - low)
        ln_share = np.log(running / low) / np.log(high / low)
        weight = np.stack([share, share, share, ln_share])
        terms = (1 - weight) * self.step_terms[:, above - 1, world] + weight * self.step_terms[
            :, above, world
        ]
        a, b, k = terms[:3] / running
        return Terms(a, b, k, terms[3])


@dataclass(frozen=True)
class EngineCurves:
    """One deployment on each of ENGINES; `choice`, (worlds + 1,), says which one a world runs."""

    curves: tuple[CostCurve, CostCurve]
    choice: Indices

    @property
    def median_world(self) -> int:
        """Index of the world in which every term has its median, on the engine that most worlds run."""
        return self.curves[0].median_world

    def configured(self, wanted: Array, context_tokens: Array, world: Indices) -> Array:
        """As of the engine that the world runs."""
        return self._chosen(world, *(curve.configured(wanted, context_tokens) for curve in self.curves))

    def at(self, running: Array, world: Indices) -> Terms:
        """As of the engine that the world runs."""
        found = np.empty((len(fields(Terms)), len(world)))
        for number, curve in enumerate(self.curves):
            own = np.flatnonzero(self.choice[world] == number)
            terms = curve.at(running[own], world[own])
            found[:, own] = [getattr(terms, field.name) for field in fields(Terms)]
        return Terms(*found)

    def power_shift(self, throughput: Indices, power: Indices) -> Array:
        """ln by which accelerator power changes if the residual of world `power` replaces its own, (S,)."""
        residuals = (curve.power_residual for curve in self.curves)
        return self._chosen(throughput, *(one[power] - one[throughput] for one in residuals))

    def _chosen(self, world: Indices, first: Array, second: Array) -> Array:
        return np.where(self.choice[world] == 0, first, second)


def configurations(deployment: Deployment, lengths: MeanLengths) -> pd.DataFrame:
    """Rows of the serving model for one deployment, one for each of CONCURRENCIES."""
    return pd.DataFrame(
        {
            "model": deployment.model,
            "total_params_b": deployment.total_params_b,
            "active_params_b": deployment.active_params_b,
            "gpu": deployment.gpu,
            "gpus": deployment.gpus,
            "precision": deployment.precision,
            "concurrency": CONCURRENCIES,
            "input_tokens": lengths.input_tokens,
            "output_tokens": lengths.output_tokens,
            "output_cv": lengths.output_cv,
        }
    )


def cost_curves(cases: Sequence[tuple[Deployment, MeanLengths]], price: Price) -> list[CostCurve]:
    """One curve a case; all are priced in one call, so that draw j is the same world in every case."""
    rows = pd.concat([configurations(*case) for case in cases], ignore_index=True)
    cost = price(rows)
    size = len(CONCURRENCIES)
    return [
        _curve(cost, slice(i * size, (i + 1) * size), lengths.context_tokens)
        for i, (_, lengths) in enumerate(cases)
    ]


def _curve(cost: Cost, rows: slice, context_tokens: float) -> CostCurve:
    held, kept = np.unique(np.asarray(cost.concurrency[rows], dtype=float), return_index=True)
    if len(held) < 2:
        raise InputError(f"the cache holds no two requests of {context_tokens:.0f} tokens: {held.tolist()}")
    limited = held[-1] < CONCURRENCIES[-1]
    terms = [getattr(cost, name)[rows][kept] * held[:, None] for name in TERMS]
    stacked = np.stack([*terms, cost.gpu_w[rows][kept]])
    stacked = np.concatenate([stacked, np.median(stacked, axis=2, keepdims=True)], axis=2)
    capacity = held[-1] * context_tokens if limited else np.inf
    return CostCurve(held, stacked, capacity, _power_residual(stacked))


def _power_residual(step_terms: Array) -> Array:
    """ln gpu_w about its line on ln B b, at the middle of the grid: a slower step draws less."""
    middle = step_terms.shape[1] // 2
    slowness, power = np.log(step_terms[1, middle]), np.log(step_terms[3, middle])
    covariance = np.cov(slowness, power)
    slope = covariance[0, 1] / covariance[0, 0] if covariance[0, 0] > 0 else 0.0
    residual = power - slope * slowness
    return np.asarray(residual - residual[-1])
