import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from pipeline.core.settings import from_params
from pipeline.published.model.settings import AsPublished
from pipeline.serving.model.deployments import Deployments, Propagation

DEPLOYMENTS: Deployments = from_params("energy.deployments")
PUBLISHED: AsPublished = from_params("published")


def test_the_five_published_models_are_deployed_and_the_large_ones_blended() -> None:
    assert {item.model for item in DEPLOYMENTS.models} == {model.name for model in PUBLISHED.models}
    assert DEPLOYMENTS.blend == ["DeepSeek-R1", "Llama 3.1 405B", "Nemotron Ultra 253B"]


def test_weights_fit_in_the_accelerators() -> None:
    memory_gib = pd.read_csv("data/published/hardware.csv").set_index("gpu")["memory_gib"]
    bytes_per_parameter = {"fp4": 0.5, "fp8": 1.0, "bf16": 2.0}
    for item in DEPLOYMENTS.models:
        held = memory_gib[item.gpu] * 2**30 * item.gpus
        assert item.total_params_b * 1e9 * bytes_per_parameter[item.precision] < 0.9 * held, item.model


def test_concurrency_covers_the_published_rows() -> None:
    rows = pd.read_csv("data/published/throughput.csv")
    rows = rows[(rows["used_by_authors"] == "yes") & rows["concurrency"].notna()]
    ranges = {
        item.model: item.concurrency.distribution.ppf(np.array([0.05, 0.95])) for item in DEPLOYMENTS.models
    }
    assert len(rows)
    for row in rows.to_dict("records"):
        low, high = ranges[row["model"]]
        assert low < row["concurrency"] < high


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"active_params_b": 900.0}, "exceeds total"),
        ({"gpus": 16}, "less than or equal to 8"),
        ({"precision": "int8"}, "fp4"),
    ],
)
def test_an_impossible_deployment_is_refused(change: dict, message: str) -> None:
    data = DEPLOYMENTS.model_dump(by_alias=True)
    data["models"][0] |= change
    with pytest.raises(ValidationError, match=message):
        Deployments.model_validate(data)


def test_a_blend_without_members_or_a_model_twice_is_refused() -> None:
    data = DEPLOYMENTS.model_dump(by_alias=True)
    with pytest.raises(ValidationError, match="for the blend"):
        Deployments.model_validate(data | {"blend_above_params_b": 1000.0})
    with pytest.raises(ValidationError, match="stands twice"):
        Deployments.model_validate(data | {"models": [data["models"][0]] * 2})


def test_sobol_points_come_in_powers_of_two() -> None:
    with pytest.raises(ValidationError, match="power of two"):
        Propagation(replicates=16, outer=100, inner=256, variance_points=4096)
