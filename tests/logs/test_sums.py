"""What small tables add up to, worked by hand: a part of a log at a time, without its files."""

from pathlib import Path
from types import SimpleNamespace

import ibis
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from pipeline.logs.beside import calibration
from pipeline.logs.engines import connect
from pipeline.logs.explained import _two_levels
from pipeline.logs.formats.tidy import counter_in_watts
from pipeline.logs.gather import _plain_time, _write
from pipeline.logs.judge import _nodes
from pipeline.logs.publish import nodes
from pipeline.logs.shifts import _done


def test_shares_of_nodes_are_of_all_energy_and_of_all_weight():
    """10 of 100 Wh are of a node without requests, and 2 of 40 of the weight have no power."""
    table = pd.DataFrame({
        "node": ["a", "b", "c"], "wh": [60.0, 30.0, 10.0], "requests": [6, 4, 0],
        "requests_used": [6, 3, 0], "weight": [30.0, 10.0, 0.0], "weight_used": [30.0, 8.0, 0.0],
    })  # fmt: skip
    said = [(flag.kind, flag.text) for flag in _nodes(table, 0.04)]
    assert [kind for kind, _ in said] == ["node without requests", "tokens without power"]
    assert said[0][1].startswith("c: 10.0% of the energy") and "nodes b)" in said[1][1]
    assert said[1][1].startswith("5.0% of the token weight")
    assert [flag.kind for flag in _nodes(table, 0.06)] == ["node without requests"]
    assert not _nodes(table, 0.11)


def test_weight_of_a_request_is_that_of_its_ends_and_of_every_window_between():
    """Requests from window 2 to 6 (three between), within 4 and from 4 to 5; the last has no power."""
    grid = pd.DataFrame({
        "node": ["a", "a", "b"], "energy_uj": [3_600_000_000, 1_800_000_000, 7_200_000_000],
        "device_uj": [1_800_000_000, 900_000_000, 3_600_000_000],
        "outcome": ["serving", "idle", "serving"], "powered": [1, 1, 1],
    })  # fmt: skip
    prices = pd.DataFrame({
        "node": ["a", "a", "b"], "first": [2, 4, 4], "last": [6, 4, 5], "requests": [2, 1, 5],
        "weight_first": [10, 7, 3], "weight_last": [20, 0, 4], "weight_between": [5, 9, 9],
        "outcome": ["used", "partly_under_power", "no_power"],
    })  # fmt: skip
    with connect("duckdb", 300) as engine:
        found = nodes(engine, ibis.memtable(grid), ibis.memtable(prices), SimpleNamespace())
    by = found.set_index("node")
    assert by["weight"].to_dict() == {"a": 10 + 20 + 3 * 5 + 7, "b": 3 + 4}
    assert by["weight_used"].to_dict() == {"a": 52, "b": 0}
    assert by["requests_used"].to_dict() == {"a": 3, "b": 0}
    assert by.loc["a", ["wh", "idle_wh", "serving_wh", "serving_device_wh"]].tolist() == [1.5, 0.5, 1, 0.5]
    assert by.loc["a", ["windows", "serving"]].tolist() == [2, 1]


def test_the_calibration_has_the_rate_and_the_watts_of_the_windows_that_served():
    """20 windows of 10 s: 6,000 output tokens are 30 a second; 1 Wh of accelerators is 18 W, 0.6 J each."""
    keys = {"node": ["a"] * 3, "scope": ["gpu", "gpu", "node_wall"], "device": ["0", "1", "psu"]}
    result = SimpleNamespace(
        loads=SimpleNamespace(table=pd.DataFrame({"node": ["a"], "model": ["m"]})),
        prices=SimpleNamespace(assumed=pd.DataFrame({"name": ["m"], "gpu": ["h100"]})),
        meters=pd.DataFrame(keys),
        models=pd.DataFrame({"model": ["m"], "output_tokens": [6000], "node_mean_wh": [0.25]}),
        nodes=pd.DataFrame({"node": ["a"], "serving": [20], "serving_device_wh": [1.0]}),
        settings=SimpleNamespace(window_us=10_000_000, deployment=SimpleNamespace(gpus=None)),
    )
    row = calibration(result).iloc[0]
    assert (row["gpus"], row["output_tokens_per_s"], row["gpu_w"]) == (2, 30.0, 18.0)
    assert (row["gpu_j_per_output_token"], row["node_wh_per_query"]) == (0.6, 0.25)
    result.meters = result.meters[:2]
    assert np.isnan(calibration(result)["node_wh_per_query"].iloc[0])


@pytest.mark.parametrize(("times", "noticed"), [(1.2, False), (1.5, True), (3.0, True), (4.0, False)])
def test_two_levels_are_two_jobs_unless_alike_or_one_idles(times, noticed):
    columns = pd.MultiIndex.from_tuples([("gpu", str(k)) for k in range(4)], names=["scope", "device"])
    table = pd.DataFrame([[200.0, 202.0, 200.0 * times, 202.0 * times]] * 3, columns=columns)
    assert bool(_two_levels("n", table)) == noticed


@pytest.mark.parametrize(
    ("scope", "watts"), [("gpu", 5.5), ("gpu", 2300.0), ("node_wall", 42.0), ("node_wall", 18_000.0)]
)
@pytest.mark.parametrize(("unit", "joules"), [("mj", 1e-3), ("j", 1.0), ("wh", 3600.0)])
def test_a_counter_under_the_name_of_power_is_read_in_its_unit(scope, watts, unit, joules):
    """From an idle card to a full server: one unit alone makes it plausible, and that is the right one."""
    seconds = np.arange(0, 600, 10)
    table = pd.DataFrame({
        "time": 1_767_571_200_000_000 + seconds * 1_000_000, "node": "n", "scope": scope, "device": "0",
        "watts": 1e9 + seconds * watts / joules,
    })  # fmt: skip
    read, said = counter_in_watts(table, Path("power.csv"))
    assert read["watts"].dropna().to_numpy() == pytest.approx(watts, rel=1e-6)
    assert f"energy in {unit} " in said[0]


@pytest.mark.parametrize(
    ("text", "unzoned_is_utc", "unzoned_is_local"),
    [("2026-01-05T00:00:00Z", True, True), ("2026-01-05 00:00:00+01:00", True, True),
     ("2026-01-05T00:00:00", True, False), ("2026/01/05 00:00:00", False, False),
     ("05.01.2026 00:00", False, False), ("1767571200", False, False), ("no time", True, True)],
)  # fmt: skip
def test_times_are_left_to_the_engine_where_it_reads_them_rightly(text, unzoned_is_utc, unzoned_is_local):
    assert _plain_time(text, local=False) == unzoned_is_utc
    assert _plain_time(text, local=True) == unzoned_is_local


def test_what_a_log_says_is_written_and_what_it_leaves_out_is_not(tmp_path):
    """Columns of numbers that are blank all through go, but for tokens; others keep their values."""
    table = pd.DataFrame({
        "time": [1_767_571_200_000_000, 1_767_571_201_000_000], "end": [None, None], "node": [None, "b"],
        "model": [None, None], "input_tokens": [10, 20], "output_tokens": [np.nan, np.nan],
        "cached_input_tokens": [4, np.nan], "reasoning_tokens": [np.nan, np.nan], "status": [None, None],
    })  # fmt: skip
    _write(table, "requests", True, tmp_path / "part.parquet")
    found = pq.read_table(tmp_path / "part.parquet")
    assert str(found.schema.field("time").type) == "timestamp[us, tz=UTC]"
    got = found.drop_columns("time").to_pydict()
    assert got == {
        "node": ["node", "b"], "model": ["not named"] * 2, "input_tokens": [10.0, 20.0],
        "output_tokens": [None, None], "cached_input_tokens": [4.0, None],
    }  # fmt: skip


def test_weight_is_done_evenly_from_the_start_of_a_request_to_its_end():
    """4 from 0 to 8 s, and 6 from 6 to 12 s: a half and one a second, one and a half where both run."""
    asked = pd.DataFrame({"start_us": [6e6, 0.0], "end_us": [12e6, 8e6], "weight": [6.0, 4.0]})
    moments = np.array([-1.0, 0.0, 4.0, 7.0, 10.0, 12.0, 99.0]) * 1e6
    assert _done(asked, moments) == pytest.approx([0, 0, 2, 4.5, 8, 10, 10])
