"""Files of a log that other programs write: marks, separators, packed files, folders with more in them."""

import gzip
from pathlib import Path

import pandas as pd
import pytest

from pipeline.core.errors import InputError
from tests.logs.conftest import estimate, power, requests, rows, write

MARK = b"\xef\xbb\xbf"


@pytest.fixture
def asked() -> pd.DataFrame:
    return requests((1, "a", "x", 10, 30), (61, "a", "x", 10, 30), (62, "a", "y", 10, 20))


@pytest.fixture
def drawn(tmp_path) -> Path:
    return write(power(), tmp_path / "power.csv")


def rewritten(path: Path, change) -> Path:
    """The file with its (unpacked) bytes changed."""
    packed = path.suffix == ".gz"
    raw = change(gzip.decompress(path.read_bytes()) if packed else path.read_bytes())
    path.write_bytes(gzip.compress(raw) if packed else raw)
    return path


@pytest.mark.parametrize("suffix", ["csv", "csv.gz"])
def test_a_byte_order_mark_of_csv_is_read(run, tmp_path, asked, drawn, suffix):
    marked = rewritten(write(asked, tmp_path / f"marked.{suffix}"), lambda raw: MARK + raw)
    pd.testing.assert_frame_equal(estimate(marked, drawn).hours, run(asked, power()).hours, check_exact=True)


def test_a_wrong_cell_of_a_file_with_a_byte_order_mark_is_named(tmp_path, asked, drawn):
    bad = write(asked.assign(time=["yesterday"] * 3), tmp_path / "marked.csv")
    with pytest.raises(InputError, match=r"marked\.csv, row 2, column 'time': 'yesterday'"):
        estimate(rewritten(bad, lambda raw: MARK + raw), drawn)


@pytest.mark.parametrize("suffix", ["jsonl", "jsonl.gz"])
def test_a_byte_order_mark_of_json_lines_is_refused(tmp_path, asked, drawn, suffix):
    marked = rewritten(write(asked, tmp_path / f"marked.{suffix}"), lambda raw: MARK + raw)
    with pytest.raises(InputError, match=r"marked\.jsonl.*, row 1: starts with a byte-order mark"):
        estimate(marked, drawn)


def test_utf16_is_named(tmp_path, asked, drawn):
    wide = rewritten(write(asked, tmp_path / "wide.csv"), lambda raw: raw.decode().encode("utf-16"))
    with pytest.raises(InputError, match=r"wide\.csv, row 1: UTF-16 text, expected UTF-8"):
        estimate(wide, drawn)


def test_a_header_that_is_not_utf8_is_named(tmp_path, asked, drawn):
    bad = rewritten(write(asked, tmp_path / "bad.csv"), lambda raw: raw.replace(b"model", b"mod\xe8le"))
    with pytest.raises(InputError, match=r"bad\.csv, row 1: .*expected UTF-8 text"):
        estimate(bad, drawn)


@pytest.mark.parametrize("column", ["node", "model", "request"])
def test_a_byte_that_is_not_utf8_deep_in_a_file_is_refused_with_its_row(tmp_path, drawn, column):
    many = requests(*[(k / 10, "a", "x", 10, 30) for k in range(1000)]).assign(request="r")
    many.loc[699, column] = "caf\u00e9"
    path = rewritten(write(many, tmp_path / "many.csv"), lambda raw: raw.replace("\u00e9".encode(), b"\xe9"))
    with pytest.raises(InputError, match=r"many\.csv, row 701: .*, expected UTF-8 text"):
        estimate(path, drawn)


@pytest.mark.parametrize(("sign", "name"), [(b";", "semicolons"), (b"\t", "tabs"), (b"|", "bars")])
def test_another_separator_is_named(tmp_path, asked, drawn, sign, name):
    path = rewritten(write(asked, tmp_path / "other.csv"), lambda raw: raw.replace(b",", sign))
    with pytest.raises(InputError, match=rf"other\.csv, row 1: .* is separated by {name}, expected commas"):
        estimate(path, drawn)


def test_a_packed_file_with_the_name_of_a_plain_one_is_named(tmp_path, asked, drawn):
    packed = write(asked, tmp_path / "requests.csv.gz").rename(tmp_path / "requests.csv")
    with pytest.raises(InputError, match=r"requests\.csv: a gzip file, expected plain text"):
        estimate(packed, drawn)


@pytest.mark.parametrize("name", ["b.CSV", "notes.txt"])
def test_a_file_of_another_kind_in_a_folder_is_refused(tmp_path, asked, drawn, name):
    write(asked, tmp_path / "requests" / "a.csv").with_name(name).write_text("x\n")
    with pytest.raises(InputError, match=rf"requests/{name}: unknown kind of file, expected \.parquet"):
        estimate(tmp_path / "requests", drawn)


def test_a_folder_in_a_folder_is_refused(tmp_path, asked, drawn):
    for name in ("a.csv", "day=2/b.csv"):
        write(asked, tmp_path / "requests" / name)
    with pytest.raises(InputError, match="requests/day=2: not a file, expected only files"):
        estimate(tmp_path / "requests", drawn)


def test_marks_of_other_programs_are_passed_over_and_names_are_no_patterns(tmp_path, asked, drawn):
    folder = tmp_path / "day=1"
    for name, part in (("a[1].csv", asked[:1]), ("a1.csv", asked[1:])):
        write(part, folder / name)
    for name in ("_SUCCESS", ".a1.csv.crc"):
        (folder / name).touch()
    assert rows(estimate(folder, drawn), "requests", "", "in") == 3


@pytest.mark.parametrize("scheme", ["s3", "s3a"])
def test_an_address_that_cannot_be_reached_is_named(drawn, scheme):
    with pytest.raises(InputError, match=rf"^{scheme}://nowhere/requests\.csv: cannot be read \(") as error:
        estimate(f"{scheme}://nowhere/requests.csv", drawn)
    assert "\n" not in str(error.value)
