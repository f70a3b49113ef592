"""Scores, and the comparisons recomputed independently from the committed tables."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.core.errors import InputError
from pipeline.core.read import read_table
from pipeline.core.settings import from_params
from pipeline.ingest.contract_telemetry import MLPERF_THROUGHPUT, NODE_POWER
from pipeline.validation.model.contract import VALIDATION
from pipeline.validation.model.fleets import deepseek_fleet
from pipeline.validation.model.mlperf import comparable, servers_without
from pipeline.validation.model.score import online_configurations, score, summarise

TELEMETRY = Path("data/telemetry")


def comparisons(measured: np.ndarray) -> pd.DataFrame:
    n = len(measured)
    return pd.DataFrame(
        {
            "set": "mlperf_offline",
            "configuration": [f"run {i}" for i in range(n)],
            "quantity": "output_tokens_per_s",
            "boundary": "none",
            "measured": measured,
            "unit": "tokens/s",
            "output_tokens": 100.0,
            "engine_stated": "yes",
            "basis": "pooled",
            "bound": "no",
            "note": None,
        }
    )


def test_measurements_from_the_predicted_distribution_are_covered_as_often_as_stated() -> None:
    rng = np.random.default_rng(4)
    draws = np.exp(rng.normal(3.0, 0.4, (2000, 500)))
    scored = score(comparisons(np.exp(rng.normal(3.0, 0.4, 2000))), draws)
    summary = summarise(scored).iloc[0]
    assert summary["coverage_90"] == pytest.approx(0.90, abs=0.02)
    assert summary["coverage_50"] == pytest.approx(0.50, abs=0.035)
    assert (scored["inside_90"] == "yes").mean() == summary["coverage_90"]
    VALIDATION.validate(scored)


def test_an_error_is_the_logarithm_of_measured_over_predicted() -> None:
    scored = score(comparisons(np.array([200.0, 50.0, 100.0])), np.full((3, 7), 100.0))
    assert scored["ln_error"].tolist() == pytest.approx([np.log(2), -np.log(2), 0.0])
    summary = summarise(scored).iloc[0]
    assert summary["median_abs_ln_error"] == pytest.approx(np.log(2))
    assert summary["rmse_ln"] == pytest.approx(np.log(2) * np.sqrt(2 / 3))
    assert summary["bias_ln"] == pytest.approx(0.0)


def test_draws_of_another_number_of_rows_are_refused() -> None:
    with pytest.raises(InputError, match="3 comparisons, but predictions of 2"):
        score(comparisons(np.ones(3)), np.ones((2, 5)))


def test_online_rows_whose_queue_grows_are_left_out() -> None:
    rows = pd.DataFrame(
        {"key": ["steady", "queueing"], "fits": None, "checks": "online", "precision": "BF16"}
    ).assign(ttft_ms=[92.0, 2400.0])
    found = online_configurations(rows, steady_first_token_s=1.0)
    assert found["key"].tolist() == ["steady"]


def test_the_fleet_reproduces_the_stated_context_and_rates() -> None:
    facts = pd.read_csv("data/published/token_lengths.csv")
    fleet = deepseek_fleet(facts, output_cv=0.8)
    values = facts.set_index("key")["value"]
    assert fleet.input_tokens + fleet.output_tokens * (1 + 0.8**2) / 2 == pytest.approx(values["dsv3_kv"])
    assert fleet.input_tokens / fleet.output_tokens == pytest.approx(608 / 168, rel=1e-3)
    assert fleet.output_tokens_per_s_node == pytest.approx(8575, abs=1)
    assert fleet.in_flight_per_node == pytest.approx(8575 / 21, rel=1e-3)


@pytest.fixture(scope="module")
def mlperf() -> pd.DataFrame:
    return read_table(TELEMETRY / "mlperf_throughput.csv", MLPERF_THROUGHPUT)


@pytest.fixture(scope="module")
def logs() -> pd.DataFrame:
    return read_table(TELEMETRY / "node_power.csv", NODE_POWER)


def test_one_run_with_two_accuracy_targets_counts_once(mlperf: pd.DataFrame, logs: pd.DataFrame) -> None:
    runs = comparable(mlperf, logs, ["Llama 2 70B"])
    same = ["platform", "submitter", "model", "scenario", "output_tokens_per_s"]
    assert not runs.duplicated(same).any()
    assert set(runs["accelerator"]) == {"H100", "H200", "B200"}
    assert runs["software"].str.startswith("TensorRT").all()


def test_output_lengths_that_submissions_lack_come_from_the_logs(
    mlperf: pd.DataFrame, logs: pd.DataFrame
) -> None:
    runs = comparable(mlperf, logs, ["Llama 3.1 8B"])
    assert runs["output_tokens"].to_numpy() == pytest.approx(128.0, abs=1e-2)


def test_a_server_is_fitted_without_the_runs_that_it_predicts(
    mlperf: pd.DataFrame, logs: pd.DataFrame, serving_measurements: pd.DataFrame
) -> None:
    prior = from_params("servers")["B200"]
    fits = servers_without(
        ["Llama 2 70B", "Llama 3.1 405B"], logs, mlperf, serving_measurements, {"B200": 1000.0}, prior
    )
    for model, fit in fits.items():
        assert not any(model in condition for condition in fit.conditions)
        assert any("idle" in condition for condition in fit.conditions)


@pytest.fixture(scope="module")
def committed() -> pd.DataFrame:
    return read_table("data/results/validation.csv", VALIDATION)


def test_wall_energy_per_token_is_that_of_the_logs(committed: pd.DataFrame, logs: pd.DataFrame) -> None:
    rows = committed[committed["quantity"] == "node_j_per_output_token"].set_index("configuration")
    for run in logs.itertuples():
        measured = rows.loc[[key for key in rows.index if str(run.run) in key], "measured"]
        # The Server scenario's rate counts tokens until the last query was issued.
        assert measured.to_numpy() == pytest.approx(run.j_per_output_token, rel=0.02)


def test_the_published_bound_of_the_fleet_is_reproduced(committed: pd.DataFrame) -> None:
    estimates = pd.read_csv("data/published/prior_estimates.csv").set_index("key")
    bound = committed[committed["quantity"] == "node_wh_per_1000_output_tokens"]
    assert bound["measured"].to_numpy() == pytest.approx(estimates.loc["dsv3_bound_max", "value"], rel=1e-3)
    assert (bound["bound"] == "yes").all()


@pytest.mark.parametrize(
    ("name", "quantity", "largest"),
    [
        ("mlperf_offline", "output_tokens_per_s", 0.15),
        ("mlperf_wall_power", "node_w", 0.10),
        ("mlperf_wall_power", "node_j_per_output_token", 0.15),
        ("online_serving", "output_tokens_per_s", 0.2),
        ("static_batches", "gpu_w", 0.15),  # engines of 2023 and 2024, of which no power was fitted
    ],
)
def test_errors_on_what_was_not_fitted_stay_as_small(
    committed: pd.DataFrame, name: str, quantity: str, largest: float
) -> None:
    rows = committed[(committed["set"] == name) & (committed["quantity"] == quantity)]
    assert rows.loc[rows["bound"] == "no", "ln_error"].abs().median() < largest
