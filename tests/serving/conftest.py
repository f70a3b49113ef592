"""The committed model and its training rows, read once."""

import numpy as np
import pandas as pd
import pytest

from pipeline.core.catalogue import read
from pipeline.core.settings import from_params
from pipeline.serving.model.model import ServingModel, read_model
from pipeline.serving.model.settings import Serving
from pipeline.serving.model.training import training_rows


@pytest.fixture(scope="session")
def settings() -> Serving:
    return from_params("serving")


@pytest.fixture(scope="session")
def model() -> ServingModel:
    return read_model()


@pytest.fixture(scope="session")
def training(serving_measurements: pd.DataFrame, model: ServingModel, settings: Serving) -> pd.DataFrame:
    return training_rows(serving_measurements, read("token_length_histograms"), model.tables, settings)


def rows_of(name: str, gpu: str, engine: object = "vLLM", **columns: object) -> pd.DataFrame:
    """Rows that predictive.draw takes; columns replace what is usual."""
    usual = {
        "gpus": 8,
        "precision": "bf16",
        "concurrency": 16.0,
        "input_tokens": 501.0,
        "output_tokens": 301.0,
    }
    sizes = {"total_params_b": np.nan, "active_params_b": np.nan, "output_cv": 0.8}
    return pd.DataFrame(
        {"model": name, "gpu": gpu, "engine": engine, **usual, **sizes, **columns}, index=None
    )


@pytest.fixture
def configuration() -> pd.DataFrame:
    """One row that predictive.draw takes; tests replace what they vary."""
    return rows_of("Llama 3.1 70B", "H100", gpus=[4], concurrency=[32.0])
