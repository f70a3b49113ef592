import copy
import json
from pathlib import Path

import jsonschema
import pandas as pd
import pytest

from pipeline.contracts import read_table
from pipeline.contracts.factors import FACTORS
from pipeline.present.factors_json import as_json, json_schema

RESULTS = Path("data/results/factors")
COMMITTED = json.loads((RESULTS / "factors.json").read_text(encoding="utf-8"))


def test_the_schema_is_one_and_is_the_committed_one():
    jsonschema.Draft202012Validator.check_schema(json_schema())
    assert json.loads((RESULTS / "factors.schema.json").read_text(encoding="utf-8")) == json_schema()


def test_the_committed_json_is_valid_and_is_the_table():
    jsonschema.validate(COMMITTED, json_schema())
    table = read_table(RESULTS / "factors.csv", FACTORS)
    assert json.loads(as_json(table)) == COMMITTED
    flat = [
        (service["gpu"], factor["per"], *factor["wh"], "; ".join(factor["beyond"]))
        for service in COMMITTED["services"]
        for factor in service["factors"]
    ]
    columns = ["gpu", "per", "p5_wh", "p50_wh", "p95_wh", "beyond"]
    pd.testing.assert_frame_equal(pd.DataFrame(flat, columns=columns), table[columns].fillna({"beyond": ""}))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda factor: factor.update(boundary="planet"),
        lambda factor: factor.update(wh=[1, 2]),
        lambda factor: factor.update(wh=[-1, 2, 3]),
        lambda factor: factor.pop("wh"),
        lambda factor: factor.update(colour="red"),
        lambda factor: factor.update(beyond=["reason"]),
        lambda factor: factor.pop("evidence"),
    ],
)
def test_the_schema_refuses(spoil):
    data = copy.deepcopy({**COMMITTED, "services": COMMITTED["services"][:1]})
    spoil(data["services"][0]["factors"][0])
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, json_schema())
