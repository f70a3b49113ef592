"""The committed model is what the stage writes, and reads back as it was."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.assumptions.serving import Serving
from pipeline.errors import InputError
from pipeline.fit.serving.model import FILES, FOLDER, ServingModel, fit_model, read_model, write_model


@pytest.fixture(scope="module")
def fitted(training: pd.DataFrame, model: ServingModel, settings: Serving) -> ServingModel:
    return fit_model(training, model.tables, settings)


def test_the_committed_model_is_what_the_fit_gives(fitted: ServingModel, tmp_path: Path) -> None:
    write_model(fitted, tmp_path)
    for name in FILES:
        ours, committed = (pd.read_csv(folder / f"{name}.csv") for folder in (tmp_path, FOLDER))
        pd.testing.assert_frame_equal(ours, committed, rtol=1e-4, atol=1e-6)


def test_the_model_reads_back_as_written(fitted: ServingModel, tmp_path: Path) -> None:
    write_model(fitted, tmp_path)
    again = read_model(folder=tmp_path)
    np.testing.assert_allclose(again.steps.theta, fitted.steps.theta, rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(again.steps.root, fitted.steps.root, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(again.power.utilisation, fitted.power.utilisation, rtol=1e-5)
    assert again.measured_gpus == fitted.measured_gpus == {"A100", "GH200", "H100", "H200", "B200", "GB200"}
    write_model(again, tmp_path / "twice")
    for name in ("step_root", "power_coefficients", "anchors"):
        assert (tmp_path / f"{name}.csv").read_bytes() == (tmp_path / f"twice/{name}.csv").read_bytes()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"step_parameters\.csv: no such file"):
        read_model(folder=tmp_path)


def test_training_rows_come_from_three_sources(training: pd.DataFrame) -> None:
    counts = training.groupby("source").size().to_dict()
    assert counts == {"argonne": 1166, "mlenergy_v3": 328, "tensorrt_llm": 1210}
    assert training["gpu_w"].notna().sum() == 328
    chat = training[training["source"] == "mlenergy_v3"]
    assert chat["output_cv"].between(0.6, 1.5).all()
