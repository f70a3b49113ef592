"""Scores on rows that the fit did not see: how they are computed, and that the committed ones will do."""

import numpy as np
import pandas as pd
import pytest

from pipeline.assumptions.serving import Serving
from pipeline.contracts import read_table
from pipeline.contracts.serving import COMPARISON, HELD_OUT
from pipeline.fit.serving.alternatives import leave_one_cell_out
from pipeline.fit.serving.comparison import chosen_forms
from pipeline.fit.serving.held_out import coverage_aim, make_folds, scores
from pipeline.fit.serving.model import ServingModel

COMPARED = read_table("data/results/model_comparison.csv", COMPARISON)
PREDICTED = read_table("data/results/heldout_predictions.csv", HELD_OUT)
CHAT = COMPARED[(COMPARED["rows"] == "ML.ENERGY v3") & (COMPARED["chosen"] == "yes")]
QUANTITIES = ["output_tokens_per_s", "gpu_w", "gpu_j_per_output_token"]


def score(left_out: str, quantity: str) -> pd.Series:
    return CHAT[(CHAT["left_out"] == left_out) & (CHAT["quantity"] == quantity)].iloc[0]


@pytest.mark.parametrize("quantity", QUANTITIES)
@pytest.mark.parametrize(
    ("left_out", "most"),
    [("cell", 0.04), ("configuration", 0.12), ("model", 0.12), ("model and shape", 0.14)],
)
def test_held_out_errors_are_small(left_out: str, most: float, quantity: str) -> None:
    assert score(left_out, quantity)["median_abs_ln_error"] <= most


@pytest.mark.parametrize("quantity", QUANTITIES)
@pytest.mark.parametrize("left_out", ["cell", "configuration", "model", "model and shape"])
def test_intervals_cover(left_out: str, quantity: str) -> None:
    found = score(left_out, quantity)
    assert found["aim"] == "met"
    # residuals have heavier tails than the normal draws: widths that are right at 90 % are wide in the middle
    assert 0.42 <= found["coverage_50"] <= 0.85


def test_the_chosen_form_beats_the_regressions_on_unseen_models() -> None:
    rate = COMPARED[(COMPARED["quantity"] == "output_tokens_per_s") & (COMPARED["left_out"] == "model")]
    chat = rate[rate["rows"] == "ML.ENERGY v3"].set_index("form")["rmse_ln"]
    assert chat["step model"] < chat["pooled linear"]
    assert chat["step model"] < chat["pooled quadratic"]


def test_spreads_in_params_are_the_size_of_held_out_errors(settings: Serving) -> None:
    for basis, left_out in (("same model", "configuration"), ("pooled", "model")):
        stated = settings.residual_spread[basis].step.distribution.median()
        assert stated == pytest.approx(score(left_out, "output_tokens_per_s")["rmse_ln"], rel=0.25)


def test_the_table_has_every_measured_row_once(training: pd.DataFrame, settings: Serving) -> None:
    chat = PREDICTED[PREDICTED["rows"] == "ML.ENERGY v3"]
    keys = set(training.loc[training["source"] == "mlenergy_v3", "key"])
    for _, group in chat.groupby(["left_out", "quantity"]):
        assert set(group["key"]) == keys
    assert set(chat["form"]) == set(chosen_forms(settings))


def test_no_fold_sees_what_it_predicts(training: pd.DataFrame, model: ServingModel) -> None:
    names = training["model"].map(model.tables.names.resolve).to_numpy()
    folds = make_folds(training, model, 1)
    for fold in folds:
        assert set(fold.predict) <= set(fold.unseen)
        if fold.left_out == "model":
            seen = np.setdiff1d(np.arange(len(training)), fold.unseen)
            assert not set(names[seen]) & set(names[fold.predict])
    for left_out in ("cell", "configuration", "model"):
        held = np.concatenate([fold.predict for fold in folds if fold.left_out == left_out])
        assert len(held) == len(set(held))


def test_the_aim_of_coverage_is_named_only_where_rows_and_intervals_allow() -> None:
    n, coverage = pd.Series([19, 20, 20, 20, 20]), pd.Series([0.9, 0.84, 0.98, 0.85, np.nan])
    assert coverage_aim(n, coverage).fillna("").tolist() == [
        "too few rows",
        "too narrow",
        "too wide",
        "met",
        "",
    ]


def test_scores_by_hand() -> None:
    table = PREDICTED.head(4).assign(
        rows="ML.ENERGY v3",
        left_out="cell",
        quantity="gpu_w",
        form="a",
        measured=[100.0, 100.0, 100.0, 400.0],
        predicted_p5=[50.0] * 4,
        predicted_p25=[90.0, 110.0, 110.0, 110.0],
        predicted_p50=[100.0, 200.0, 100.0, 200.0],
        predicted_p75=[120.0] * 4,
        predicted_p95=[300.0] * 4,
    )
    found = scores(table).iloc[0]
    assert found["n"] == 4
    assert found["median_abs_ln_error"] == pytest.approx(np.log(2) / 2)
    assert found["rmse_ln"] == pytest.approx(np.log(2) / np.sqrt(2))
    assert found["bias_ln"] == pytest.approx(0)
    assert found["coverage_50"] == 0.25
    assert found["coverage_90"] == 0.75


def test_the_additive_form_finds_what_made_the_data() -> None:
    i, o = (grid.ravel() for grid in np.meshgrid([128.0, 1024, 4096], [128.0, 512, 2048]))
    seconds = 1e-5 * i + 2e-4 * o + 1e-8 * o * (i + o / 2)
    table = pd.DataFrame({"key": [f"r{n}" for n in range(9)], "input_tokens": i, "output_tokens": o})
    table["output_tokens_per_s"] = o / seconds
    whole = table.assign(
        source="s", version="v", model="m", gpu="H100", gpus=1, precision="fp8", split_by_request=0.0
    )
    predicted = leave_one_cell_out(whole)
    np.testing.assert_allclose(predicted["additive"], table["output_tokens_per_s"], rtol=1e-6)
    assert not np.allclose(predicted["log-linear"], table["output_tokens_per_s"], rtol=0.05)
