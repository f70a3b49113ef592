"""Fit without some rows, predict them, and say how far off and how well the intervals cover.

Left out in turn: every laboratory (its rows are predicted as of one that nobody knows), every chip, models
and configurations in folds, and cells (single rows). The chosen form and the plain one (the same terms with
the effect of the laboratory alone) see the same rows. Predictions know what a user's row knows, with the
engine stated, and whether makers of chip or engine tune each point: not how long a run was, nor how lengths
spread.

Of a laboratory left out, some rows of a configuration are then told (calibration.updated) and its others
predicted: what measurements of one's own tell, by their number.
"""

import sys
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

from pipeline.core.draws import generator
from pipeline.core.processes import pool
from pipeline.serving.model.architecture import Array
from pipeline.serving.model.calibration import updated
from pipeline.serving.model.contract import CALIBRATION, HELD_OUT, QUANTILES, QUANTITIES
from pipeline.serving.model.effects import PLAIN, STEP, joined
from pipeline.serving.model.model import ServingModel, fit_prepared
from pipeline.serving.model.predictive import Draws, Streams, draw, draw_prepared
from pipeline.serving.model.prepare import Prepared, Tables, prepare
from pipeline.serving.model.settings import Serving

RATE, WATTS, JOULES = QUANTITIES
STEP_MODEL, POWER_MODEL, PLAIN_MODEL = "step model", "power model", "plain form"
FORMS = {RATE: STEP_MODEL, WATTS: POWER_MODEL, JOULES: f"{STEP_MODEL}, {POWER_MODEL}"}
FOLDS = {"laboratory": 0, "chip": 0, "model": 6, "configuration": 5, "cell": 3}  # 0: one for each
PLAIN_TOO = ("laboratory", "model")
AIM = (0.85, 0.97)  # share of rows that 90 % intervals should cover
ENOUGH_ROWS = 20  # from which a share says something of the intervals
OWN_ROWS = (0, 1, 2, 3, 5)
CONFIGURATIONS = 4  # of each laboratory, at most
TESTED = 16  # other rows of each, at most
CONFIGURATION = ["engine", "model", "gpu", "gpus", "precision"]
ASKED = [
    "model", "total_params_b", "active_params_b", "gpu", "gpus", "precision", "cache_precision", "engine",
    "engine_year", "laboratory", "task", "concurrency", "input_tokens", "cached_input_tokens",
    "output_tokens", "split_by_request", "gpu_power_limit_w",
]  # fmt: skip
DESCRIBED = [
    "key", "laboratory", "title", "model", "gpu", "gpus", "precision", "engine", "concurrency",
    "input_tokens", "output_tokens",
]  # fmt: skip


@dataclass(frozen=True)
class Fold:
    """What is left out: the positions of the rows that the fit may not see, and that it predicts."""

    left_out: str
    rows: NDArray[np.int64]
    plain: bool


def make_folds(training: pd.DataFrame, tables: Tables, seed: int) -> list[Fold]:
    """All folds of FOLDS; groups are dealt out in an order drawn from the seed."""
    resolved = training["model"].map(tables.names.resolve)
    names = resolved.where(resolved != "", training["model"])
    groups = {
        "laboratory": training["laboratory"].to_numpy(object),
        "chip": training["gpu"].to_numpy(object),
        "model": names.to_numpy(object),
        "configuration": joined(
            training["engine"], names, training["gpu"], training["gpus"], training["precision"]
        ),
        "cell": training["key"].to_numpy(object),
    }
    folds = []
    for left_out, count in FOLDS.items():
        known = sorted(set(groups[left_out]))
        order = np.random.default_rng(seed).permutation(len(known))
        of_group = {name: int(order[i]) % (count or len(known)) for i, name in enumerate(known)}
        number = np.array([of_group[name] for name in groups[left_out]])
        for k in np.unique(number):
            rows = np.flatnonzero(number == k)
            if not training["in_step"].iloc[rows].any():
                continue  # known for its power alone
            folds += [Fold(left_out, rows, plain=False)]
            folds += [Fold(left_out, rows, plain=True)] if left_out in PLAIN_TOO else []
    return folds


@dataclass(frozen=True)
class Rows:
    """All measured rows: as they were run, and as a user asks for them, the laboratory stated or not."""

    training: pd.DataFrame
    run: Prepared
    asked: Prepared
    asked_of_unknown: Prepared
    whole: ServingModel  # fitted to all of them, from where each fold starts

    @classmethod
    def of(cls, training: pd.DataFrame, whole: ServingModel, settings: Serving) -> "Rows":
        """All of training_rows, prepared once for all folds."""
        run, known = (prepare(rows, whole.tables, settings) for rows in (training, training[ASKED]))
        training = training.assign(tuned=run.rows["tuned"])
        unknown = prepare(training[[*ASKED, "tuned"]].drop(columns="laboratory"), whole.tables, settings)
        return cls(training, run, known, unknown, whole)


def held_out(
    training: pd.DataFrame, whole: ServingModel, settings: Serving, seed: int, workers: int = 2
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Predictions of every left-out row, HELD_OUT, and the errors of curve_of of every laboratory.

    training: training_rows with `title`; whole: fitted to all of them.
    """
    folds = make_folds(training, whole.tables, seed)
    job = partial(_run_fold, Rows.of(training, whole, settings), settings, seed)
    with pool(workers) as processes:
        each = processes.map(job, folds) if workers > 1 else map(job, folds)
        parts = list(tqdm(each, "folds of the serving fit", len(folds), file=sys.stderr))
    curves = [curve for _, curve in parts if curve is not None]
    return pd.concat([found for found, _ in parts], ignore_index=True), pd.concat(curves, ignore_index=True)


def _run_fold(
    rows: Rows, settings: Serving, seed: int, fold: Fold
) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Predictions of what the fold leaves out; where that is a laboratory, its learning curve too."""
    whole, training = rows.whole, rows.training
    seen = np.setdiff1d(np.arange(len(training)), fold.rows)
    form = PLAIN if fold.plain else STEP
    model = fit_prepared(rows.run.take(seen), training.iloc[seen], whole.tables, settings, form, whole)
    timed = fold.rows[training["in_step"].to_numpy(bool)[fold.rows]]
    of_laboratory = fold.left_out == "laboratory"
    asked = (rows.asked_of_unknown if of_laboratory else rows.asked).take(timed)
    drawn = draw_prepared(asked, Streams(seed, settings.draws), model, settings)
    found = described(training.iloc[timed], drawn, fold.left_out)
    if fold.plain:
        blank: dict[str, Any] = {f"predicted_{name}": np.nan for name in QUANTILES if name != "p50"}
        return found[found["quantity"] == RATE].assign(form=PLAIN_MODEL, basis=None, **blank), None
    own = training.iloc[timed][[*ASKED, "tuned", RATE]]
    return found, curve_of(own, model, settings, seed) if of_laboratory else None


def described(rows: pd.DataFrame, drawn: Draws, left_out: str) -> pd.DataFrame:
    """Columns of HELD_OUT: quantiles of all that was measured."""
    rate = drawn.output_tokens_per_s
    parts = []
    for quantity, draws in zip(QUANTITIES, (rate, drawn.gpu_w, drawn.gpu_w / rate), strict=True):
        measured = rows[WATTS] / rows[RATE] if quantity == JOULES else rows[quantity]
        said = measured.notna().to_numpy()
        quantiles = np.quantile(draws[said], list(QUANTILES.values()), axis=1)
        part = rows.loc[said, DESCRIBED].assign(
            left_out=left_out,
            form=FORMS[quantity],
            quantity=quantity,
            measured=measured[said],
            basis=drawn.basis[said],
            **{f"predicted_{n}": q for n, q in zip(QUANTILES, quantiles, strict=True)},
        )
        parts.append(part)
    return pd.concat(parts).rename(columns={"title": "rows"})[list(HELD_OUT.columns)]


def curve_of(own: pd.DataFrame, model: ServingModel, settings: Serving, seed: int) -> pd.DataFrame:
    """Errors on some configurations after each number of their rows.

    own: rows of one laboratory, as a user would ask for them, with the rate; model: fitted without them.
    """
    own = own.reset_index(drop=True)
    laboratory = str(own["laboratory"].iloc[0])
    own = own.drop(columns="laboratory")
    groups = [rows.index for _, rows in own.groupby(CONFIGURATION) if len(rows) > max(OWN_ROWS)]
    rng, found = generator(seed, f"calibration curve, {laboratory}"), []
    for number in rng.permutation(len(groups))[:CONFIGURATIONS]:
        index = rng.permutation(groups[number])
        rows = own.loc[index[: max(OWN_ROWS) + TESTED]]
        untold = _ln_rate(rows, model, settings, seed)
        for count in OWN_ROWS:
            found.append({"own_rows": count, **_told(rows, count, untold, model, settings, seed)})
    return pd.DataFrame(found, columns=["own_rows", "error", "inside", "width", "offset"])


def _ln_rate(rows: pd.DataFrame, model: ServingModel, settings: Serving, seed: int) -> Array:
    return np.log(draw(rows, model, settings, seed, settings.draws).output_tokens_per_s)


def _told(
    rows: pd.DataFrame, count: int, untold: Array, model: ServingModel, settings: Serving, seed: int
) -> dict[str, float]:
    """Errors on the last rows after the first `count`; offset: of `untold`, moved by its mean error there."""
    first, last = slice(count), slice(max(OWN_ROWS), None)
    predicted = untold[last]
    if count:
        predicted = _ln_rate(rows[last], updated(model, rows[first], settings), settings, seed)
    low, middle, high = np.quantile(predicted, [0.05, 0.5, 0.95], axis=1)
    before = np.log(rows[RATE].to_numpy(float)) - np.median(untold, axis=1)
    measured = np.log(rows[RATE].to_numpy(float)[last])
    return {
        "error": float(np.median(np.abs(measured - middle))),
        "inside": float(((measured >= low) & (measured <= high)).mean()),
        "width": float(np.median(high - low)),
        "offset": float(np.median(np.abs(before[last] - before[first].mean()))) if count else np.nan,
    }


def calibration_curve(told: pd.DataFrame) -> pd.DataFrame:
    """CALIBRATION from the curves of all laboratories."""
    width = told.loc[told["own_rows"] == 0, "width"].to_numpy()
    found = [
        {
            "own_rows": count,
            "configurations": len(group),
            "median_abs_ln_error": group["error"].median(),
            "coverage_90": group["inside"].mean(),
            "width_ratio": float(np.median(group["width"].to_numpy() / width)),
            "offset_median_abs_ln_error": group["offset"].median(),
        }
        for count, group in told.groupby("own_rows")
    ]
    return pd.DataFrame(found)[list(CALIBRATION.columns)]


def point_errors(
    rows: pd.DataFrame, predicted: Array, left_out: str, form: str, quantity: str = RATE
) -> pd.DataFrame:
    """HELD_OUT rows of an alternative, without interval; where the quantity was measured."""
    measured = rows[WATTS] / rows[RATE] if quantity == JOULES else rows[quantity]
    blank: dict[str, Any] = {f"predicted_{name}": np.nan for name in QUANTILES}
    table = rows[DESCRIBED].rename(columns={"title": "rows"})
    return table.assign(
        left_out=left_out, form=form, quantity=quantity, measured=measured, basis=None,
        **{**blank, "predicted_p50": predicted},
    ).loc[measured.notna(), list(HELD_OUT.columns)]  # fmt: skip


def with_errors(predictions: pd.DataFrame) -> pd.DataFrame:
    """Errors, widths and scores in ln of each prediction.

    interval_score: of the 90 % interval (Gneiting and Raftery 2007), width + 20 times what lies outside.
    """
    low, high, middle, y = (
        np.log(predictions[name].to_numpy(float))
        for name in ("predicted_p5", "predicted_p95", "predicted_p50", "measured")
    )
    beyond = np.maximum(low - y, 0) + np.maximum(y - high, 0)
    inner = predictions["measured"].between(predictions["predicted_p25"], predictions["predicted_p75"])
    has = predictions["predicted_p5"].notna()
    return predictions.assign(
        error=y - middle,
        size=np.abs(y - middle),
        width=high - low,
        interval_score=high - low + 20 * beyond,
        c50=inner.astype(float).where(has),
        c90=pd.Series(beyond == 0, predictions.index).astype(float).where(has),
    )


def scores(predictions: pd.DataFrame, groups: list[str]) -> pd.DataFrame:
    """Errors and coverage by the columns of `groups`."""
    table = with_errors(predictions).groupby(groups)
    scored = pd.DataFrame(
        {
            "n": table["error"].size(),
            "median_abs_ln_error": table["size"].median(),
            "rmse_ln": table["error"].apply(lambda error: np.sqrt((error**2).mean())),
            "p90_abs_ln_error": table["size"].quantile(0.9),
            "bias_ln": table["error"].median(),
            "coverage_50": table["c50"].mean(),
            "coverage_90": table["c90"].mean(),
            "p95_over_p5": np.exp(table["width"].median()),
            "interval_score": table["interval_score"].mean(),
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


def chosen(form: str) -> bool:
    """Whether the form predicts elsewhere."""
    return form in FORMS.values()
