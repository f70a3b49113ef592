"""Whatever tool wrote a table, its cells are read; what is no table is named for what it is."""

import gzip
import json
import sqlite3
import zipfile
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from pipeline.core.errors import InputError
from pipeline.core.user_table import DECIMAL, NOTES, read_user_table

CELLS = {"gpu": ["H100", "NVIDIA H200"], "gpus": ["8", "4"], "note": [None, "ü"]}


def written(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def sheets(path: Path, **rows: list[list]) -> Path:
    book = xlsxwriter.Workbook(path)
    for name, lines in rows.items():
        sheet = book.add_worksheet(name)
        for at, line in enumerate(lines):
            sheet.write_row(at, 0, line)
    book.close()
    return path


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_text_of_any_tool_has_the_same_cells(tmp_path: Path, mark: str, end: str, encoding: str) -> None:
    lines = ["gpu,gpus,note", "H100,8,", "NVIDIA H200,4,ü", ""]
    path = written(tmp_path / "a.txt", end.join(lines).replace(",", mark), encoding)
    table = read_user_table(path)
    assert table.to_dict("list") == CELLS
    assert list(table.index) == [2, 3]
    assert table.attrs == {DECIMAL: "." if mark == "," else ",", NOTES: []}


def test_quotes_blank_lines_and_columns_at_the_end_and_the_line_of_excel_change_no_cell(
    tmp_path: Path,
) -> None:
    text = 'sep=;\r\ngpu;"gpus";note;;\r\n"H100";8;;;\r\nNVIDIA H200; 4;ü;;\r\n;;;;\r\n\r\n'
    table = read_user_table(written(tmp_path / "a.csv", text))
    assert table.to_dict("list") == CELLS
    assert list(table.index) == [3, 4]


def test_a_comma_inside_of_quotes_separates_nothing(tmp_path: Path) -> None:
    table = read_user_table(written(tmp_path / "a.csv", '"a,b,c";d\n"1,5";2\n'))
    assert table.to_dict("list") == {"a,b,c": ["1,5"], "d": ["2"]}


def test_spreadsheets_keep_their_rows_and_say_which_sheet_was_read(tmp_path: Path) -> None:
    rows = [[], ["gpu", "gpus", "pue"], ["H100", 8, 1.25], [], ["H200", "4", ""]]
    table = read_user_table(sheets(tmp_path / "a.csv", empty=[], mine=rows, other=[["x"], [1]]))
    assert table.to_dict("list") == {"gpu": ["H100", "H200"], "gpus": [8, "4"], "pue": [1.25, None]}
    assert list(table.index) == [3, 5]
    assert table.attrs[NOTES] == ["sheet 'mine' is read, not 'other'"]


def test_an_archive_of_a_later_kind_is_refused(tmp_path: Path) -> None:
    sheets(tmp_path / "a.xlsx", mine=[["gpu"], ["H100"]])
    raw = bytearray((tmp_path / "a.xlsx").read_bytes())
    raw[raw.index(b"PK\x01\x02") + 6] = 187  # version of the format that is needed
    (tmp_path / "a.xlsx").write_bytes(raw)
    with pytest.raises(InputError, match=r"not a whole spreadsheet or archive \(zip file version 18.7\)"):
        read_user_table(tmp_path / "a.xlsx")


def test_a_cell_far_from_the_others_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with xlsxwriter.Workbook(str(tmp_path / "a.xlsx")) as book:
        sheet = book.add_worksheet("mine")
        sheet.write_row(0, 0, ["gpu", "gpus"])
        sheet.write(1_048_575, 16_383, "x")
    with pytest.raises(InputError, match="more than fits into memory"):
        read_user_table(tmp_path / "a.xlsx")
    assert capfd.readouterr().err == ""


def test_parquet_and_json_lines_are_read_by_content(tmp_path: Path) -> None:
    frame = pd.DataFrame({"gpu": ["H100", None], "gpus": [8, 4], "pue": [1.25, None]})
    frame.to_parquet(tmp_path / "a.csv")
    expected = {"gpu": ["H100", None], "gpus": [8, 4], "pue": [1.25, None]}
    found = read_user_table(tmp_path / "a.csv")
    assert found.to_dict("list") == expected and list(found.index) == [1, 2]
    lines = '{"gpu": "H100", "gpus": 8, "pue": 1.25}\n\n{"gpus": 4, "pue": null}\n'
    found = read_user_table(written(tmp_path / "b", lines))
    assert found.to_dict("list") == expected and list(found.index) == [1, 3]
    whole = json.dumps([json.loads(line) for line in lines.splitlines() if line], indent=1)
    assert read_user_table(written(tmp_path / "c", whole)).to_dict("list") == expected


def test_text_of_parquet_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"gpu": pa.array([b"H1\xb6"]).view(pa.string())}), tmp_path / "a.parquet")
    with pytest.raises(InputError, match="not a whole Parquet file"):
        read_user_table(tmp_path / "a.parquet")


def make_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", "x")


def make_sqlite(path: Path) -> None:
    with sqlite3.connect(path) as base:
        base.execute("create table a (x)")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"\xef\xbb\xbf\r\n", "the file is empty"),
        (gzip.compress(b"a,b\n1,2\n", mtime=0), "a gzip file, expected CSV, a spreadsheet"),
        (b"%PDF-1.7 ...", "a PDF, expected"),
        (b"ARROW1\0\0", "an Arrow file, expected"),
        (b"\x80\x04\x95pickle", "a Python pickle, expected"),
        (b"<!DOCTYPE html><html>", "a web page, expected"),
        (b"<?xml version='1.0'?>", "XML, expected"),
        (b"gpu,gpus\nH100\0,8\n", "a binary file, expected"),
        ("gpu,gpus\nH100,ü\n".encode("latin-1"), "row 2: byte 0xfc is not UTF-8"),
        (b"PAR1 and no more", "not a whole Parquet file"),
        (b"PK\x03\x04 and no more", "not a whole spreadsheet or archive"),
        (b"\xd0\xcf\x11\xe0 and no more", "not a spreadsheet that can be read"),
        (b"gpu,gpus\n", "a header without rows"),
        (b"gpu,gpus\nH100,8\nH100\n", "row 3: has 1 values, expected 2"),
        (b"gpu,gpus\n\nH100,8\n", "row 2: is blank, expected 2 values"),
        (b'gpu,gpus\n"H100,8\nH200,4\n', "row 2: not valid CSV (unexpected end of data)"),
        (b'gpu,gpus\n"H100\n",8\n', "row 2: a line break inside a value, or a quote left open"),
        (b"gpu,gpu\nH100,8\n", "row 1: column 'gpu' stands twice"),
        (b"gpu,\nH100,8\n", "row 1: column 2 has no name"),
        (b'{"gpu": "H100"}\n{"gpu": \n', "row 2: not JSON (Expecting value), expected one object a line"),
        (
            b'{"gpu": ["H100"]}\n',
            "row 1: \"{'gpu': ['H100']}\", expected an object with a value for each key",
        ),
        (b"[1, 2]", "row 1: '1', expected an object"),
        (b"[" * 100_000, "not JSON that can be read"),
        (b'{"gpus": ' + b"9" * 5000 + b"}", "not JSON that can be read"),
    ],
)
def test_what_cannot_be_read_is_named_for_what_it_is(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(InputError) as raised:
        read_user_table(tmp_path / "a.csv")
    assert str(raised.value).startswith(f"{tmp_path / 'a.csv'}") and message in str(raised.value)
    assert len(str(raised.value)) < 400


@pytest.mark.parametrize(("make", "kind"), [(make_zip, "a zip archive"), (make_sqlite, "an SQLite database")])
def test_archives_and_databases_are_named(tmp_path: Path, make, kind: str) -> None:
    make(tmp_path / "a.xlsx")
    with pytest.raises(InputError, match=f"{kind}, expected CSV"):
        read_user_table(tmp_path / "a.xlsx")


def test_empty_sheets_folders_and_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the sheets are empty"):
        read_user_table(sheets(tmp_path / "a.xlsx", one=[], two=[["", ""]]))
    with pytest.raises(InputError, match="a folder, expected CSV"):
        read_user_table(tmp_path)
    with pytest.raises(InputError, match="no such file"):
        read_user_table(tmp_path / "none.csv")
