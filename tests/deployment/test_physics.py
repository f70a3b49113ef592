"""What no measurement can show: over a grid of deployments, predictions keep to physics."""

import itertools

import numpy as np
import pandas as pd
import pytest

from pipeline.core.catalogue import read, transcription
from pipeline.core.settings import from_params
from pipeline.deployment.model.contract import OK
from pipeline.deployment.model.predict import Predictor
from pipeline.validation.model import score

ENGINES = ["vLLM", "SGLang", "TensorRT-LLM"]
MODELS = ["Llama 3.1 8B", "Llama 3.1 70B", "Qwen3 235B-A22B", "gpt-oss-120b", "Gemma 3 27B"]
CHIPS = [("H100", 1), ("H100", 8), ("B200", 4), ("A100", 4), ("MI300X", 8), ("L40S", 1)]
LENGTHS = [(100, 300), (1000, 300), (10_000, 10), (200, 3000)]
FLIGHTS = [0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096]


def grid() -> pd.DataFrame:
    """Some of all models, chips, precisions, engines and lengths, at every number of requests."""
    combinations = list(itertools.product(MODELS, CHIPS, ["bf16", "fp8", "awq"], ENGINES, LENGTHS))[::23]
    return pd.DataFrame(
        [
            {
                "case": case, "model": model, "gpu": gpu, "gpus": gpus, "precision": precision,
                "engine": engine, "input_tokens": prompt, "output_tokens": answer, "concurrency": flight,
            }
            for case, (model, (gpu, gpus), precision, engine, (prompt, answer)) in enumerate(combinations)
            for flight in FLIGHTS
        ]
    )  # fmt: skip


@pytest.fixture(scope="module")
def found(tool: Predictor) -> pd.DataFrame:
    predicted = tool.predict(grid())
    good = predicted[predicted["status"] == OK]
    assert len(good) > 300
    return good


def test_energy_of_a_query_does_not_rise_with_requests_at_a_stated_engine(found: pd.DataFrame) -> None:
    """By 1 % at most from one number of requests to the next, whatever both rest on."""
    before = found.groupby("case")[["node_wh_per_query_p50", "basis"]].shift()
    ratio = found["node_wh_per_query_p50"] / before["node_wh_per_query_p50"]
    assert ((found["basis"] != before["basis"]) & before["basis"].notna()).sum() > 10
    assert ratio.max() < 1.01


def test_throughput_does_not_fall_with_requests(found: pd.DataFrame) -> None:
    ratio = found.groupby("case")["output_tokens_per_s_p50"].apply(lambda rate: (rate / rate.shift()).min())
    assert ratio.min() > 0.99


def test_no_chip_draws_more_than_it_is_rated_for(tool: Predictor, found: pd.DataFrame) -> None:
    rated_w = tool.known.hardware.loc[found["gpu"], "rated_w"].to_numpy() * found["gpus"].to_numpy(float)
    assert (found["gpu_w_p95"].to_numpy() <= rated_w * (1 + 1e-9)).all()


def test_no_step_reads_weights_faster_than_memory_or_multiplies_faster_than_the_chip(
    tool: Predictor, found: pd.DataFrame
) -> None:
    """P95 of tokens/s stays below what reading the active weights, and their FLOPs, allow at rated speed."""
    chips = tool.known.hardware.loc[found["gpu"]].reset_index(drop=True)
    models = tool.known.models.loc[[tool.known.names.find(name) for name in found["model"]]]
    gpus, active = found["gpus"].to_numpy(float), models["active_params_b"].to_numpy() * 1e9
    running = np.maximum(found["requests_running"].to_numpy(), 1)
    read_s = 0.5 * active / (gpus * chips["bandwidth_tb_s"].to_numpy() * 1e12)  # of four bits a weight
    peaks = chips[["peak_bf16_tflops", "peak_fp8_tflops", "peak_fp4_tflops"]].max(axis=1).to_numpy() * 1e12
    work_s = 2 * active * running / (gpus * peaks)
    most = running / np.maximum(read_s, work_s)
    assert (found["output_tokens_per_s_p95"].to_numpy() <= most).all()


def test_quantiles_are_ordered_and_energies_nest(found: pd.DataFrame) -> None:
    for name in ("output_tokens_per_s", "gpu_w", "node_wh_per_query", "total_ml_per_query"):
        columns = found[[f"{name}_{quantile}" for quantile in ("p5", "p50", "p95")]]
        assert (columns.diff(axis=1).iloc[:, 1:] >= 0).all(axis=None)
    gpu_wh = found["gpu_j_per_output_token_p50"] * found["output_tokens"].astype(float) / 3600
    assert (found["node_wh_per_query_p50"] > gpu_wh).all()


@pytest.mark.parametrize("engine", [*ENGINES, None])
def test_precision_alone_makes_no_jump(tool: Predictor, engine: str | None) -> None:
    """Fewer bits gain what they save in memory and arithmetic, and no change of engine beside it."""
    words = ["bf16", "fp8", "fp4", "awq", "int8"]
    rows = [
        {"model": model, "gpu": gpu, "gpus": gpus, "precision": word, "engine": engine, "concurrency": 64,
         "input_tokens": 500, "output_tokens": 300}
        for model in ("Llama 3.1 8B", "Llama 3.1 70B", "Qwen3 235B-A22B")
        for gpu, gpus in (("B200", 1), ("B200", 4), ("H100", 8))
        for word in words
    ]  # fmt: skip
    table = pd.DataFrame(rows)
    predicted = tool.predict(table).assign(word=table["precision"])
    rate = predicted.pivot_table(
        index=["model", "gpu", "gpus"], columns="word", values="output_tokens_per_s_p50"
    )
    assert (rate["fp4"] / rate["fp8"]).dropna().between(0.6, 2.0).all()
    assert (rate["fp8"] / rate["bf16"]).dropna().between(0.8, 2.0).all()
    assert (rate["awq"] / rate["bf16"]).dropna().between(0.6, 3.0).all()


def test_cached_prompts_cost_less_than_computed_ones_and_more_than_none(tool: Predictor) -> None:
    row = {
        "model": "Llama 3.1 70B",
        "gpu": "8xH100",
        "precision": "bf16",
        "concurrency": 32,
        "engine": "vLLM",
    }
    row |= {"input_tokens": 8000, "output_tokens": 100}
    rows = [{**row, "cached_input_tokens": cached} for cached in (0, 4000, 7900)] + [
        {**row, "input_tokens": 100}
    ]
    wh = tool.predict(pd.DataFrame(rows))["node_wh_per_query_p50"].to_numpy()
    assert wh[0] > wh[1] > wh[2] > wh[3]
    assert wh[2] < 0.4 * wh[0]


def test_a_cached_prefix_takes_of_a_prompt_what_was_measured(tool: Predictor) -> None:
    """0.14 to 0.37 of the energy of a prompt of 4,096 tokens, of three models, one request at a time."""
    lacking, seed = from_params("validation", "simulation.seed")
    predictor = score.Predictor(tool.world.model, tool.world.settings, lacking, seed)
    estimates, models = transcription("prior_estimates"), read("telemetry/models")
    rows = score.prefix_rows(estimates, models, predictor)
    assert rows["measured"].between(0.14, 0.37).all()
    assert (rows["inside_90"] == "yes").all()
    assert rows["p50"].between(0.05, 0.3).all()


def test_bits_of_a_format_are_those_that_a_step_reads(tool: Predictor) -> None:
    """The widest of four-bit formats is the slowest where weights are all that is read."""
    row = {"model": "Llama 3.1 70B", "gpu": "8xH100", "concurrency": 1, "engine": "vLLM"}
    row |= {"input_tokens": 10, "output_tokens": 1000}
    words = ("awq", "q4_K_M", "w8a16", "q8_0")
    found = tool.predict(pd.DataFrame([{**row, "precision": word} for word in words]))
    rate = found["output_tokens_per_s_p50"].tolist()
    assert rate[0] > rate[1] > rate[2] > rate[3]
