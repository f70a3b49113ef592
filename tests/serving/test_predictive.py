"""What any serving system must do, the model does."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.settings import from_params
from pipeline.serving.model.costs import request_cost
from pipeline.serving.model.model import read_model
from pipeline.serving.model.predictive import Draws, draw
from pipeline.serving.model.settings import ENGINES
from tests.serving.conftest import rows_of as rows

SETTINGS = from_params("serving")
MODEL = read_model()
NAMES = ["Llama 3.1 8B", "Llama 3.1 405B", "DeepSeek-R1", "Qwen3 30B-A3B", "gpt-oss-120b", "Gemma 3 27B"]
CHAT = rows("Llama 3.1 70B", "H100", gpus=np.array([4]), input_tokens=120.0)
models = st.sampled_from(NAMES)
gpus = st.sampled_from(["H100", "B200", "H200", "A100", "MI300X", "RTX 4090"])
engines = st.sampled_from([*ENGINES, None])
few = settings(max_examples=settings().max_examples // 4)


def drawn(table: pd.DataFrame, draws: int = 200) -> Draws:
    return draw(table, MODEL, SETTINGS, 7, draws)


def width(table: pd.DataFrame) -> float:
    low, high = np.quantile(drawn(table).output_tokens_per_s[0], [0.05, 0.95])
    return float(np.log(high / low))


@few
@given(models, gpus, st.sampled_from(ENGINES))
def test_throughput_rises_with_concurrency_and_energy_does_not(name: str, gpu: str, engine: str) -> None:
    batch = np.geomspace(1, 2048, 12).round()
    result = drawn(rows(name, gpu, engine, concurrency=batch))
    rate = np.median(result.output_tokens_per_s, axis=1)
    energy = np.median(result.gpu_w / result.output_tokens_per_s, axis=1)
    assert (np.diff(np.log(rate)) >= -1e-9).all()
    assert (np.diff(np.log(energy)) <= 0.01).all()


@few
@given(models, gpus, engines, st.floats(1.2, 20))
def test_longer_context_costs_more(name: str, gpu: str, engine: object, factor: float) -> None:
    result = drawn(rows(name, gpu, engine, input_tokens=np.array([501.0, 501 * factor])))
    rate = result.output_tokens_per_s
    assert np.median(rate[1]) < np.median(rate[0])


@few
@given(models, gpus, engines, st.integers(1, 4096), st.floats(10, 1e5), st.floats(1, 1e4))
def test_no_draw_is_beyond_what_hardware_can(
    name: str, gpu: str, engine: object, batch: int, given_tokens: float, answered: float
) -> None:
    table = rows(
        name, gpu, engine, concurrency=np.array([batch]), input_tokens=given_tokens, output_tokens=answered
    )
    result = drawn(table)
    rated = 8 * MODEL.tables.hardware.loc[gpu, "rated_w"]
    assert (result.gpu_w > 0.02 * rated).all()
    assert (result.gpu_w <= rated + 1e-9).all()
    if engine is not None:
        roofline = result.roofline_tokens_per_s[:, None]
        assert (result.output_tokens_per_s <= roofline * (1 + 1e-9)).all()


def test_few_requests_on_many_accelerators_draw_less() -> None:
    """Eight H200 that served four requests drew 183 W a card of 700, and 301 W with 64."""
    table = rows(
        "gpt-oss-120b", "H200", precision="fp4", concurrency=np.array([4.0, 64.0]), laboratory="nebius_rerun"
    )
    watts = np.median(drawn(table).gpu_w, axis=1) / 8
    assert watts == pytest.approx([183, 301], rel=0.25)
    assert watts[0] < 0.8 * watts[1]


@few
@given(models, gpus, engines, st.floats(0, 1.5))
def test_request_terms_add_up_to_the_step(name: str, gpu: str, engine: object, cv: float) -> None:
    table = rows(name, gpu, engine, concurrency=np.array([2.0, 40.0]), output_cv=cv)
    cost = request_cost(table, MODEL, SETTINGS, 2, 64)
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
    every = request_cost(table, MODEL, SETTINGS, 2, 64)
    some = request_cost(table, MODEL, SETTINGS, 2, 64, kept)
    for name in ("a_s_per_input_token", "b_s_per_output_token", "k_s_per_token2", "gpu_w"):
        np.testing.assert_allclose(getattr(some, name), getattr(every, name)[:, kept], rtol=1e-12)


def test_seconds_of_a_request_by_its_lengths() -> None:
    cost = request_cost(rows("Llama 3.1 70B", "H100", gpus=np.array([4])), MODEL, SETTINGS, 2, 8)
    a, b, k = cost.a_s_per_input_token, cost.b_s_per_output_token, cost.k_s_per_token2
    expected = a * 100 + b * 10 + k * 10 * 105
    np.testing.assert_allclose(cost.seconds(np.array(100.0), np.array(10.0)), expected)


def test_what_rows_share_cancels_in_their_ratio() -> None:
    table = rows("Llama 3.1 405B", "H200", engine="TensorRT-LLM", concurrency=np.array([8.0, 9.0]))
    step = np.log(drawn(table).step_s)
    assert (step[0] - step[1]).std() < 0.1 * step[0].std()
    other = pd.concat([table.iloc[[0]], rows("Gemma 3 27B", "B200", "vLLM", gpus=np.array([2]))])
    step = np.log(drawn(other).step_s)
    assert (step[0] - step[1]).std() > 0.3 * step[0].std()


def test_a_row_does_not_depend_on_the_others() -> None:
    some = ["vLLM", None, "TensorRT-LLM", "SGLang", None, "vLLM"]
    table = pd.concat(
        [rows(name, "H100", engine, gpus=np.array([8])) for name, engine in zip(NAMES, some, strict=True)]
    )
    together = drawn(table)
    for at in range(len(table)):
        alone = drawn(table.iloc[[at]])
        np.testing.assert_allclose(alone.step_s[0], together.step_s[at], rtol=1e-9)
        np.testing.assert_allclose(alone.gpu_w[0], together.gpu_w[at], rtol=1e-9)


@pytest.mark.parametrize(
    ("table", "basis"),
    [
        (CHAT.assign(laboratory="mlenergy"), "measured configuration"),
        (CHAT, "same model"),
        (rows("Llama 3.1 70B", "B300", gpus=np.array([4])), "extrapolated"),  # a chip that nobody measured
        (rows("Kimi K2", "B200", precision=np.array(["fp4"]), output_tokens=1000.0), "pooled"),
        (rows("Kimi K2", "B200", precision=np.array(["fp4"])), "extrapolated"),  # no such load on this chip
        (rows("Kimi K2", "B300", precision=np.array(["fp4"])), "extrapolated"),  # neither was measured
        (rows("Llama 3.1 70B", "H100", gpus=np.array([4]), input_tokens=5e6), "extrapolated"),
    ],
)
def test_basis(table: pd.DataFrame, basis: str) -> None:
    assert drawn(table).basis.tolist() == [basis]


def test_less_evidence_gives_wider_intervals() -> None:
    measured, same = width(CHAT.assign(laboratory="mlenergy")), width(CHAT)
    unseen = width(rows("Kimi K2", "B300", gpus=np.array([8])))
    assert measured < 0.7 * same
    assert same < unseen


def test_power_goes_against_the_step() -> None:
    result = drawn(rows("Gemma 3 27B", "H100", gpus=np.array([2]), concurrency=np.array([8.0])))
    step, watts = np.log(result.step_s[0]), np.log(result.gpu_w[0])
    assert np.std(step + watts) < np.hypot(step.std(), watts.std())


@pytest.mark.parametrize("precision", ["fp8", "int8", "w8a16"])
@pytest.mark.parametrize("engine", [*ENGINES, None])
def test_precision_alone_makes_no_jump(precision: str, engine: object) -> None:
    table = rows("Llama 3.1 8B", "B200", engine, gpus=np.array([1]), concurrency=np.array([512.0]))
    wide, narrow = (drawn(table.assign(precision=one)).output_tokens_per_s for one in ("bf16", precision))
    assert 0.8 < np.median(narrow / wide) < 2


def test_cached_prompts_cost_less_than_fresh_ones() -> None:
    cached = np.array([0.0, 7000.0])
    table = rows("Qwen3 32B", "H100", input_tokens=8000.0, output_tokens=100.0, cached_input_tokens=cached)
    rate = np.median(drawn(table).output_tokens_per_s, axis=1)
    assert rate[1] > 1.5 * rate[0]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("name", "gpus"), [("Llama 3.1 8B", 1), ("Llama 3.1 70B", 4), ("Qwen3 32B", 2)])
def test_prompts_take_the_time_that_their_flops_need(name: str, gpus: int, engine: str) -> None:
    """With answers of one token nearly all time goes into prompts: 15 to 95 % of the peak that is rated."""
    table = rows(name, "H100", engine, gpus=np.array([gpus]), input_tokens=4001.0, output_tokens=1.0)
    rate = np.median(drawn(table.assign(concurrency=32.0)).output_tokens_per_s)
    params = MODEL.tables.models.set_index("model").loc[name, "active_params_b"] * 1e9
    assert 0.15 < rate * 4001 * 2 * params / (gpus * 989e12) < 0.95
