"""What any serving system must do, the model does."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtri

from pipeline.assumptions import load
from pipeline.fit.serving.costs import request_cost
from pipeline.fit.serving.model import read_model
from pipeline.fit.serving.predictive import draw, heavy_tailed

SETTINGS = load("assumptions.re_estimate.serving")
MODEL = read_model(SETTINGS.power_form)
NAMES = ["Llama 3.1 8B", "Llama 3.1 405B", "DeepSeek-R1", "Qwen3 30B-A3B", "gpt-oss-120b", "Gemma 3 27B"]
models = st.sampled_from(NAMES)
gpus = st.sampled_from(["H100", "B200", "H200", "A100"])
few = settings(max_examples=25)


def rows(name: str, gpu: str, engine: object = "vLLM", **columns: object) -> pd.DataFrame:
    usual = {
        "gpus": 8,
        "precision": "bf16",
        "concurrency": 16.0,
        "input_tokens": 501.0,
        "output_tokens": 301.0,
    }
    given_sizes = {"total_params_b": np.nan, "active_params_b": np.nan, "output_cv": 0.8}
    return pd.DataFrame({"model": name, "gpu": gpu, "engine": engine, **usual, **given_sizes, **columns})


def drawn(table: pd.DataFrame, common: bool = True):
    return draw(table, MODEL, SETTINGS, np.random.default_rng(7), 200, common_residuals=common)


@few
@given(models, gpus, st.sampled_from(["vLLM", "TensorRT-LLM"]))
def test_throughput_rises_with_concurrency_and_energy_falls(name: str, gpu: str, engine: str) -> None:
    batch = np.array([1.0, 4, 16, 64])
    result = drawn(rows(name, gpu, engine, concurrency=batch))
    running = result.main.load.concurrency
    rate = np.median(result.output_tokens_per_s, axis=1)
    energy = np.median(result.gpu_w / result.output_tokens_per_s, axis=1)
    below_saturation = running == batch
    assert (np.diff(rate)[below_saturation[1:]] > 0).all()
    assert (np.diff(energy)[below_saturation[1:]] < 0).all()
    assert (np.diff(rate) >= -1e-9).all()


@few
@given(models, gpus, st.floats(1.2, 20))
def test_longer_context_costs_more(name: str, gpu: str, factor: float) -> None:
    result = drawn(rows(name, gpu, input_tokens=np.array([501.0, 501 * factor])))
    rate = result.output_tokens_per_s
    assert np.median(rate[1]) < np.median(rate[0])


@few
@given(models, gpus, st.integers(1, 512))
def test_power_stays_between_idle_and_rated(name: str, gpu: str, batch: int) -> None:
    result = drawn(rows(name, gpu, concurrency=np.array([float(batch)])))
    rated = 8 * MODEL.tables.hardware.loc[gpu, "rated_w"]
    assert (result.gpu_w >= 0.15 * rated - 1e-9).all()
    assert (result.gpu_w <= rated + 1e-9).all()


@few
@given(models, gpus)
def test_power_hardly_falls_below_eight_requests(name: str, gpu: str) -> None:
    result = drawn(rows(name, gpu, concurrency=np.array([1.0, 8.0, 64.0])))
    watts = np.median(result.gpu_w, axis=1)
    assert 0.8 < watts[0] / watts[1] <= 1.02
    assert watts[1] < watts[2] * 1.02


@few
@given(models, gpus, st.sampled_from(["vLLM", "TensorRT-LLM", None]), st.floats(0, 1.5))
def test_request_terms_add_up_to_the_step(name: str, gpu: str, engine: object, cv: float) -> None:
    table = rows(name, gpu, engine, concurrency=np.array([2.0, 40.0]), output_cv=cv)
    cost = request_cost(table, MODEL, SETTINGS, np.random.default_rng(2), 50)
    i, o = 501.0, 301.0
    seconds = cost.a_s_per_input_token * i + cost.b_s_per_output_token * o
    seconds = seconds + cost.k_s_per_token2 * o * (i + o * (1 + cv**2) / 2)
    np.testing.assert_allclose(seconds, o / cost.output_tokens_per_s, rtol=1e-9)
    for term in (cost.a_s_per_input_token, cost.b_s_per_output_token, cost.k_s_per_token2):
        assert (term > 0).all()


@pytest.mark.parametrize("engine", ["TensorRT-LLM", None])
def test_kept_draws_are_what_they_are_among_all(engine: object) -> None:
    table = rows("DeepSeek-R1", "H200", engine, concurrency=np.array([4.0, 64.0]))
    kept = np.array([0, 7, 8, 40])
    every = request_cost(table, MODEL, SETTINGS, np.random.default_rng(2), 50)
    some = request_cost(table, MODEL, SETTINGS, np.random.default_rng(2), 50, kept)
    for name in ("a_s_per_input_token", "b_s_per_output_token", "k_s_per_token2", "gpu_w"):
        np.testing.assert_array_equal(getattr(some, name), getattr(every, name)[:, kept])


def test_seconds_of_a_request_by_its_lengths() -> None:
    cost = request_cost(
        rows("Llama 3.1 70B", "H100", gpus=np.array([4])), MODEL, SETTINGS, np.random.default_rng(2), 5
    )
    a, b, k = cost.a_s_per_input_token, cost.b_s_per_output_token, cost.k_s_per_token2
    expected = a * 100 + b * 10 + k * 10 * 105
    np.testing.assert_allclose(cost.seconds(np.array(100.0), np.array(10.0)), expected)


def test_rows_of_one_configuration_share_their_residual() -> None:
    table = rows("Llama 3.1 405B", "H200", engine="TensorRT-LLM", concurrency=np.array([8.0, 9.0]))
    step = np.log(drawn(table, common=False).step_s)
    assert np.corrcoef(step)[0, 1] > 0.99
    other = pd.concat([table.iloc[[0]], rows("Gemma 3 27B", "H200", "TensorRT-LLM", gpus=np.array([2]))])
    # other configurations share the parameters, among them an overhead that nobody measured
    assert abs(np.corrcoef(np.log(drawn(other, common=False).step_s))[0, 1]) < 0.8


def test_a_row_does_not_depend_on_the_others() -> None:
    engines = ["vLLM", None, "TensorRT-LLM"] * 2
    table = pd.concat(
        [rows(name, "H100", engine, gpus=np.array([8])) for name, engine in zip(NAMES, engines, strict=True)]
    )
    together = drawn(table)
    for at in range(len(table)):
        alone = drawn(table.iloc[[at]])
        np.testing.assert_allclose(alone.step_s[0], together.step_s[at], rtol=1e-9)
        np.testing.assert_allclose(alone.gpu_w[0], together.gpu_w[at], rtol=1e-9)


@pytest.mark.parametrize(
    ("table", "basis"),
    [
        (rows("Llama 3.1 70B", "H100", gpus=np.array([4])), "measured configuration"),
        (rows("Llama 3.1 70B", "H200", gpus=np.array([4])), "same model"),
        (rows("Kimi K2", "B200", precision=np.array(["fp4"])), "pooled"),
        (rows("Llama 3.1 70B", "B300", gpus=np.array([4])), "extrapolated"),  # no measured row
        (rows("Llama 3.1 405B", "H100", gpus=np.array([1])), "extrapolated"),  # does not fit
    ],
)
def test_basis(table: pd.DataFrame, basis: str) -> None:
    assert drawn(table).basis.tolist() == [basis]


def test_less_evidence_gives_wider_intervals() -> None:
    def width(table: pd.DataFrame) -> float:
        low, high = np.quantile(drawn(table).step_s[0], [0.05, 0.95])
        return float(np.log(high / low))

    measured = width(rows("Llama 3.1 70B", "H100", gpus=np.array([4])))
    same = width(rows("Llama 3.1 70B", "H200", gpus=np.array([4])))
    extrapolated = width(rows("Llama 3.1 70B", "B300", gpus=np.array([4])))
    assert measured < same < extrapolated


def test_heavy_tails_keep_the_90_percent_interval() -> None:
    normal = ndtri((np.arange(20_000) + 0.5) / 20_000)
    drawn_from = heavy_tailed(normal)
    np.testing.assert_allclose(np.quantile(drawn_from, [0.05, 0.5, 0.95]), [-1.645, 0, 1.645], atol=2e-3)
    assert np.quantile(drawn_from, 0.75) / 1.645 == pytest.approx(0.35, abs=0.01)
    assert np.quantile(drawn_from, 0.995) > 1.1 * np.quantile(normal, 0.995)
    assert np.exp(0.3 * drawn_from).mean() == pytest.approx(1.06, abs=0.02)  # a mean exists


def test_power_goes_against_the_step() -> None:
    result = drawn(rows("Gemma 3 27B", "B300", gpus=np.array([2])))
    step, watts = np.log(result.step_s[0]), np.log(result.gpu_w[0])
    assert np.corrcoef(step, watts)[0, 1] < -0.3
    energy = np.std(step + watts)
    assert energy < np.hypot(step.std(), watts.std())


def test_an_overhead_that_nobody_measured_widens_small_batches() -> None:
    def width(concurrency: float) -> float:
        table = rows("Llama 3.1 8B", "H200", "TensorRT-LLM", gpus=np.array([1]), concurrency=concurrency)
        low, high = np.quantile(drawn(table).step_s[0], [0.05, 0.95])
        return float(np.log(high / low))

    assert width(2.0) > 1.1 * width(500.0)


@pytest.mark.parametrize("engine", ["vLLM", "TensorRT-LLM"])
@pytest.mark.parametrize(("name", "gpus"), [("Llama 3.1 8B", 1), ("Llama 3.1 70B", 4), ("Qwen3 32B", 2)])
def test_prompts_take_the_time_that_their_flops_need(name: str, gpus: int, engine: str) -> None:
    """With answers of one token nearly all time goes into prompts: 25 to 95 % of the peak that is rated."""
    table = rows(name, "H100", engine, gpus=np.array([gpus]), input_tokens=4001.0, output_tokens=1.0)
    rate = np.median(drawn(table.assign(concurrency=32.0)).output_tokens_per_s)
    params = MODEL.tables.models.set_index("model").loc[name, "active_params_b"] * 1e9
    assert 0.25 < rate * 4001 * 2 * params / (gpus * 989e12) < 0.95


def test_a_measured_configuration_returns_its_own_rows(training: pd.DataFrame) -> None:
    own = training[training["source"] == "mlenergy_v3"]
    result = drawn(own.assign(engine="vLLM"))
    rate = np.median(result.output_tokens_per_s, axis=1)
    error = np.abs(np.log(own["output_tokens_per_s"].to_numpy() / rate))
    assert np.median(error) < 0.03
