import pytest

from pipeline.contracts import read_table
from pipeline.contracts.factors import FACTORS
from pipeline.errors import InputError
from pipeline.files import write_csv
from pipeline.present.factor_changes import change_log, changes, compare, release_before


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
    write_csv(table.head(6).assign(p50_wh=table["p50_wh"] * 0.5), tmp_path / "factors-0.1.0.csv")
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
