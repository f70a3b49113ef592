"""The committed model is what the stage writes, and reads back as it was."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.core.errors import InputError
from pipeline.serving.model.model import FOLDER, ServingModel, fit_model, read_model, write_model
from pipeline.serving.model.settings import Serving


@pytest.fixture(scope="module")
def fitted(training: pd.DataFrame, model: ServingModel, settings: Serving) -> ServingModel:
    return fit_model(training, model.tables, settings)


def test_the_committed_model_is_what_the_fit_gives(fitted: ServingModel, tmp_path: Path) -> None:
    write_model(fitted, tmp_path)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == sorted(path.name for path in FOLDER.iterdir())
    for name in names:
        ours, committed = (pd.read_csv(folder / name) for folder in (tmp_path, FOLDER))
        pd.testing.assert_frame_equal(ours, committed, rtol=1e-4, atol=1e-6)


def test_the_model_reads_back_as_written(fitted: ServingModel, tmp_path: Path) -> None:
    write_model(fitted, tmp_path)
    again = read_model(folder=tmp_path)
    for name in ("step", "power"):
        ours, read = getattr(fitted, name), getattr(again, name)
        np.testing.assert_allclose(read.mode, ours.mode, rtol=1e-5, atol=5.1e-7)  # six decimals
        np.testing.assert_allclose(read.covariance(), ours.covariance(), rtol=1e-3, atol=1e-5)
    write_model(again, tmp_path / "twice")
    for path in (tmp_path / "twice").iterdir():
        twice, once = (pd.read_csv(folder / path.name) for folder in (path.parent, tmp_path))
        pd.testing.assert_frame_equal(twice, once, rtol=1e-4, atol=2e-6)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"step_parameters\.csv: no such file"):
        read_model(folder=tmp_path)


def test_every_laboratory_and_kind_of_load_takes_part(training: pd.DataFrame) -> None:
    assert {"constant", "saturated", "static", "online", "burst"} <= set(training["load"])
    assert training.groupby("laboratory").size().min() >= 8
    assert training.loc[training["load"] == "constant", "output_cv"].between(0.2, 2).all()
    assert training["input_tokens"].isna().any()  # integrated over, not filled
