"""Weights of input tokens: read from the fitted table or from params, and matched to the names of a log."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.core.errors import InputError
from pipeline.core.settings import from_params
from pipeline.ingest.names import shape_key
from pipeline.logs.deployment import Deployment
from pipeline.logs.prices import DRAWS, Prices
from pipeline.logs.settings import FITTED, OTHER, PARAMS, TABLE, TokenWeights, read_weights


def test_fitted_weights_go_by_model_and_others_are_named_as_such() -> None:
    weights = read_weights(from_params("logs"))
    value, basis = weights.of("meta-llama/Llama-3.1-405B-Instruct-FP8")
    assert (value, basis) == (weights.fitted[shape_key("Llama 3.1 405B")], FITTED)
    assert weights.of("Llama3.1-405B") == (value, basis)
    assert weights.of("in-house 7") == (weights.other, OTHER)
    assert weights.apart(["in-house 7", "Llama 3.1 405B"]) == {"Llama 3.1 405B": (value, 1.0)}


def test_a_constant_of_params_holds_for_all_models(tmp_path: Path) -> None:
    params = tmp_path / "params.yaml"
    constant = "{distribution: {family: constant, value: 0.25}, unit: ratio, source: x, reason: y}"
    text = Path("params.yaml").read_text(encoding="utf-8")
    assert "weight_input: fitted" in text
    params.write_text(text.replace("weight_input: fitted", f"weight_input: {constant}"), encoding="utf-8")
    weights = read_weights(from_params("logs", path=params), tmp_path / "none.csv")
    assert weights.of("Llama 3.1 405B") == (0.25, PARAMS)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("any other model,", "any,", "any other model"),
        ("weight_input_p95\n", "weight\n", "column 'weight_input_p95' is missing"),
        ("Qwen3 8B,2", "Qwen3 8B,two", "column 'configurations'"),
    ],
)
def test_a_wrong_table_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = TABLE.read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "weights.csv").write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError, match=message) as error:
        read_weights(from_params("logs"), tmp_path / "weights.csv")
    assert str(error.value).startswith(str(tmp_path / "weights.csv"))


def test_a_missing_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_weights(from_params("logs"), tmp_path / "weights.csv")


def test_what_prices_leave_open_is_in_the_band_of_models_that_share_a_node_alone() -> None:
    weights = TokenWeights(
        0.0, output={shape_key(name): price for name, price in (("small", 1), ("large", 2))}
    )
    drawn = {"large": np.stack([np.zeros(DRAWS), np.linspace(1, 4, DRAWS)])}
    rows = [("a", "small", 100), ("a", "large", 100), ("b", "alone", 50)]
    loads = pd.DataFrame(rows, columns=["node", "model", "output_tokens"])
    loads = loads.assign(input_tokens=10.0, cached_input_tokens=0.0)
    found = Prices(weights, pd.DataFrame(), drawn=drawn).bands(loads, Deployment(cached_price=0.0))
    of = {name: row.to_numpy().reshape(3, 2) for name, row in found.iterrows()}
    assert of["large"][0] == pytest.approx([1.15 / 2.15 * 1.5, 3.85 / 4.85 * 1.5], rel=1e-3)
    assert of["small"][0] == pytest.approx([3 / 4.85, 3 / 2.15], rel=1e-3)
    assert of["large"][2] == pytest.approx(of["large"][0])  # all its energy is of its output tokens
    assert of["alone"] == pytest.approx(np.ones((3, 2)))
