"""The accounts against cases that can be worked out by hand, and against the generator's truth."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.synthetic import Load, all_logs, write_logs
from pipeline.ingest.names import shape_key
from pipeline.logs import queries
from pipeline.logs.settings import FITTED, OTHER, TokenWeights
from tests.logs.conftest import START, assert_balanced, estimate, power, requests, rows, write


def test_requests_of_a_window_share_its_energy_by_output_tokens(run):
    asked = requests((1, "a", "x", 10, 30), (2, "a", "x", 500, 10), (3, "a", "y", 10, 20))
    hours = run(asked, power()).hours.set_index("model")
    assert hours.loc["x", "node_mean_wh"] == pytest.approx(20)
    assert hours.loc["y", "node_mean_wh"] == pytest.approx(20)
    assert hours.loc["x", "p50_wh"] == pytest.approx(20)
    assert hours.loc["x", "p95_wh"] == pytest.approx(10 + 0.95 * 20)
    assert hours.loc["x", "j_per_output_token"] == pytest.approx(3600)


def test_weights_boundaries_and_water_are_settings(run):
    asked = requests((1, "a", "x", 10, 30), (3, "a", "y", 100, 20))
    of = run(
        asked, power(), weight_input=0.1, pue=1.25, wue_l_per_kwh=0.5, electricity_l_per_kwh=2.0
    ).hours.set_index("model")
    assert of.loc["x", "node_mean_wh"] == pytest.approx(60 * 31 / 61)
    assert of.loc["x", "mean_wh"] == pytest.approx(1.25 * 60 * 31 / 61)
    assert of.loc["x", "onsite_ml"] == pytest.approx(0.5 * 60 * 31 / 61)
    assert of.loc["x", "offsite_ml"] == pytest.approx(2 * 1.25 * 60 * 31 / 61)


def test_input_tokens_count_by_the_model_of_the_request(run):
    fitted = TokenWeights(0.5, {shape_key("Llama 3.1 8B"): 0.1}, OTHER)
    asked = requests((1, "a", "meta-llama/Llama-3.1-8B-Instruct", 100, 30), (3, "a", "y", 100, 10))
    result = run(asked, power(), weights=fitted)
    assert result.hours["node_mean_wh"].tolist() == pytest.approx([60 * 40 / 100, 60 * 60 / 100])
    assert result.models["weight_input"].tolist() == [0.1, 0.5]
    assert result.models["weight_basis"].tolist() == [FITTED, OTHER]


def test_a_prompt_without_an_answer_has_its_share(run):
    of = run(requests((1, "a", "x", 100, 0), (3, "a", "y", 0, 10)), power(), weight_input=0.2).hours
    assert of["node_mean_wh"].tolist() == pytest.approx([40, 20])
    assert of["j_per_output_token"].isna().tolist() == [True, False]


def test_idle_windows_of_a_node_are_shared_over_its_models_by_tokens_and_shown_apart(run):
    result = run(requests((1, "a", "x", 1, 30), (2, "a", "y", 1, 10)), pd.concat([power(), power(node="b")]))
    assert rows(result, "power_series", "idle", "used") == 300
    hours = result.hours.set_index("model")
    assert hours.loc["x", "node_mean_wh"] == pytest.approx(45)
    assert hours.loc["x", "idle_wh"] == pytest.approx(2 * 60 * 30 / 40)
    assert hours.loc["y", "idle_wh"] == pytest.approx(2 * 60 * 10 / 40)
    found = next(flag for flag in result.flags if flag.kind == "node without requests")
    assert "b: 50.0% of the energy" in found.text


def test_a_request_over_several_windows_takes_from_each_by_time(run):
    asked = requests((30, "a", "x", 1, 100), (61, "a", "y", 1, 50))
    asked["end"] = asked["time"] + pd.to_timedelta([120, 10], unit="s")  # 30 s, 60 s, 30 s of x
    hours = run(asked, power()).hours.set_index("model")
    assert hours.loc["x", "node_mean_wh"] == pytest.approx(60 + 60 * 50 / 100 + 60)
    assert hours.loc["y", "node_mean_wh"] == pytest.approx(60 * 50 / 100)


def test_a_request_that_ends_on_an_edge_does_not_touch_the_next_window(run):
    asked = requests((0, "a", "x", 1, 100)).assign(end=START + pd.Timedelta(60, "s"))
    assert run(asked, power()).hours["node_mean_wh"].item() == pytest.approx(60)


def test_a_request_may_outlast_many_windows(run):
    asked = requests((0, "a", "x", 1, 97), (7, "a", "x", 1, 31))
    asked["end"] = START + pd.to_timedelta([599.9, 333.3], unit="s")
    result = run(asked, power(minutes=10))
    assert (result.hours["node_mean_wh"] * result.hours["queries"]).sum() == pytest.approx(600, rel=1e-7)


def test_gpu_power_is_scaled_to_the_node_and_node_power_goes_first(run):
    asked = requests((1, "a", "x", 1, 10), (2, "b", "y", 1, 10))
    gpu_and_wall = pd.concat([power(), power(scope="gpu", watts=2000.0), power(node="b", scope="gpu")])
    result = run(asked, gpu_and_wall)
    hours = result.hours.set_index("model")
    assert hours.loc["x", "node_mean_wh"] == pytest.approx(60)
    assert hours.loc["y", "node_mean_wh"] == pytest.approx(60 * 1.5)
    assert rows(result, "power_series", "other_scope_used") == 180


def test_devices_of_a_node_add_up_and_all_must_be_there(run):
    meters = pd.concat([power(scope="gpu").assign(device=d) for d in ("0", "1")])
    missing = meters[~((meters["device"] == "1") & (meters["time"] >= START + pd.Timedelta(60, "s")))]
    missing = pd.concat([missing, power(10, node="b").assign(device="0")])
    asked = requests((1, "a", "x", 1, 10), (61, "a", "y", 1, 10))
    result = run(asked, missing)
    assert result.models["model"].tolist() == ["x"]
    assert result.hours["node_mean_wh"].item() == pytest.approx(2 * 60 * 1.5)
    assert rows(result, "power_series", "window_not_covered") == 120
    assert rows(result, "requests", "window_without_power") == 1


@pytest.mark.parametrize("exact", [True, False])
def test_recovers_the_truth_of_synthetic_logs(tmp_path, monkeypatch, exact):
    if not exact:
        monkeypatch.setattr(queries, "EXACT_UP_TO", 0)
        monkeypatch.setattr("pipeline.logs.estimate.EXACT_UP_TO", 0)
    load = Load(nodes=4, minutes=120)
    for _ in write_logs(load, tmp_path):
        pass
    result = estimate(
        tmp_path / "requests", tmp_path / "power", gpu_to_node=load.gpu_to_node, weights=load.weights
    )
    assert_balanced(result)
    truth = all_logs(load)
    of = truth.truth.groupby(["hour", "model"])["node_wh"]
    np.testing.assert_allclose(result.hours["node_mean_wh"], of.mean(), rtol=1e-6)
    for share, name in ((0.05, "p5_wh"), (0.5, "p50_wh"), (0.95, "p95_wh")):
        np.testing.assert_allclose(result.hours[name], of.quantile(share), rtol=1e-6 if exact else 5e-3)
    idle = (result.hours["idle_wh"] * result.hours["queries"]).groupby(result.hours["hour"]).sum()
    np.testing.assert_allclose(idle, truth.idle_wh, rtol=1e-6)


@pytest.mark.parametrize("suffix", ["parquet", "jsonl", "csv.gz", "jsonl.gz"])
def test_formats_give_the_same_tables(tmp_path, suffix):
    logs = all_logs(Load(nodes=2, minutes=10))
    found = [
        estimate(write(logs.requests, tmp_path / f"r.{kind}"), write(logs.power, tmp_path / f"p.{kind}"))
        for kind in ("csv", suffix)
    ]
    for name in ("hours", "models", "account"):
        pd.testing.assert_frame_equal(getattr(found[0], name), getattr(found[1], name))


def test_order_and_repetition_do_not_change_a_bit(tmp_path):
    logs = all_logs(Load(nodes=3, minutes=30))
    shuffled = [table.sample(frac=1, random_state=1) for table in (logs.requests, logs.power)]
    found = [
        estimate(write(asked, tmp_path / f"r{k}.parquet"), write(drawn, tmp_path / f"p{k}.parquet"))
        for k, (asked, drawn) in enumerate([(logs.requests, logs.power), shuffled, shuffled])
    ]
    for other in found[1:]:
        pd.testing.assert_frame_equal(found[0].hours, other.hours, check_exact=True)
        pd.testing.assert_frame_equal(found[0].account, other.account, check_exact=True)
