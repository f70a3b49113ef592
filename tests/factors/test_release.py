import copy
import json
from pathlib import Path

import jsonschema
import pandas as pd
import pytest

from pipeline.core.errors import InputError
from pipeline.core.files import write_csv
from pipeline.core.parse import read_citation
from pipeline.core.read import read_table
from pipeline.core.settings import from_params
from pipeline.factors.model.contract import BEYOND, EVIDENCE, FACTORS, VALUES
from pipeline.factors.model.release import (
    NAME,
    as_json,
    change_log,
    changes,
    compare,
    counted,
    json_schema,
    readme,
    release_before,
)

RESULTS = Path("data/results/factors")
COMMITTED = json.loads((RESULTS / "factors.json").read_text(encoding="utf-8"))


def test_the_schema_is_one_and_is_the_committed_one():
    jsonschema.Draft202012Validator.check_schema(json_schema())
    for fields in json_schema()["x-standards"].values():
        assert set(fields) <= {*VALUES, "per"}
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


@pytest.fixture(scope="module")
def table():
    return read_table("data/results/factors/factors.csv", FACTORS)


def test_the_release_before_is_the_newest_older_one(tmp_path, table):
    for version in ("0.2.0", "0.9.0", "0.10.0"):
        write_csv(table.assign(version=version).head(3), tmp_path / f"factors-{version}.csv")
    assert release_before("0.11.0", tmp_path)[0] == "0.10.0"
    assert release_before("0.10.0", tmp_path)[0] == "0.9.0"
    assert release_before("0.2.0", tmp_path) is None


def test_nothing_changed(table):
    assert changes(table, table, 0.05).empty


def test_moved_new_and_gone_are_told(table):
    before = table.head(40).copy()
    now = table.iloc[1:41].copy()
    now.loc[now.index[5], ["p50_wh", "p95_wh"]] *= 1.5
    now.loc[now.index[6], "p50_wh"] *= 1.01
    found = changes(before, now, 0.05)
    energy = found[found["quantity"] == "p50_wh"]
    assert energy["change"].value_counts().to_dict() == {"moved": 1, "new": 1, "gone": 1}
    assert energy.loc[energy["change"] == "moved", "ratio"].item() == pytest.approx(1.5)
    text = change_log("0.2.0", "0.1.0", found, len(now), 0.05)
    assert "Against 0.1.0, of 40 factors" in text and "moved by more than 5%" in text and "1.5" in text


def test_the_first_release_says_so(table):
    assert "nothing to compare" in change_log("0.1.0", None, changes(table, table, 0.1), 10, 0.1)


def test_the_release_before_is_read_and_compared(tmp_path, table):
    write_csv(table.head(6).assign(p50_wh=table["p50_wh"] * 0.01), tmp_path / "factors-0.1.0.csv")
    with pytest.raises(InputError, match="P5 <= P50 <= P95"):
        compare(table.head(6), "0.2.0", tmp_path, 0.05)
    write_csv(table.head(5), tmp_path / "factors-0.1.0.csv")
    found, text = compare(table.head(6), "0.2.0", tmp_path, 0.05)
    assert found["change"].tolist() == ["new"] and "Against 0.1.0" in text


def test_a_release_with_other_columns_is_named_and_not_compared(tmp_path, table):
    write_csv(table.drop(columns=["beyond", "load"]).head(10), tmp_path / "factors-0.1.0.csv")
    found, text = compare(table, "0.2.0", tmp_path, 0.05)
    assert found.empty
    assert "other columns than that of 0.1.0" in text and text.count("\n") == 3


TABLE = read_table(RESULTS / "factors.csv", FACTORS)
TEXT = (RESULTS / NAME).read_text(encoding="utf-8")


def test_the_committed_readme_is_that_of_the_table():
    assert readme(TABLE, read_citation(), from_params("factors")) == TEXT


def test_every_column_word_site_and_class_is_explained():
    for name in FACTORS.columns:
        assert f"| `{name}` |" in TEXT
    assert all(f"- {word}: " in TEXT for word in BEYOND)
    assert all(f"| {tier} | {count} |" in TEXT for tier, count in counted(TABLE).items())
    assert list(counted(TABLE)) == EVIDENCE and sum(counted(TABLE).values()) == len(TABLE)
    assert all(f"- `{site}`: " in TEXT for site in TABLE["site"].unique())


def test_the_method_of_every_row_stands_beside_the_table():
    (method,) = TABLE["method"].unique()
    assert (RESULTS / method).is_file()


def test_no_cell_of_words_reads_as_a_date_or_a_number():
    for text in TABLE["requests_in_flight"].unique():
        assert " " in text and not text.replace("-", "").replace("/", "").isdigit()
