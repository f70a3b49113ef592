"""Fit without some rows, predict them, and say how far off and how well the intervals cover.

Three ways of leaving out, each in folds: cells (a measured configuration with one batch missing),
configurations (model, accelerator, count and precision), models (in all sources); these once more by their
parameter counts alone (model and shape). Predictions of chat rows know what a user's row knows, with the
engine stated: not how lengths spread nor how long the run was. Power is compared by all forms at the same
held-out step times.
"""

from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from typing import cast, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.assumptions.serving import PowerForm, Serving
from pipeline.contracts.serving import HELD_OUT, QUANTILES, QUANTITIES
from pipeline.fit.serving.alternatives import configuration_of
from pipeline.fit.serving.architecture import Array
from pipeline.fit.serving.model import ServingModel, fit_model, rated_power_w
from pipeline.fit.serving.names import joined
from pipeline.fit.serving.predictive import draw
from pipeline.fit.serving.prepare import TENSORRT, VLLM, prepare
from pipeline.fit.serving.steps import step_seconds

FOLDS = {"cell": 5, "configuration": 8, "model": 9}
WARM_ITERATIONS = 8
AIM = (0.85, 0.97)  # share of rows that 90 % intervals should cover
ENOUGH_ROWS = 20  # from which a share says something of the intervals
STEP_MODEL = "step model"
SOURCES = {"mlenergy_v3": "ML.ENERGY v3", "tensorrt_llm": "TensorRT-LLM"}
ASKED = [
    "model", "total_params_b", "active_params_b", "gpu", "gpus", "precision", "concurrency",
    "input_tokens", "output_tokens",
]  # fmt: skip
DESCRIBED = ["key", "model", "gpu", "gpus", "precision", "concurrency", "input_tokens", "output_tokens"]


@dataclass(frozen=True)
class Fold:
    """What is left out: positions to predict, and all positions that the fit may not see."""

    left_out: str
    number: int
    predict: NDArray[np.int64]
    unseen: NDArray[np.int64]


def make_folds(training: pd.DataFrame, full: ServingModel, seed: int) -> list[Fold]:
    """All folds of FOLDS; groups are dealt out in an order drawn from the seed."""
    names = training["model"].map(full.tables.names.resolve)
    source = training["source"].to_numpy(object)
    groups = {
        "cell": np.where(source == "mlenergy_v3", training["key"].to_numpy(object), ""),
        "configuration": np.where(
            source == "mlenergy_v3",
            joined(names, training["gpu"], training["gpus"], training["precision"]),
            np.where(source == "tensorrt_llm", configuration_of(training), ""),
        ),
        "model": np.where(np.isin(source, list(SOURCES)), names.to_numpy(object), ""),
    }
    folds = []
    for left_out, count in FOLDS.items():
        known = sorted(set(groups[left_out]) - {""})
        order = np.random.default_rng(seed).permutation(len(known))
        of_group = {name: int(order[i]) % count for i, name in enumerate(known)}
        number = np.array([of_group.get(name, -1) for name in groups[left_out]])
        for k in range(count):
            held = set(groups[left_out][number == k])
            unseen = names.isin(held).to_numpy() if left_out == "model" else number == k
            folds.append(Fold(left_out, k, np.flatnonzero(number == k), np.flatnonzero(unseen)))
    return folds


def held_out(
    training: pd.DataFrame, full: ServingModel, settings: Serving, seed: int, workers: int = 2
) -> pd.DataFrame:
    """Predictions of every left-out row, columns of HELD_OUT; all forms of power."""
    folds = make_folds(training, full, seed)
    jobs = [(training, full, settings, seed, fold) for fold in folds]
    if workers == 1:
        parts: Iterable[pd.DataFrame] = map(_run_fold, jobs)
        return pd.concat(list(parts), ignore_index=True)
    with ProcessPoolExecutor(workers) as pool:
        return pd.concat(list(pool.map(_run_fold, jobs)), ignore_index=True)


def _run_fold(job: tuple[pd.DataFrame, ServingModel, Serving, int, Fold]) -> pd.DataFrame:
    training, full, settings, seed, fold = job
    seen = np.setdiff1d(np.arange(len(training)), fold.unseen)
    model = fit_model(training.iloc[seen], full.tables, settings, full.steps, WARM_ITERATIONS)
    rows = training.iloc[fold.predict]
    rng = np.random.default_rng([seed, list(FOLDS).index(fold.left_out), fold.number])
    chat, saturated = rows[rows["stack"] == VLLM], rows[rows["stack"] == TENSORRT]
    parts = [_chat(chat, model, settings, rng)] if len(chat) else []
    if len(chat) and fold.left_out != "cell":
        parts.append(_power_forms(chat, model))
    if len(saturated):
        parts.append(_saturated(saturated, model))
    found = pd.concat(parts).assign(left_out=fold.left_out)
    if len(chat) and fold.left_out == "model":
        by_size = _chat(chat, model, settings, rng, named=False)
        found = pd.concat([found, by_size.assign(left_out="model and shape")])
    return found.reset_index(drop=True)[list(HELD_OUT.columns)]


def _chat(
    rows: pd.DataFrame,
    model: ServingModel,
    settings: Serving,
    rng: np.random.Generator,
    named: bool = True,
) -> pd.DataFrame:
    """Intervals of all three quantities, as pipeline.predict gives them; named: with the model's name."""
    asked = rows[ASKED].assign(engine=VLLM)
    if not named:
        asked["model"] = pd.NA
    drawn = draw(asked, model, settings, rng, settings.draws, common_residuals=True, measured_in_flight=True)
    rate, watts = drawn.output_tokens_per_s, drawn.gpu_w
    values = dict(zip(QUANTITIES, (rate, watts, watts / rate), strict=True))
    power_form = settings.power_form
    forms = dict(zip(QUANTITIES, (STEP_MODEL, power_form, f"{STEP_MODEL}, {power_form}"), strict=True))
    parts = []
    for quantity, draws in values.items():
        quantiles = np.quantile(draws, list(QUANTILES.values()), axis=1)
        part = _describe(rows, quantity, forms[quantity], drawn.basis)
        parts.append(part.assign(**{f"predicted_{n}": q for n, q in zip(QUANTILES, quantiles, strict=True)}))
    return pd.concat(parts)


def _power_forms(rows: pd.DataFrame, model: ServingModel) -> pd.DataFrame:
    """Power and energy at the held-out step time by every form of power, without interval."""
    p = prepare(rows, model.tables)
    step_s = step_seconds(model.steps.design.matrix(p.rows), model.steps.theta, p.x)
    rate = p.load.concurrency / step_s
    parts = []
    for form in get_args(PowerForm):
        power = replace(model.power, form=cast(PowerForm, form))
        watts = power.fraction(p, step_s) * rated_power_w(p)
        for quantity, values in (("gpu_w", watts), ("gpu_j_per_output_token", watts / rate)):
            parts.append(_describe(rows, quantity, f"mode: {form}").assign(predicted_p50=values))
    return pd.concat(parts)


def _saturated(rows: pd.DataFrame, model: ServingModel) -> pd.DataFrame:
    """Throughput of saturated rows, whose batch is inferred, without interval."""
    p = prepare(rows, model.tables)
    step_s = step_seconds(model.steps.design.matrix(p.rows), model.steps.theta, p.x)
    return _describe(rows, "output_tokens_per_s", STEP_MODEL).assign(
        predicted_p50=p.load.concurrency / step_s
    )


def _describe(
    rows: pd.DataFrame, quantity: str, form: str, basis: NDArray[np.object_] | None = None
) -> pd.DataFrame:
    """Columns of HELD_OUT but left_out and the predictions, which stay missing."""
    joule = rows["gpu_w"] / rows["output_tokens_per_s"]
    measured = joule if quantity == "gpu_j_per_output_token" else rows[quantity]
    blank = {f"predicted_{name}": np.nan for name in QUANTILES}
    return rows[DESCRIBED].assign(
        rows=rows["source"].map(SOURCES),
        form=form,
        quantity=quantity,
        measured=measured,
        basis=basis,
        **blank,
    )


def scores(predictions: pd.DataFrame) -> pd.DataFrame:
    """Errors and coverage by rows, left_out, quantity and form."""
    ratio = predictions["measured"] / predictions["predicted_p50"]
    error = pd.Series(np.log(ratio), index=predictions.index)
    measured = predictions["measured"]

    def inside(low: str, high: str) -> pd.Series:
        within = measured.between(predictions[f"predicted_{low}"], predictions[f"predicted_{high}"])
        return within.astype(float).where(predictions[f"predicted_{low}"].notna())

    table = predictions.assign(
        error=error, size=error.abs(), square=error**2, c50=inside("p25", "p75"), c90=inside("p5", "p95")
    )
    groups = table.groupby(["rows", "left_out", "quantity", "form"])
    scored = pd.DataFrame(
        {
            "n": groups["error"].size(),
            "median_abs_ln_error": groups["size"].median(),
            "rmse_ln": np.sqrt(groups["square"].mean()),
            "p90_abs_ln_error": groups["size"].quantile(0.9),
            "bias_ln": groups["error"].mean(),
            "coverage_50": groups["c50"].mean(),
            "coverage_90": groups["c90"].mean(),
        }
    ).reset_index()
    return scored.assign(aim=coverage_aim(scored["n"], scored["coverage_90"]))


def coverage_aim(n: pd.Series, coverage_90: pd.Series) -> pd.Series:
    """One of AIMS for each group of rows; missing where there is no interval."""
    low, high = AIM
    found = np.select(
        [coverage_90.isna(), n < ENOUGH_ROWS, coverage_90 < low, coverage_90 > high],
        ["", "too few rows", "too narrow", "too wide"],
        "met",
    )
    return pd.Series(found, index=n.index, dtype="str").replace("", pd.NA)


def point_errors(rows: pd.DataFrame, predicted: Array, left_out: str, form: str) -> pd.DataFrame:
    """HELD_OUT rows of an alternative's throughput, without interval."""
    table = _describe(rows, "output_tokens_per_s", form).assign(predicted_p50=predicted, left_out=left_out)
    return table[list(HELD_OUT.columns)]
