"""The weights of input tokens are those of the fitted cost of a request."""

import numpy as np
import pandas as pd
import pytest

from pipeline.core.catalogue import read
from pipeline.core.read import read_table
from pipeline.core.settings import from_params
from pipeline.ingest.sources import with_role
from pipeline.lengths.model.scenario import median_service
from pipeline.serving.model.contract import ANY_OTHER_MODEL, TOKEN_WEIGHTS
from pipeline.serving.model.costs import request_cost, token_weights
from pipeline.serving.model.model import read_model

LENGTHS = median_service(from_params("lengths"), read("length_fits"))


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return read_table("data/results/token_weights.csv", TOKEN_WEIGHTS).set_index("model")


@pytest.fixture(scope="module")
def chat(serving_measurements: pd.DataFrame) -> pd.DataFrame:
    return with_role(serving_measurements, "chat")


def test_every_measured_model_has_a_weight(table: pd.DataFrame, chat: pd.DataFrame) -> None:
    assert set(table.index) == {*chat["model"], ANY_OTHER_MODEL}
    assert (table["weight_input_p5"] <= table["weight_input"]).all()
    assert (table["weight_input"] <= table["weight_input_p95"]).all()
    others = table["weight_input"].drop(ANY_OTHER_MODEL)
    assert table.loc[ANY_OTHER_MODEL, "weight_input"] == pytest.approx(others.median(), abs=1e-5)


def test_a_weight_is_the_cost_of_an_input_token_over_that_of_an_output_token(table: pd.DataFrame) -> None:
    """Differences of the cost of a request, with draws of its own, against the table."""
    settings, logs = from_params("serving", "logs")
    given, taken = LENGTHS["input_tokens"], LENGTHS["output_tokens"]
    row = {
        "model": "Qwen3 14B", "total_params_b": 14.0, "active_params_b": 14.0, "gpus": 1,
        "precision": "bf16", "engine": "vLLM", "input_tokens": given, "output_tokens": taken,
        "output_cv": 1.0, "concurrency": logs.requests_in_flight.distribution.median(),
    }  # fmt: skip
    rows = pd.DataFrame([row | {"gpu": gpu} for gpu in ("H100", "B200")])
    cost = request_cost(rows, read_model(), settings, 5, 2048)
    # an input token without its share of what later tokens read, an output token at the mean context
    of_input = cost.seconds(np.array([1.0]), np.array([0.0]))
    context = given + taken
    of_output = cost.seconds(np.array([context - 0.5]), np.array([1.0])) - of_input * (context - 0.5)
    names = ["weight_input_p5", "weight_input", "weight_input_p95"]
    expected = np.quantile(of_input / of_output, [0.05, 0.5, 0.95])
    assert table.loc["Qwen3 14B", "configurations"] == 2
    assert table.loc["Qwen3 14B", names].to_numpy(float) == pytest.approx(expected, rel=0.1)


def test_more_requests_in_flight_make_an_input_token_heavier(chat: pd.DataFrame) -> None:
    settings = from_params("serving")
    model = read_model()
    few, many = (
        token_weights(chat[chat["model"] == "Llama 3.1 405B"], model, settings, LENGTHS, n, 1)
        for n in (8.0, 64.0)
    )
    assert (many["weight_input"] > 2 * few["weight_input"]).all()
