"""Predictive draws of step time and GPU power for any configuration.

    output tokens/s = B / T;    gpu_w = accelerators * rated_w * p(x / T)

Drawn are all parameters of both models, the engine where it is not stated, and what neither explains. Every
one has a stream that belongs to its name: draw j is one sample in all rows and calls, a row does not depend
on the others, and what two rows share cancels in their ratio. A laboratory that is not stated, or that has
not measured the configuration, runs it in its own way: it differs from others that did by the protocol's
spread, and by more, the farther the batch is from theirs. A prompt token that the cache holds takes the share
`cached_work` of the time to compute it, as busy, drawn, since no row of the fit has any. No step is faster
than the roofline, no chip above what its limit holds it at.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.core.draws import uniforms
from pipeline.serving.model import terms as T
from pipeline.serving.model.architecture import Array
from pipeline.serving.model.effects import NONE, Effect, joined
from pipeline.serving.model.fitting import Posterior, normal
from pipeline.serving.model.model import ServingModel
from pipeline.serving.model.power import features
from pipeline.serving.model.prepare import Prepared, as_run, prepare
from pipeline.serving.model.settings import BASES, ENGINES, Serving
from pipeline.serving.model.support import basis

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Streams:
    """How many draws there are, from which seed, and which of them are wanted; widened: as in `draw`."""

    seed: int
    draws: int
    kept: Indices | None = None
    widened: bool = True

    def normal(self, name: str) -> Array:
        """Standard normal draws of a name, (D,)."""
        found = normal(self.seed, name, self.draws)
        return found if self.kept is None else found[self.kept]

    def uniform(self, name: str) -> Array:
        """Uniform draws of a name, (D,)."""
        found = uniforms(self.seed, f"serving {name}", 1, self.draws)[0]
        return found if self.kept is None else found[self.kept]

    def only(self, at: Indices) -> "Streams":
        """Those of the wanted draws at these places."""
        return replace(self, kept=at if self.kept is None else self.kept[at])


@dataclass(frozen=True)
class Draws:
    """n rows, D draws: running, step_s and gpu_w (n, D); gpu_w is nan where the chip has no rated power."""

    main: Prepared  # each row on the engine that it states, or on the commonest
    running: Array  # requests in the batch: engines differ in how many their cache holds
    step_s: Array
    gpu_w: Array
    basis: NDArray[np.object_]
    beyond: NDArray[np.bool_]  # rows that are widened, since they lie beyond what was measured
    terms_s: Array | None  # (n, K, D), if asked for: each term of a step; they sum to step_s
    cached_work: Array  # (D,)

    @property
    def output_tokens_per_s(self) -> Array:
        """Of the instance, (n, D)."""
        return np.asarray(self.running / self.step_s)

    @property
    def roofline_tokens_per_s(self) -> Array:
        """What the rated speed of memory and arithmetic allows at most, (n,)."""
        return np.asarray(self.main.load.concurrency / T.roofline_seconds(self.main.x))

    def take_in(self, some: "Draws", rows: Indices, draws: Indices) -> None:
        """Set these rows in these draws; an engine that nobody states may be the one least measured."""
        there = np.ix_(rows, draws)
        for name in ("running", "step_s", "gpu_w"):
            getattr(self, name)[there] = getattr(some, name)
        if self.terms_s is not None and some.terms_s is not None:
            self.terms_s.swapaxes(1, 2)[there] = some.terms_s.swapaxes(1, 2)
        for at, name in zip(rows, some.basis, strict=True):
            self.basis[at] = max(self.basis[at], name, key=BASES.index)
        self.beyond[rows] |= some.beyond


def draw(
    configurations: pd.DataFrame,
    model: ServingModel,
    settings: Serving,
    rng: np.random.Generator | int,
    n_draws: int,
    kept: Indices | None = None,
    with_terms: bool = False,
    widened: bool = True,
) -> Draws:
    """Draws for every row; columns as in prepare, `engine` and `laboratory` blank where not stated.

    kept: which of the n_draws are wanted, as they are among all; with_terms: of a step, each term as well;
    widened: by what it adds that a row lies beyond what was measured, which moves no median.
    """
    seed = rng if isinstance(rng, int) else int(rng.integers(2**62))
    streams = Streams(seed, n_draws, kept, widened=widened)
    known = _Parameters.of(model, streams)
    rows = configurations.reset_index(drop=True)
    if "engine" not in rows:
        rows["engine"] = pd.Series(pd.NA, index=rows.index, dtype="str")
    share = settings.engine_share.values
    common = max(share, key=lambda name: share[name])
    main = _on_engine(rows, common, model, settings)
    stated = rows["engine"].notna().to_numpy()
    if stated.all():
        return _drawn(main, known, streams, model, settings, with_terms)
    width, blank = known.step.shape[1], np.flatnonzero(~stated)
    found = _empty(main, width, with_terms, cached_work(streams, settings))
    parts = [(np.flatnonzero(stated), np.arange(width), common)]
    odds = model.measured.engine_odds(main.take(blank).rows, np.array([share[engine] for engine in ENGINES]))
    each, group = np.unique(odds, axis=0, return_inverse=True)
    for number, edges in enumerate(np.cumsum(each, axis=1)):
        choice = np.searchsorted(edges[:-1], streams.uniform("engine"))
        some = blank[group.ravel() == number]
        parts += [(some, np.flatnonzero(choice == at), engine) for at, engine in enumerate(ENGINES)]
    for where, draws, engine in parts:
        if len(where) and len(draws):
            p = (
                main.take(where)
                if engine == common
                else _on_engine(rows.iloc[where], engine, model, settings)
            )
            found.take_in(
                _drawn(p, known.only(draws), streams.only(draws), model, settings, with_terms), where, draws
            )
    return found


@dataclass(frozen=True)
class _Parameters:
    """Draws of the shared parameters of step time and of power, (S, D) each."""

    step: Array
    power: Array

    @classmethod
    def of(cls, model: ServingModel, streams: Streams) -> "_Parameters":
        return cls(
            *(one.drawn(streams.seed, streams.draws, streams.kept) for one in (model.step, model.power))
        )

    def only(self, at: Indices) -> "_Parameters":
        return _Parameters(self.step[:, at], self.power[:, at])


def cached_work(streams: Streams, settings: Serving) -> Array:
    """What a cached prompt token takes, of the time to compute it, (D,): the same in all rows."""
    return settings.cached_work.distribution.ppf(streams.uniform("cached work"))


def _empty(main: Prepared, width: int, with_terms: bool, work: Array) -> Draws:
    count = len(main.rows)
    running, step_s, gpu_w = np.empty((3, count, width))
    terms_s = np.empty((count, len(T.TERMS), width)) if with_terms else None
    basis, beyond = np.full(count, BASES[0], dtype=object), np.zeros(count, dtype=bool)
    return Draws(main, running, step_s, gpu_w, basis, beyond, terms_s, work)


def _on_engine(rows: pd.DataFrame, engine: str, model: ServingModel, settings: Serving) -> Prepared:
    """The rows, those without an engine on this one."""
    filled = rows.assign(engine=rows["engine"].fillna(engine))
    return as_run(prepare(filled, model.tables, settings), model.support)


def draw_prepared(p: Prepared, streams: Streams, model: ServingModel, settings: Serving) -> Draws:
    """Draws of rows that are prepared, each with its engine."""
    known = _Parameters.of(model, streams)
    return _drawn(as_run(p, model.support), known, streams, model, settings, False)


def _drawn(
    p: Prepared, known: _Parameters, streams: Streams, model: ServingModel, settings: Serving, terms: bool
) -> Draws:
    """Draws of rows whose engine is settled."""
    rests_on, far = basis(p, model.measured, model.tables, settings)
    run = joined(p.rows["laboratory"], p.rows["configuration"])
    beyond = np.where(far & streams.widened, run, NONE)
    p = replace(p, rows=p.rows.assign(run=run, beyond=beyond))
    work = cached_work(streams, settings)
    x = with_cached(p, work)
    parts = _summed(model.step, p, x, known.step, streams, settings, keep_parts=terms)
    step_s = parts.sum(axis=1) if terms else parts
    bounded = np.maximum(step_s, T.roofline_seconds(p.x)[:, None])
    x = features(x, bounded, settings)
    fraction = _summed(model.power, p, x, known.power, streams, settings, keep_parts=False)
    running = np.repeat(p.load.concurrency[:, None], bounded.shape[1], axis=1)
    held_at = settings.power.held_at.distribution.ppf(streams.uniform("power limit"))
    most_w = np.minimum(held_at * p.rated_w[:, None], p.limit_w[:, None])
    return Draws(
        main=p,
        running=running,
        step_s=bounded,
        gpu_w=np.minimum(fraction * p.rated_w[:, None], most_w),
        basis=rests_on,
        beyond=far,
        terms_s=parts * (bounded / step_s)[:, None, :] if terms else None,
        cached_work=work,
    )


def with_cached(p: Prepared, work: Array) -> Array:
    """Terms with what cached tokens take in `prefill`, (n, K, D); (n, K, 1) where nothing is cached."""
    seconds = T.cached_seconds(p.arch, p.load, p.chip)
    if not seconds.any():
        return p.x[:, :, None]
    x = np.repeat(p.x[:, :, None], len(work), axis=2)
    x[:, T.INDEX["prefill"]] += seconds[:, None] * work
    return x


def _summed(
    posterior: Posterior, p: Prepared, x: Array, theta: Array, streams: Streams, settings: Serving,
    keep_parts: bool,
) -> Array:  # fmt: skip
    """The fitted sum, (n, D), or its parts, (n, K, D); x: (n, K, 1) or (n, K, D); theta: (S, D)."""
    form, width = posterior.form, len(posterior.form.terms)
    partial = [effect for effect in form.effects if effect.terms]
    whole = [effect for effect in form.effects if not effect.terms]
    columns = sorted({c for effect in partial for c in (effect.key, effect.slope) if c})
    combination, first = np.zeros(len(p.rows), int), np.zeros(1, int)
    if columns:
        combination = p.rows.groupby(columns, sort=False).ngroup().to_numpy()
        first = np.unique(combination, return_index=True)[1]
    some = p.rows.iloc[first].reset_index(drop=True)
    log_c = np.repeat(theta[None, :width], len(some), axis=0)
    for effect in partial:
        acts = form.mask(effect)
        log_c[:, acts] += _effect(posterior, effect, some, theta, streams, settings)[:, None]
    coefficients = np.exp(log_c)
    found = np.empty((len(p.rows), width, theta.shape[1]) if keep_parts else (len(p.rows), theta.shape[1]))
    for number, c in enumerate(coefficients):
        rows = np.flatnonzero(combination == number)
        if keep_parts:
            found[rows] = x[rows] * c
        else:
            found[rows] = x[rows, :, 0] @ c if x.shape[2] == 1 else np.einsum("nkd,kd->nd", x[rows], c)
    total = sum(_effect(posterior, effect, p.rows, theta, streams, settings) for effect in whole)
    if whole:
        found *= np.exp(total)[:, None, :] if keep_parts else np.exp(total)
    return found


def _effect(
    posterior: Posterior,
    effect: Effect,
    rows: pd.DataFrame,
    theta: Array,
    streams: Streams,
    settings: Serving,
) -> Array:
    """An effect in every row, (n, D); levels without rows from the prior, by their name."""
    name, key, slope = effect.name, effect.key, effect.slope
    at, shared = posterior.positions(name), posterior.shared
    if not key:
        return rows[slope].to_numpy(float)[:, None] * theta[at.iloc[0]]
    level, code = np.unique(rows[key].astype(str), return_inverse=True)
    values = np.empty((len(level), theta.shape[1]))
    mean, sd = posterior.form.prior(settings, name)
    for number, one in enumerate(level):
        place = int(at.get(one, -1))
        if one == NONE:
            values[number] = 0.0
        elif place < 0:
            values[number] = mean + sd * streams.normal(f"{posterior.form.name} {name} {one}")
        elif place < shared:
            values[number] = theta[place]
        else:
            own = place - shared
            moved = posterior.coupling[own] @ (theta - posterior.mode[:shared, None])
            noise = streams.normal(f"{posterior.form.name} {name} {one}")
            values[number] = posterior.mode[place] - np.asarray(moved).ravel() + posterior.own_sd[own] * noise
    found = values[code]
    return found * rows[slope].to_numpy(float)[:, None] if slope else found
