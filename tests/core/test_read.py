"""Every way a table can be wrong gives one message that names file, row, column, value and expectation."""

from pathlib import Path

import numpy as np
import pandas as pd
import pandera.pandas as pa
import pytest

from pipeline.core.errors import InputError
from pipeline.core.read import read_table, validate

SCHEMA = pa.DataFrameSchema(
    {
        "key": pa.Column("str", unique=True),
        "site": pa.Column("str", pa.Check.isin(["north", "south"])),
        "pue": pa.Column("float64", pa.Check.ge(1), nullable=True),
        "nodes": pa.Column("int64", pa.Check.in_range(1, 9)),
        "note": pa.Column("str", nullable=True),
    },
    strict=True,
    ordered=True,
)
HEADER = "key,site,pue,nodes,note"
GOOD = f"{HEADER}\na,north,1.25,1,\nb,south,,2,new\n"


def _write(folder: Path, content: str | bytes) -> Path:
    path = folder / "table.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_a_right_table_comes_back_typed_and_blanks_stay_missing(tmp_path: Path) -> None:
    table = read_table(_write(tmp_path, GOOD), SCHEMA)
    assert table["pue"].dtype == "float64" and table["nodes"].dtype == "int64"
    assert table["pue"].isna().tolist() == [False, True]
    assert table["note"].isna().tolist() == [True, False]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the file is empty, expected a header and rows"),
        (" \n\n", "the file is empty, expected a header and rows"),
        (HEADER + "\n", "a header without rows, expected at least one row"),
        (b"\xef\xbb\xbf" + GOOD.encode(), "row 1: starts with a byte-order mark, expected plain UTF-8"),
        (GOOD.replace("\n", "\r\n"), "row 1: ends with a carriage return (CRLF), expected LF line ends"),
        (GOOD.encode("utf-16"), "byte 0xff is not UTF-8"),
        (GOOD.replace("new", "Gävle").encode("latin-1"), "row 3: byte 0xe4 is not UTF-8"),
        (GOOD.replace(",pue", "", 1), "row 1: column 'pue' is missing"),
        (GOOD.replace("note", "notes", 1), "row 1: column 'note' is missing"),
        (GOOD.replace("note", "note,note", 1), "row 1: column 'note' stands twice"),
        (GOOD.replace("note", "note,colour", 1), "row 1: unknown column 'colour', expected key, site, pue"),
        (GOOD.replace("site,pue", "pue,site", 1), "row 1: column 'pue' stands where 'site' is expected"),
        (GOOD.replace("b,south,", "b,south"), "row 3: has 4 values, expected 5 values"),
        (GOOD.replace("b,south", "\nb,south"), "row 3: is blank, expected 5 values"),
        (GOOD.replace("new", '"new'), "row 3: not valid CSV"),
        (GOOD.replace("new", '"n\new"'), "row 3: a line break inside a value"),
        (GOOD.replace("1.25", "1,25"), "row 2: has 6 values, expected 5 values"),
        (GOOD.replace("1.25", "low"), "row 2, column 'pue': 'low', expected a number"),
        (GOOD.replace("1.25", "nan"), "row 2, column 'pue': 'nan', expected a number"),
        (GOOD.replace("1.25", "inf"), "row 2, column 'pue': 'inf', expected a number"),
        (GOOD.replace("2,new", "2.5,new"), "row 3, column 'nodes': '2.5', expected a whole number"),
        (GOOD.replace("2,new", ",new"), "row 3, column 'nodes': '', expected a value, not a blank"),
        (GOOD.replace("b,south", ",south"), "row 3, column 'key': '', expected a value, not a blank"),
        (GOOD.replace("1.25", "0.9"), "row 2, column 'pue': 0.9, expected at least 1"),
        (GOOD.replace("2,new", "12,new"), "row 3, column 'nodes': 12, expected between 1 and 9"),
        (GOOD.replace("south", "east"), "row 3, column 'site': 'east', expected one of 'north', 'south'"),
        (GOOD.replace("b,south", "a,south"), "row 3, column 'key': 'a', expected values that stand once"),
    ],
)
def test_each_mistake_has_one_clear_message(tmp_path: Path, content: str | bytes, message: str) -> None:
    path = _write(tmp_path, content)
    with pytest.raises(InputError) as error:
        read_table(path, SCHEMA)
    text = str(error.value)
    assert text.startswith(str(path)) and message in text
    assert "\n" not in text


def test_the_first_wrong_row_is_named_whatever_the_order_of_the_checks(tmp_path: Path) -> None:
    content = GOOD.replace("1.25,1", "1.25,99").replace("b,south", "a,east")
    with pytest.raises(InputError, match=r"row 2, column 'nodes': 99, expected between 1 and 9"):
        read_table(_write(tmp_path, content), SCHEMA)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent\.csv: no such file"):
        read_table(tmp_path / "absent.csv", SCHEMA)


def test_rows_that_repeat_in_several_columns_name_both_rows() -> None:
    schema = pa.DataFrameSchema(
        {"model": pa.Column("str"), "wh": pa.Column("float64", nullable=True)}, unique=["model", "wh"]
    )
    table = pd.DataFrame({"model": ["a", "b", "a"], "wh": [np.nan, 1.0, np.nan]}, index=[7, 8, 9])
    with pytest.raises(InputError, match=r"row 4, column 'model, wh': .*stand once; row 2 has the same"):
        validate(table, schema, "results")


def test_a_check_over_whole_rows_points_at_the_column_it_is_named_after() -> None:
    ordered = pa.Check(lambda table: table["low"] <= table["high"], name="low", error="low <= high")
    schema = pa.DataFrameSchema({"low": pa.Column("float64"), "high": pa.Column("float64")}, checks=ordered)
    table = pd.DataFrame({"low": [1.0, 3.0], "high": [2.0, 2.0]})
    with pytest.raises(InputError, match=r"results, row 3, column 'low': 3\.0, expected low <= high"):
        validate(table, schema, "results")


def test_a_result_without_a_column_is_refused() -> None:
    with pytest.raises(InputError, match=r"^results: column 'site' not in dataframe"):
        validate(pd.DataFrame({"key": ["a"]}), SCHEMA, "results")
