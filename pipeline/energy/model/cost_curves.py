"""Surrogate of the serving model: cost of a request on a deployment, in each sample, over requests in flight.

Instance-seconds of a request = a (1 - c) I + d c I + b O + k O (I + O/2), with a, b, k, d from the serving
model and c the share of the input that the cache holds: it is found, read, attended to, not computed. They
are asked for at a few concurrencies B; in between, the time of a step, B times each term, is interpolated
linearly in B, and accelerator power in ln B.

This module is all that the analyses know of the serving model: `ServingModel` and `Cost` are what it is asked
and what it answers. It has to give epistemic sample j the same parameters in every call with as many samples,
and the same residual in the rows of one configuration (model, accelerators, precision, engine).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Protocol

import numpy as np
import pandas as pd

from pipeline.core.assumption import Assumption
from pipeline.core.errors import InputError
from pipeline.core.units import Array, Indices
from pipeline.energy.model.samples import Samples
from pipeline.serving.model.deployments import Deployment

ENGINES = ("vLLM", "TensorRT-LLM")
CONCURRENCIES = (1.0, 4.0, 16.0, 48.0, 128.0, 320.0, 800.0, 2048.0)
TERMS = ("a_s_per_input_token", "b_s_per_output_token", "k_s_per_token2", "d_s_per_cached_token")
MOST = 0.5  # of the samples: the engine that the median sample runs


class Cost(Protocol):
    """What is used of the serving model's answer: arrays (rows, samples), concurrency (rows,)."""

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
    def d_s_per_cached_token(self) -> Array:
        """Seconds of the instance for each input token that the cache holds."""

    @property
    def gpu_w(self) -> Array:
        """Power of all accelerators of the instance, W."""

    @property
    def concurrency(self) -> Array:
        """Requests that run: at most what the cache holds."""


class ServingModel(Protocol):
    """The serving model as a function."""

    def __call__(self, rows: pd.DataFrame, samples: int, kept: Indices | None = None, /) -> Cost:
        """What a request costs on rows (`configurations`, with `engine` or without: not stated).

        In a number of epistemic samples, or those of them that are kept.
        """


Price = Callable[[pd.DataFrame], Cost]


@dataclass(frozen=True)
class MeanLengths:
    """Mean lengths at which a deployment is priced, spread of the output, and share of the input cached."""

    input_tokens: float
    output_tokens: float
    output_cv: float
    cached_share: float = 0.0

    @property
    def context_tokens(self) -> float:
        """Mean context of a running request: long outputs stay longer."""
        return self.input_tokens + self.output_tokens * (1 + self.output_cv**2) / 2


@dataclass(frozen=True)
class Terms:
    """Cost of requests at one concurrency each, (S,): seconds and accelerator power of the instance.

    a: of an input token that is computed, what it attends to in the cache included; d: of a cached one.
    """

    a: Array
    b: Array
    k: Array
    d: Array
    gpu_w: Array

    def of_input(self, cached_share: Array | float) -> Array:
        """Instance-seconds of an input token, computed or not, (S,), at cached shares (S,)."""
        return np.asarray(self.a * (1 - cached_share) + self.d * cached_share)

    def seconds(self, input_tokens: Array, output_tokens: Array, cached_share: Array | float = 0.0) -> Array:
        """Instance-seconds of requests, (S, n) for lengths (S, n) and cached shares (S,)."""
        b, k = self.b[:, None], self.k[:, None]
        context = input_tokens + output_tokens / 2
        prompt = self.of_input(cached_share)[:, None] * input_tokens
        return prompt + b * output_tokens + k * output_tokens * context


@dataclass(frozen=True)
class CostCurve:
    """One deployment over concurrency (G,); terms (5, G, n + 1), the last sample being the median one.

    step_terms: B a, B b, B k, B d in s and gpu_w in W. capacity_tokens: context that the cache holds, in
    tokens of all running requests (infinite where the largest concurrency still fits). power_residual, (n +
    1,): ln gpu_w beyond what goes with the time of a step, 0 in the median sample.
    """

    concurrency: Array
    step_terms: Array
    capacity_tokens: float
    power_residual: Array

    @property
    def median_sample(self) -> int:
        """Index of the sample in which every term has its median."""
        return self.step_terms.shape[2] - 1

    def faster(self, times: Array) -> "CostCurve":
        """The same where every term takes 1 / times as long, (n,), at the same power."""
        every = np.r_[times, np.median(times)]
        step_terms = np.concatenate([self.step_terms[:-1] / every, self.step_terms[-1:]])
        return replace(self, step_terms=step_terms)

    def configured(self, wanted: Array, context_tokens: Array) -> Array:
        """Requests in flight at full load: those wanted, unless the cache holds fewer; at least one."""
        held = np.minimum(self.capacity_tokens / context_tokens, self.concurrency[-1])
        return np.maximum(np.minimum(wanted, held), 1.0)

    def at(self, running: Array, sample: Indices) -> Terms:
        """Terms at given requests in flight in given samples, both (S,); fewer than one count as one."""
        running = np.clip(running, self.concurrency[0], self.concurrency[-1])
        above = np.clip(np.searchsorted(self.concurrency, running), 1, len(self.concurrency) - 1)
        low, high = self.concurrency[above - 1], self.concurrency[above]
        share = (running - low) / (high - low)
        ln_share = np.log(running / low) / np.log(high / low)
        weight = np.stack([*[share] * len(TERMS), ln_share])
        flat, each = self.step_terms.reshape(len(self.step_terms), -1), self.step_terms.shape[2]
        place = (above - 1) * each + sample  # twice as fast as to index both axes
        terms = (1 - weight) * flat.take(place, axis=1) + weight * flat.take(place + each, axis=1)
        a, b, k, d = terms[:-1] / running
        return Terms(a, b, k, d, terms[-1])

    def within(self, step_s: Array, context_tokens: Array, running: Array, sample: Indices) -> Array:
        """Requests in flight, (S,), more than are `running`, at which a step without prompts takes `step_s`.

        It takes B b + B k C, as terms linear between the batches of the grid; none is larger than its last.
        """
        batch = np.r_[0.0, self.concurrency]
        steps = np.zeros((len(batch), len(sample)))
        steps[1:] = self.step_terms[1][:, sample] + self.step_terms[2][:, sample] * context_tokens
        longer = (steps > step_s) & (batch[:, None] > running)
        above = np.where(longer.any(axis=0), longer.argmax(axis=0), len(batch) - 1)
        low_s, high_s = (np.take_along_axis(steps, at[None], axis=0)[0] for at in (above - 1, above))
        share = np.clip((step_s - low_s) / (high_s - low_s), 0.0, 1.0)
        return np.asarray(batch[above - 1] + share * (batch[above] - batch[above - 1]))


@dataclass(frozen=True)
class EngineCurves:
    """One deployment on each of ENGINES; `choice`, (n + 1,), says which one a sample runs."""

    curves: tuple[CostCurve, CostCurve]
    choice: Indices

    @property
    def median_sample(self) -> int:
        """Index of the sample in which every term has its median, on the engine that most samples run."""
        return self.curves[0].median_sample

    def configured(self, wanted: Array, context_tokens: Array, sample: Indices) -> Array:
        """As of the engine that the sample runs."""
        return self._chosen(sample, *(curve.configured(wanted, context_tokens) for curve in self.curves))

    def at(self, running: Array, sample: Indices) -> Terms:
        """As of the engine that the sample runs."""
        found = np.empty((len(fields(Terms)), len(sample)))
        for number, curve in enumerate(self.curves):
            own = np.flatnonzero(self.choice[sample] == number)
            terms = curve.at(running[own], sample[own])
            found[:, own] = [getattr(terms, field.name) for field in fields(Terms)]
        return Terms(*found)

    def within(self, step_s: Array, context_tokens: Array, running: Array, sample: Indices) -> Array:
        """As of the engine that the sample runs."""
        found = (curve.within(step_s, context_tokens, running, sample) for curve in self.curves)
        return self._chosen(sample, *found)

    def power_shift(self, throughput: Indices, power: Indices) -> Array:
        """ln by which accelerator power changes if the residual of sample `power` replaces its own, (S,)."""
        residuals = (curve.power_residual for curve in self.curves)
        return self._chosen(throughput, *(one[power] - one[throughput] for one in residuals))

    def _chosen(self, sample: Indices, first: Array, second: Array) -> Array:
        return np.where(self.choice[sample] == 0, first, second)


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
            "cached_input_tokens": lengths.input_tokens * lengths.cached_share,
            "output_tokens": lengths.output_tokens,
            "output_cv": lengths.output_cv,
        }
    )


def cost_curves(cases: Sequence[tuple[Deployment, MeanLengths]], price: Price) -> list[CostCurve]:
    """One curve a case; all are priced in one call, so that sample j is the same in every case."""
    rows = pd.concat([configurations(*case) for case in cases], ignore_index=True)
    cost = price(rows)
    size = len(CONCURRENCIES)
    return [_curve(cost, slice(i * size, (i + 1) * size), lengths) for i, (_, lengths) in enumerate(cases)]


def _curve(cost: Cost, rows: slice, lengths: MeanLengths) -> CostCurve:
    context_tokens = lengths.context_tokens
    held, kept = np.unique(np.asarray(cost.concurrency[rows], dtype=float), return_index=True)
    if len(held) < 2:
        raise InputError(f"the cache holds no two requests of {context_tokens:.0f} tokens: {held.tolist()}")
    limited = held[-1] < CONCURRENCIES[-1]
    terms = [getattr(cost, name)[rows][kept] * held[:, None] for name in TERMS]
    terms[0] = terms[0] / (1 - lengths.cached_share)
    stacked = np.stack([*terms, cost.gpu_w[rows][kept]])
    stacked = np.concatenate([stacked, np.median(stacked, axis=2, keepdims=True)], axis=2)
    capacity = held[-1] * context_tokens if limited else np.inf
    return CostCurve(held, stacked, capacity, _power_residual(stacked))


def _power_residual(step_terms: Array) -> Array:
    """ln gpu_w about its line on ln B b, at the middle of the grid: a slower step draws less."""
    middle = step_terms.shape[1] // 2
    slowness, power = np.log(step_terms[1, middle]), np.log(step_terms[-1, middle])
    covariance = np.cov(slowness, power)
    slope = covariance[0, 1] / covariance[0, 0] if covariance[0, 0] > 0 else 0.0
    residual = power - slope * slowness
    return np.asarray(residual - residual[-1])


def engine_curves(
    lengths_of: Sequence[tuple[Deployment, MeanLengths]],
    model: ServingModel,
    samples: Samples,
    tensorrt_share: Assumption,
    kept: Indices | None = None,
) -> list[EngineCurves]:
    """Cost of each deployment at its mean lengths, on both engines, in every sample or in those kept.

    Where a deployment has a gain of its fleet, a sample has the same gain on both engines.
    """
    every = len(samples)
    samples = samples if kept is None else samples.take(kept)

    def price(rows: pd.DataFrame, engine: str) -> Cost:
        return model(rows.assign(engine=engine), every, kept)

    found = [cost_curves(lengths_of, partial(price, engine=engine)) for engine in ENGINES]
    gains = [fleet_gain(item, samples) for item, _ in lengths_of]
    found = [[curve.faster(times) for curve, times in zip(curves, gains, strict=True)] for curves in found]
    share = tensorrt_share.distribution.median()
    choice = np.r_[samples.engine_uniforms < share, share > MOST].astype(np.int64)
    return [EngineCurves(pair, choice) for pair in zip(*found, strict=True)]


def fleet_gain(deployment: Deployment, samples: Samples) -> Array:
    """Times faster than an instance alone that one of the operator's many is, (n,)."""
    if deployment.fleet_gain is None:
        return np.ones(len(samples))
    return np.asarray(deployment.fleet_gain.distribution.ppf(samples.fleet_uniforms))
