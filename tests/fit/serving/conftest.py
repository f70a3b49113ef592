"""The committed model and its training rows, read once."""

from pathlib import Path

import pandas as pd
import pytest

from pipeline.assumptions import load
from pipeline.assumptions.serving import Serving
from pipeline.contracts import read_table
from pipeline.contracts.published import THROUGHPUT
from pipeline.contracts.telemetry import SERVING_MEASUREMENTS, TOKEN_LENGTH_HISTOGRAMS
from pipeline.fit.serving.model import ServingModel, read_model
from pipeline.fit.serving.training import training_rows

TELEMETRY = Path("data/telemetry")


@pytest.fixture(scope="session")
def settings() -> Serving:
    return load("assumptions.re_estimate.serving")


@pytest.fixture(scope="session")
def model(settings: Serving) -> ServingModel:
    return read_model(settings.power_form)


@pytest.fixture(scope="session")
def training(model: ServingModel, settings: Serving) -> pd.DataFrame:
    return training_rows(
        read_table("data/published/throughput.csv", THROUGHPUT),
        read_table(TELEMETRY / "serving_measurements.csv", SERVING_MEASUREMENTS),
        read_table(TELEMETRY / "token_length_histograms.csv", TOKEN_LENGTH_HISTOGRAMS),
        model.tables,
        settings.chat_input_tokens.distribution.median(),
    )


@pytest.fixture
def configuration() -> pd.DataFrame:
    """One row that predictive.draw takes; tests replace what they vary."""
    return pd.DataFrame(
        {
            "model": ["Llama 3.1 70B"],
            "total_params_b": [70.6],
            "active_params_b": [70.6],
            "gpu": ["H100"],
            "gpus": [4],
            "precision": ["bf16"],
            "concurrency": [32.0],
            "input_tokens": [501.0],
            "output_tokens": [301.0],
            "engine": ["vLLM"],
            "output_cv": [0.8],
        }
    )
