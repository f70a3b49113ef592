"""Scores on rows that the fit did not see: how they are computed, and that the committed ones will do."""

import numpy as np
import pandas as pd
import pytest

from pipeline.core.catalogue import read
from pipeline.serving.model.comparison import leave_one_cell_out
from pipeline.serving.model.held_out import (
    FORMS,
    JOULES,
    PLAIN_MODEL,
    RATE,
    coverage_aim,
    make_folds,
    scores,
)
from pipeline.serving.model.model import ServingModel

SELECTION = read("model_selection").set_index(["left_out", "quantity", "form"])


def test_unseen_laboratories_are_predicted_and_covered() -> None:
    """The aims that the model was chosen by: error, coverage, width."""
    found = SELECTION.loc[("laboratory", RATE, FORMS[RATE])]
    assert found["mean_median_abs_ln_error"] <= 0.23
    assert 0.85 <= found["mean_coverage_90"] <= 0.97
    assert found["p95_over_p5"] <= 6
    assert found["mean_interval_score"] <= 2.1


@pytest.mark.parametrize("left_out", ["laboratory", "model"])
def test_the_chosen_form_is_no_worse_than_simpler_ones(left_out: str) -> None:
    rate = SELECTION.loc[(left_out, RATE)]["mean_median_abs_ln_error"]
    ours = rate[FORMS[RATE]]
    assert ours <= rate[PLAIN_MODEL]
    assert ours < rate[["pooled linear", "pooled quadratic", "EcoLogits"]].min()


def test_the_surer_the_basis_the_smaller_the_error() -> None:
    table = read("basis_errors").set_index(["quantity", "basis"])
    rate = table.loc[RATE].loc[["measured configuration", "same model", "pooled", "extrapolated"]]
    assert rate["median_abs_ln_error"].is_monotonic_increasing
    assert rate["interval_score"].is_monotonic_increasing
    assert rate["coverage_90"].between(0.8, 0.97).all()


def test_measurements_of_ones_own_narrow_and_keep_covering() -> None:
    table = read("calibration_curve").set_index("own_rows")
    assert table["median_abs_ln_error"].loc[3] < 0.6 * table["median_abs_ln_error"].loc[0]
    assert table["coverage_90"].loc[1:].between(0.8, 0.99).all()
    assert table["width_ratio"].loc[3] <= 0.6


def test_no_fold_sees_what_it_predicts(training: pd.DataFrame, model: ServingModel) -> None:
    names = training["model"].map(model.tables.names.resolve).to_numpy()
    for fold in make_folds(training, model.tables, 1):
        out = np.isin(np.arange(len(training)), fold.rows)
        if fold.left_out == "model":
            assert not (set(names[~out]) & set(names[out])) - {""}
        if fold.left_out == "laboratory":
            assert len(set(training.loc[out, "laboratory"])) == 1
            assert not training.loc[~out, "laboratory"].isin(training.loc[out, "laboratory"]).any()


def test_the_aim_of_coverage_is_named_only_where_rows_and_intervals_allow() -> None:
    n, coverage = pd.Series([19, 20, 20, 20, 20]), pd.Series([0.9, 0.84, 0.98, 0.85, np.nan])
    aims = ["too few rows", "too narrow", "too wide", "met", ""]
    assert coverage_aim(n, coverage).fillna("").tolist() == aims


def test_scores_by_hand() -> None:
    table = pd.DataFrame(
        {
            "rows": "a",
            "measured": [100.0, 100.0, 100.0, 400.0],
            "predicted_p5": [50.0] * 4,
            "predicted_p25": [90.0, 110.0, 110.0, 110.0],
            "predicted_p50": [100.0, 200.0, 100.0, 200.0],
            "predicted_p75": [120.0] * 4,
            "predicted_p95": [300.0] * 4,
        }
    )
    found = scores(table, ["rows"]).iloc[0]
    assert found["n"] == 4
    assert found["median_abs_ln_error"] == pytest.approx(np.log(2) / 2)
    assert found["rmse_ln"] == pytest.approx(np.log(2) / np.sqrt(2))
    assert found["bias_ln"] == pytest.approx(0)
    assert found["coverage_50"] == 0.25
    assert found["coverage_90"] == 0.75
    assert found["p95_over_p5"] == pytest.approx(6)
    assert found["interval_score"] == pytest.approx(np.log(6) + 20 * np.log(4 / 3) / 4)


def test_the_additive_form_finds_what_made_the_data() -> None:
    i, o = (grid.ravel() for grid in np.meshgrid([128.0, 1024, 4096], [128.0, 512, 2048]))
    seconds = 1e-5 * i + 2e-4 * o + 1e-8 * o * (i + o / 2)
    table = pd.DataFrame({"key": [f"r{n}" for n in range(9)], "input_tokens": i, "output_tokens": o})
    table["output_tokens_per_s"] = o / seconds
    whole = table.assign(
        laboratory="s",
        engine_year=2025.0,
        model="m",
        gpu="H100",
        gpus=1,
        precision="fp8",
        split_by_request=0.0,
    )
    predicted = leave_one_cell_out(whole)
    np.testing.assert_allclose(predicted["additive"], table["output_tokens_per_s"], rtol=1e-6)
    assert not np.allclose(predicted["log-linear"], table["output_tokens_per_s"], rtol=0.05)


def test_energy_has_a_form() -> None:
    assert set(FORMS) == {RATE, "gpu_w", JOULES}
