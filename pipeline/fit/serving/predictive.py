"""Predictive draws of step time and GPU power for any configuration.

    output tokens/s = B / T;    gpu_w = GPUs * rated_w * p(x / T);    gpu_j_per_output_token = gpu_w T / B

Three things are drawn: the parameters of the step model (the same draw in all rows), the engine where it is
not stated, and the residuals of step time and power in ln, with a spread by what a row rests on, from
params. Those of step time have heavier tails than normal ones, as held-out errors do, but tails thin enough
for a mean over draws to exist; those of power go against them. Rows of one configuration share the draws of
engine and residuals, so that they differ only by what the model says of their concurrency and lengths. A
slower step draws less power through p too.

A measured configuration is corrected towards its own rows (anchors): there the correction replaces the
parameter draws, except for the share of the step that lies beyond the measured lengths.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.special import ndtri

from pipeline.assumptions.serving import Serving
from pipeline.fit.serving import terms as T
from pipeline.fit.serving.architecture import Array
from pipeline.fit.serving.corrections import Correction, corrections
from pipeline.fit.serving.model import ServingModel, anchor_keys, rated_power_w
from pipeline.fit.serving.power import HIGHEST, LOWEST
from pipeline.fit.serving.prepare import TENSORRT, VLLM, Prepared, has_units, prepare
from pipeline.fit.serving.rows import complete, configuration_numbers, tensorrt_share
from pipeline.fit.serving.shapes import SPARSE_FROM
from pipeline.fit.serving.steps import coefficients, step_seconds, total_seconds

Bool = NDArray[np.bool_]
Indices = NDArray[np.int64]
# Of held-out errors of throughput, the middle half is as narrow for its 90 % interval as this makes it: half
# are below 0.35 of the 90th percentile, of normal ones 0.41.
TAIL = 1.4
NORMAL_P95 = 1.6448536


@dataclass(frozen=True)
class OnEngine:
    """The rows as one engine runs them, and their design matrix."""

    p: Prepared
    z: sp.csr_matrix


@dataclass(frozen=True)
class Draws:
    """n rows, D draws: running, step_s and gpu_w (n, D)."""

    main: Prepared  # each row under the engine that its basis, batch and power go by
    running: Array  # requests in the batch: engines differ in how many their cache holds
    step_s: Array
    gpu_w: Array
    basis: NDArray[np.object_]
    terms_s: Array | None  # (n, K, D), if asked for: each term of a step; their sum is not yet corrected

    @property
    def output_tokens_per_s(self) -> Array:
        """Of the instance, (n, D)."""
        return np.asarray(self.running / self.step_s)


def draw(
    configurations: pd.DataFrame,
    model: ServingModel,
    settings: Serving,
    rng: np.random.Generator,
    n_draws: int,
    common_residuals: bool = False,
    measured_in_flight: bool = False,
    kept: Indices | None = None,
    with_terms: bool = False,
) -> Draws:
    """Draws for every row; columns model, total_params_b, active_params_b, gpu, gpus, precision, concurrency,
    input_tokens, output_tokens, engine (missing: not stated), output_cv (missing: by rule).

    common_residuals: one residual draw for all rows, so that a row does not depend on the others; right for
    intervals row by row, wrong for sums over configurations. measured_in_flight: concurrency is a mean of
    what ran, not what an instance is configured for, and cut later. kept: which of the n_draws are wanted, as
    they are among all; with_terms: of a step, each term as well.
    """
    rows = complete(configurations, settings, model.tables)
    theta = model.steps.draws(rng, n_draws)
    if kept is not None:
        theta = theta.take(kept, axis=1)
    engines = {
        stack: _on(rows, stack, model, settings, measured_in_flight) for stack in _stacks(rows["engine"])
    }
    main = _main(engines, (rows["engine"] == TENSORRT).to_numpy(bool), model)
    stated = rows["engine"].notna().to_numpy()
    anchored = _anchored(rows, main.p, model) & np.bool_(VLLM in engines)
    share = np.where(stated, rows["engine"] == TENSORRT, tensorrt_share(rows, main.p, settings))
    which = np.zeros(len(rows), int) if common_residuals else configuration_numbers(rows, main.p)
    correlation = settings.residual_correlation.distribution.median()
    uniform, step_noise, power_noise = _noise(rng, which, n_draws, correlation, kept)
    tensorrt = uniform < np.where(anchored, 0.0, share)[:, None]

    basis = _basis(main.p, model, anchored)
    correction = corrections(model, main.p, main.z, anchored, settings)
    step_sd, power_sd = _spreads(basis, main.p, correction, anchored, stated, settings)
    each = {stack: coefficients(one.z, theta) for stack, one in engines.items()}
    drawn = _chosen({stack: total_seconds(each[stack], one.p.x) for stack, one in engines.items()}, tensorrt)
    terms = _terms(engines, each, tensorrt) if with_terms else None
    del each
    running = _chosen({stack: one.p.load.concurrency[:, None] for stack, one in engines.items()}, tensorrt)
    running = np.broadcast_to(running, drawn.shape)
    centre = step_seconds(main.z, model.steps.theta, main.p.x)[:, None]
    measured = centre * (drawn / centre) ** correction.beyond[:, None]
    step_s = np.where(anchored[:, None], measured, drawn) * correction.step[:, None]
    step_s = step_s * np.exp(step_sd[:, None] * step_noise)
    fraction = _chosen(
        {stack: model.power.fraction(one.p, step_s) for stack, one in engines.items()}, tensorrt
    )
    fraction = fraction * correction.power[:, None]
    fraction = np.clip(fraction * np.exp(power_sd[:, None] * power_noise), LOWEST, HIGHEST)
    gpu_w = fraction * rated_power_w(main.p)[:, None]
    return Draws(main.p, running, step_s, gpu_w, basis, terms)


def _main(engines: dict[str, OnEngine], tensorrt: Bool, model: ServingModel) -> OnEngine:
    """Each row on its engine; vLLM where none is stated, as the measured configurations are."""
    if not tensorrt.any() or len(engines) == 1:
        return engines.get(VLLM) or engines[TENSORRT]
    p = engines[TENSORRT].p.where(tensorrt, engines[VLLM].p)
    return OnEngine(p, model.steps.design.matrix(p.rows))


def _terms(engines: dict[str, OnEngine], coefficients_of: dict[str, Array], tensorrt: Bool) -> Array:
    """Seconds of each term of a step, (n, K, D), in the place of the coefficients."""
    for stack, one in engines.items():
        coefficients_of[stack] *= one.p.x[:, :, None]
    return _chosen(coefficients_of, tensorrt[:, None, :])


def _stacks(engine: pd.Series) -> list[str]:
    """The engines that any row may run on."""
    return [stack for stack in (VLLM, TENSORRT) if engine.isna().any() or (engine == stack).any()]


def _on(rows: pd.DataFrame, stack: str, model: ServingModel, settings: Serving, measured: bool) -> OnEngine:
    """The rows on one engine, as many requests in the batch as the cache holds; the others wait.

    In steady state long answers hold most of the cache. Measurements end before: where the number is
    measured, it is cut only when the cache would not hold the requests half way through a mean output.
    """
    sparse = rows["total_params_b"].astype(float) > SPARSE_FROM * rows["active_params_b"].astype(float)
    split = sparse & (rows["gpus"] > 1) & (stack == TENSORRT)
    version = model.latest_version(stack)
    p = prepare(rows.assign(stack=stack, version=version, split_by_request=split.astype(float)), model.tables)
    share = settings.memory_share.distribution.median()
    context = T.mean_context(p.load)
    if measured:
        context = np.minimum(context, p.load.input_tokens + 0.5 * p.load.output_tokens)
    room = T.sequences_that_fit(p.arch, p.load, p.chip, share, context)
    running = np.minimum(p.load.concurrency, np.maximum(room, 1))
    p = p.with_load(replace(p.load, concurrency=running))
    return OnEngine(p, model.steps.design.matrix(p.rows))


def _anchored(rows: pd.DataFrame, p: Prepared, model: ServingModel) -> Bool:
    """Rows that are a measured configuration; those were run by vLLM."""
    keyed = np.isin(anchor_keys(p.rows).astype(str), anchor_keys(model.anchors).astype(str))
    own = rows["engine"].isna() | (rows["engine"] == VLLM)
    return np.asarray(keyed & own.to_numpy(bool))


def _noise(
    rng: np.random.Generator,
    which: Indices,
    n_draws: int,
    correlation: float,
    kept: Indices | None,
) -> tuple[Array, Array, Array]:
    """Uniforms for the engine, unit residuals of step and power; (n, D), equal where `which` is equal.

    A row's draws of each lie at the middles of n_draws equal parts, in an order of its own.
    """
    parts = np.tile((np.arange(n_draws) + 0.5) / n_draws, (int(which.max()) + 1, 1))
    uniform, step, power = (rng.permuted(parts, axis=1) for _ in range(3))
    if kept is not None:
        uniform, step, power = (one.take(kept, axis=1) for one in (uniform, step, power))
    step, power = ndtri(step), ndtri(power)
    power = correlation * step + np.sqrt(1 - correlation**2) * power
    return uniform[which], heavy_tailed(step)[which], power[which]


def heavy_tailed(normal: Array) -> Array:
    """Standard normal draws, stretched so that P5 and P95 stay and what lies between moves together."""
    at = np.sinh(TAIL * np.arcsinh(NORMAL_P95)) / NORMAL_P95
    return np.asarray(np.sinh(TAIL * np.arcsinh(normal)) / at)


def _chosen(found: dict[str, Array], tensorrt: Bool) -> Array:
    """Values by engine, each on the engine of its draw."""
    if len(found) == 1:
        return next(iter(found.values()))
    return np.where(tensorrt, found[TENSORRT], found[VLLM])


def _basis(p: Prepared, model: ServingModel, anchored: Bool) -> NDArray[np.object_]:
    """What evidence a row rests on, (n,); beyond what was measured in kind, or what memory holds, none."""
    same = p.rows["shape_name"].isin(model.measured_models).to_numpy()
    measured_gpu = p.rows["gpu"].isin(model.measured_gpus).to_numpy()
    room = T.sequences_that_fit(p.arch, p.load, p.chip, 1.0, p.load.input_tokens + p.load.output_tokens)
    fits = (T.weight_bytes(p.arch, p.load.weight_bits) < p.chip.memory * p.load.gpus) & (room >= 1)
    seen = measured_gpu & (p.load.gpus <= model.most_gpus) & has_units(p, model.tables)
    inside = np.where(anchored, "measured configuration", np.where(same, "same model", "pooled"))
    return np.where(fits & seen, inside, "extrapolated").astype(object)


def _spreads(
    basis: NDArray[np.object_],
    p: Prepared,
    correction: Correction,
    anchored: Bool,
    stated: Bool,
    settings: Serving,
) -> tuple[Array, Array]:
    """Spread, ln, of the residuals of step time and power, (n,): P95 over 1.645."""

    def of(name: str) -> Array:
        return np.array([getattr(settings.residual_spread[b], name).distribution.median() for b in basis])

    engine = np.where(stated, 0.0, settings.unstated_engine_spread.distribution.median())
    step_beyond = settings.context_spread.step.distribution.median() * correction.beyond
    power_beyond = settings.context_spread.power.distribution.median() * correction.beyond
    guessed = np.where(p.arch.known > 0, 0.0, 1.0)
    step_shape = settings.guessed_shape_spread.step.distribution.median() * guessed
    power_shape = settings.guessed_shape_spread.power.distribution.median() * guessed
    own_step = correction.step_sd**2 + step_beyond**2 + engine**2
    own_power = correction.power_sd**2 + power_beyond**2
    step = np.sqrt(of("step") ** 2 + step_shape**2 + anchored * own_step)
    power = np.sqrt(of("power") ** 2 + power_shape**2 + anchored * own_power)
    return step, power
