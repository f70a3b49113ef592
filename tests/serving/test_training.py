"""Which measured rows the fit takes, and why it leaves the others out."""

import pandas as pd

from pipeline.core.catalogue import read
from pipeline.serving.model.model import ServingModel
from pipeline.serving.model.settings import Serving
from pipeline.serving.model.training import left_out


def above_limit(rows: pd.DataFrame) -> pd.Series:
    return rows["gpu_w"] > rows["gpu_power_limit_w"] * rows["gpus"]


def test_watts_that_count_idle_accelerators_are_set_aside(
    serving_measurements: pd.DataFrame, training: pd.DataFrame, model: ServingModel, settings: Serving
) -> None:
    reasons = left_out(serving_measurements, read("token_length_histograms"), model.tables, settings)
    idle = reasons == "idle_counted"
    assert idle.any() and above_limit(serving_measurements)[idle].all()
    assert not above_limit(training).any()
    assert training["gpu_power_limit_w"].notna().any()  # those within it take part
