"""A model that has seen measurements of one's own.

What was measured, even once, moves every parameter that it depends on: the laboratory (one's own, where none
is named), engine and version, model, chip, configuration, and how one's own protocol differs from others'.
The model is linear in them near its mode, so that the update is that of a normal distribution; it is made
again where the first one lands. Predictions for other batches, lengths and chips carry what was learnt.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pipeline.serving.model.architecture import Array
from pipeline.serving.model.effects import NONE
from pipeline.serving.model.fitting import COLUMNS, Design, Posterior, landed, with_observations
from pipeline.serving.model.model import ServingModel
from pipeline.serving.model.power import features, wanted
from pipeline.serving.model.predictive import with_cached
from pipeline.serving.model.prepare import Prepared, as_run, prepare
from pipeline.serving.model.settings import ENGINES, Serving
from pipeline.serving.model.support import supported

ROUNDS = 3  # of linearising: shares of the terms change with the coefficients
RATE, WATTS, JOULES = "output_tokens_per_s", "gpu_w", "gpu_j_per_output_token"
VALUES = (RATE, WATTS, JOULES)


@dataclass(frozen=True)
class Measured:
    """What n rows say of ln step time and ln power, and the variance that they leave; nan: nothing."""

    log_step: Array
    step_variance: Array
    log_fraction: Array
    power_variance: Array


def updated(model: ServingModel, rows: pd.DataFrame, settings: Serving) -> ServingModel:
    """The model after rows of one's own.

    rows: columns as predictive.draw takes them, and any of VALUES, at least one a row. A row without
    laboratory is of one's own, as rows without one are that the returned model predicts; a row without
    engine is taken to run on the one that fits it best.
    """
    own = rows.reset_index(drop=True)
    if "engine" not in own:
        own["engine"] = pd.Series(pd.NA, index=own.index, dtype="str")
    own = own.assign(engine=_likeliest(own, model, settings))
    p = as_run(prepare(own, model.tables, settings), model.support)
    middle = settings.cached_work.distribution.median()
    p = replace(p, x=with_cached(p, np.array([middle]))[:, :, 0])
    step, power = model.step, model.power
    for _ in range(ROUNDS):
        said = _said(own, p, step, power, settings)
        step = _observed(model.step, step, p, p.x, said.log_step, said.step_variance, settings)
        x = features(p.x, np.exp(step.log_sum(p.rows, p.x)), settings)
        power = _observed(model.power, power, p, x, said.log_fraction, said.power_variance, settings)
    told = supported(p) if model.told is None else pd.concat([model.told, supported(p)])
    engine, *others = own["engine"].unique()
    return replace(model, step=step, power=power, told=told, engine=None if others else str(engine))


def _likeliest(rows: pd.DataFrame, model: ServingModel, settings: Serving) -> pd.Series:
    """The stated engine; where there is none, that whose prediction lies nearest to the measured rate."""
    blank = rows["engine"].isna()
    if not blank.any():
        return rows["engine"]
    gaps = []
    for engine in ENGINES:
        p = prepare(rows.assign(engine=rows["engine"].fillna(engine)), model.tables, settings)
        rate = np.log(p.load.concurrency) - model.step.log_sum(p.rows, p.x)
        gap = np.abs(np.log(rows[RATE].to_numpy(float)) - rate) if RATE in rows else np.zeros(len(rows))
        gaps.append(np.nan_to_num(gap, nan=0.0).sum() - np.log(settings.engine_share.values[engine]))
    return rows["engine"].fillna(ENGINES[int(np.argmin(gaps))])


def _said(rows: pd.DataFrame, p: Prepared, step: Posterior, power: Posterior, settings: Serving) -> Measured:
    """Watts and tokens/s as stated; what joules per token add where one of them is missing."""
    value = {
        name: rows[name].to_numpy(float) if name in rows else np.full(len(rows), np.nan) for name in VALUES
    }
    rate, watts, joules = (value[name] for name in VALUES)
    rate = np.where(np.isnan(rate), watts / joules, rate)
    watts = np.where(np.isnan(watts), joules * rate, watts)
    rest = settings.spreads.rest.distribution.median() ** 2
    power_rest = settings.power_spreads.values["rest"] ** 2
    log_step = np.log(p.load.concurrency / rate)
    fraction = np.log(wanted(watts, p, settings))
    # Energy alone: the sum of ln power and ln step time. Each is told the other's part, at its uncertainty.
    alone = np.isnan(rate) & np.isnan(watts) & ~np.isnan(joules)
    if not alone.any():
        return Measured(log_step, np.full(len(rows), rest), fraction, np.full(len(rows), power_rest))
    fitted = step.log_sum(p.rows, p.x)
    x = features(p.x, np.exp(fitted), settings)
    fitted_power = power.log_sum(p.rows, x)
    both = np.log(joules * p.load.concurrency / p.rated_w)
    spread = _variance(step, p, p.x), _variance(power, p, x)
    return Measured(
        np.where(alone, both - fitted_power, log_step),
        rest + np.where(alone, spread[1] + power_rest, 0.0),
        np.where(alone, both - fitted, fraction),
        power_rest + np.where(alone, spread[0] + rest, 0.0),
    )


def _design(posterior: Posterior, p: Prepared) -> Design:
    return Design.of(posterior.form, posterior.table, p.rows)


def _variance(posterior: Posterior, p: Prepared, x: Array) -> Array:
    """Of ln of the sum, from the parameters that are known, (n,)."""
    design = _design(posterior, p)
    jacobian = design.jacobian(design.parts(x, posterior.mode)).toarray()
    return np.asarray(((jacobian @ posterior.covariance()) * jacobian).sum(axis=1))


def _observed(
    prior: Posterior, at: Posterior, p: Prepared, x: Array, log_y: Array, variance: Array, settings: Serving
) -> Posterior:
    """The prior after what was said, linear about the parameters of `at`."""
    said = np.flatnonzero(np.isfinite(log_y))
    if len(said) == 0:
        return prior
    some = p.take(said)
    table = pd.concat([prior.table[COLUMNS], _new_levels(prior, some, settings)], ignore_index=True)
    design = Design.of(prior.form, table, some.rows)
    start = np.concatenate([prior.mode, table["prior_ln"].to_numpy(float)[len(prior.table) :]])
    point = landed(at, table).fillna(pd.Series(start)).to_numpy(float)
    parts = design.parts(x[said], point)
    jacobian = design.jacobian(parts)
    residual = log_y[said] - np.log(parts.sum(axis=1)) + jacobian @ (point - start)
    extra = table.iloc[len(prior.table) :]
    return with_observations(prior, jacobian.toarray(), np.asarray(residual), variance[said], extra)


def _new_levels(prior: Posterior, p: Prepared, settings: Serving) -> pd.DataFrame:
    """COLUMNS of the levels in the rows that were not measured before."""
    found = []
    for effect in prior.form.effects:
        if effect.key:
            known = set(prior.positions(effect.name).index)
            levels = sorted(set(p.rows[effect.key].astype(str)) - known - {NONE})
            found += [(effect.name, level, *prior.form.prior(settings, effect.name)) for level in levels]
    return pd.DataFrame(found, columns=COLUMNS)
