"""Files are whole or not there, and the same on every run."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.core.errors import InputError
from pipeline.core.files import (
    read_json,
    round_significant,
    writable_folder,
    write_atomically,
    write_csv,
    write_json,
    write_parquet,
)


def test_a_failed_write_leaves_the_old_file_and_no_rest(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("old")

    def fail(temporary: Path) -> None:
        temporary.write_text("half")
        raise OSError("disk full")

    with pytest.raises(InputError, match=r"table\.csv: cannot be written \(disk full\)"):
        write_atomically(path, fail)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_infinite_value_is_no_result(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="column 'wh': an infinite value"):
        write_csv(pd.DataFrame({"model": ["a", "b"], "wh": [1.0, float("-inf")]}), tmp_path / "t.csv")
    assert list(tmp_path.iterdir()) == []


def test_a_link_stays_and_its_target_is_written(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "there" / "table.json")
    write_json({"x": 1}, tmp_path / "link")
    assert (tmp_path / "link").is_symlink() and read_json(tmp_path / "there" / "table.json") == {"x": 1}


def test_a_pipe_is_written_into_and_stays(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(pipe.read_text)
        write_json({"x": 1}, pipe)
        assert json.loads(found.result(timeout=10)) == {"x": 1}
    assert pipe.is_fifo() and list(tmp_path.iterdir()) == [pipe]


def test_folders_are_made_and_files_can_be_read_by_all(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "c.json"
    write_json({"x": 1}, path)
    assert path.stat().st_mode & 0o777 == 0o644


def test_csv_has_six_digits_and_unix_line_ends(tmp_path: Path) -> None:
    table = pd.DataFrame({"name": ["ü"], "value": [1 / 3], "count": [1234567]})
    write_csv(table, tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_bytes() == "name,value,count\nü,0.333333,1234567\n".encode()


def test_json_is_sorted_rounded_and_refuses_nan(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    write_json({"b": 2 / 3, "a": [1e-9 / 3, True, None, "x"]}, path)
    assert (
        path.read_text() == json.dumps({"a": [3.33333e-10, True, None, "x"], "b": 0.666667}, indent=2) + "\n"
    )
    assert read_json(path)["b"] == 0.666667
    with pytest.raises(InputError, match="missing or infinite"):
        write_json({"a": float("nan")}, path)
    assert read_json(path)["b"] == 0.666667


def test_last_bits_do_not_show() -> None:
    assert round_significant({"a": (0.1 + 0.2, [1e300])}) == {"a": [0.3, [1e300]]}


def test_a_logarithm_near_zero_is_written_with_six_decimals(tmp_path: Path) -> None:
    write_csv(pd.DataFrame({"ln_error": [-0.0006922841, 1.0], "lng": [1e-9, 1.0]}), tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text() == "ln_error,lng\n-0.000692,1e-09\n1,1\n"


def test_noise_of_a_processor_does_not_reach_parquet(tmp_path: Path) -> None:
    values = np.array([1 / 3, -7e9, 3.1e-12, 0.0, np.nan])
    write_parquet(pd.DataFrame({"x": values}), tmp_path / "one")
    write_parquet(pd.DataFrame({"x": values * (1 + 1e-13)}), tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    np.testing.assert_allclose(pd.read_parquet(tmp_path / "one")["x"], values, rtol=1e-9)


def test_parquet_is_the_same_twice(tmp_path: Path) -> None:
    table = pd.DataFrame({"name": ["a", "b"], "value": [1.5, None]})
    for name in ("one", "two"):
        write_parquet(table, tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "one"), table)


@pytest.mark.parametrize("name", ["file.csv/t.csv", "folder"])
def test_a_place_that_takes_no_file_is_one_message(tmp_path: Path, name: str) -> None:
    (tmp_path / "file.csv").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match=f"{name}: cannot be written"):
        write_csv(pd.DataFrame({"x": [1]}), tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file.csv", "folder"]


def test_a_folder_is_tried_before_the_work(tmp_path: Path) -> None:
    assert writable_folder(tmp_path / "not" / "yet") == tmp_path
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="file: not a folder that can be written"):
        writable_folder(tmp_path / "file" / "below")
