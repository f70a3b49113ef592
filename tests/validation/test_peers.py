"""Peers: EcoLogits by its own numbers, the regression without the model, and the errors that are reported."""

import math

import numpy as np
import pandas as pd
import pytest
from ecologits.impacts import llm

from pipeline.core.read import read_table
from pipeline.serving.model.comparison import ecologits
from pipeline.validation.model.contract import PEERS_SUMMARY
from pipeline.validation.model.peers import OURS, chat_rows, pooled_rows, published_rows


@pytest.fixture(scope="module")
def rows(serving_measurements: pd.DataFrame) -> pd.DataFrame:
    return chat_rows(serving_measurements)


@pytest.fixture(scope="module")
def summary() -> pd.DataFrame:
    return read_table("data/results/peers_summary.csv", PEERS_SUMMARY)


def test_ecologits_follows_its_formula_with_the_precision_of_the_row() -> None:
    rate, energy = ecologits(active_params_b=22.0, total_params_b=235.0, bits=8, batch=32)
    per_gpu = (
        llm.GPU_ENERGY_ALPHA * math.exp(llm.GPU_ENERGY_BETA * 32) * 22 + llm.GPU_ENERGY_GAMMA
    ) / 1000  # kWh
    gpus = 2 ** math.ceil(math.log2(math.ceil(1.2 * 235 / 80)))
    assert energy == pytest.approx(per_gpu * gpus * 3.6e6)
    assert rate == pytest.approx(32 / (llm.LATENCY_ALPHA * 22 + llm.LATENCY_BETA * 32 + llm.LATENCY_GAMMA))


@pytest.mark.parametrize(
    ("batch", "gpu", "stated"),
    [
        ("default", "H100", 0.58),
        ("default", "B200", 0.84),
        ("measured", "H100", 0.45),
        ("measured", "B200", 0.64),
    ],
)
def test_ecologits_errs_as_stated(summary: pd.DataFrame, batch: str, gpu: str, stated: float) -> None:
    found = summary[
        (summary["method"] == "EcoLogits")
        & (summary["batch"] == batch)
        & (summary["gpu"] == gpu)
        & (summary["quantity"] == "gpu_j_per_output_token")
    ]
    assert round(found["median_abs_ln_error"].item(), 2) == stated


def test_ours_errs_least_in_energy_on_the_same_rows(summary: pd.DataFrame, rows: pd.DataFrame) -> None:
    """In tokens/s a regression on rows of the same laboratory alone errs less than the fit to all of them."""
    for quantity, group in summary[summary["gpu"] == "all"].groupby("quantity"):
        best = group.sort_values("median_abs_ln_error").iloc[0]
        assert best["method"] == OURS or quantity == "output_tokens_per_s"
        full = group[~group["method"].str.startswith("published")]
        assert set(full["n"]) == {len(rows)}


def test_the_pooled_regression_does_not_see_the_model_it_predicts(rows: pd.DataFrame) -> None:
    before = pooled_rows(rows)
    model = "Qwen3 14B"
    changed = rows.assign(
        gpu_j_per_output_token=np.where(
            rows["model"] == model, rows["gpu_j_per_output_token"] * 50, rows["gpu_j_per_output_token"]
        )
    )
    after = pooled_rows(changed)
    own = (before["model"] == model).to_numpy()
    assert after.loc[own, "predicted"].to_numpy() == pytest.approx(before.loc[own, "predicted"].to_numpy())
    assert not np.allclose(after.loc[~own, "predicted"], before.loc[~own, "predicted"])


def test_the_published_form_applies_only_to_its_models_and_servers(rows: pd.DataFrame) -> None:
    fits = pd.read_csv("data/results/published_throughput_fit.csv")
    found = published_rows(rows, fits, input_tokens=200.0)
    assert set(found["model"]) <= set(fits["model"]) and set(found["gpu"]) == {"H100"}
    fit = fits.set_index("model").loc[found["model"].iloc[0]]
    tokens = rows.set_index("key").loc[found["key"].iloc[0], "output_tokens"]
    rate = np.exp(fit["intercept"] + fit["slope_input"] * np.log(200) + fit["slope_output"] * np.log(tokens))
    assert found["predicted"].iloc[0] == pytest.approx(min(rate, fit["largest_tokens_per_s"]))
