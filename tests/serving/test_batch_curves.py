"""The curves pass through what was measured, and energy per token falls with the batch."""

import numpy as np
import pandas as pd
import pytest

from pipeline.core.read import read_table
from pipeline.ingest.sources import with_role
from pipeline.serving.model.contract import BATCH_CURVES
from pipeline.serving.model.costs import POINTS, configuration_names


@pytest.fixture(scope="module")
def curves() -> pd.DataFrame:
    return read_table("data/results/batch_curves.csv", BATCH_CURVES)


@pytest.fixture(scope="module")
def chat(serving_measurements: pd.DataFrame) -> pd.DataFrame:
    rows = with_role(serving_measurements, "chat")
    return rows.assign(configuration=configuration_names(rows))


def test_every_measured_configuration_has_a_curve(curves: pd.DataFrame, chat: pd.DataFrame) -> None:
    assert set(curves["configuration"]) == set(chat["configuration"])
    assert (curves.groupby("configuration").size() == POINTS).all()


def test_curves_pass_near_the_measured_points(curves: pd.DataFrame, chat: pd.DataFrame) -> None:
    errors = []
    for name, curve in curves.groupby("configuration"):
        own = chat[chat["configuration"] == name]
        fitted = np.interp(
            np.log(own["concurrency"]),
            np.log(curve["concurrency"]),
            np.log(curve["gpu_j_per_output_token_p50"]),
        )
        errors.extend(np.log(own["gpu_j_per_output_token"]) - fitted)
    assert np.median(np.abs(errors)) < 0.08


def test_energy_per_token_falls_from_the_least_to_the_largest_batch(curves: pd.DataFrame) -> None:
    ends = curves.sort_values("concurrency").groupby("configuration")["gpu_j_per_output_token_p50"]
    assert (ends.last() < 0.7 * ends.first()).all()
