"""Every way in which a log can be wrong: refused with file, row and column, or set aside and counted."""

import csv
import gzip
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.core.errors import InputError
from tests.logs.conftest import ROOT, START, estimate, power, requests, rows, swinging, write


@pytest.fixture
def asked() -> pd.DataFrame:
    return requests((1, "a", "x", 10, 30), (61, "a", "x", 10, 30), (62, "a", "y", 10, 20))


def refused(tmp_path: Path, asked: pd.DataFrame, drawn: pd.DataFrame, suffix: str = "csv") -> str:
    with pytest.raises(InputError) as error:
        estimate(write(asked, tmp_path / f"requests.{suffix}"), write(drawn, tmp_path / f"power.{suffix}"))
    return str(error.value)


def test_unsorted_time_gives_the_same_result(run, asked):
    drawn = power()
    sorted_first = run(asked, drawn)
    pd.testing.assert_frame_equal(
        sorted_first.hours, run(asked[::-1], drawn.sample(frac=1, random_state=3)).hours, check_exact=True
    )


def test_repeated_rows_count_once(run, asked):
    drawn = power()
    twice = run(pd.concat([asked, asked[:2], asked[:1]]), pd.concat([drawn, drawn[:5]]))
    assert rows(twice, "requests", "duplicate") == 3
    assert rows(twice, "power_series", "duplicate") == 5
    pd.testing.assert_frame_equal(twice.hours, run(asked, drawn).hours, check_exact=True)


def test_requests_with_different_ids_are_not_repeats(run, asked):
    same = pd.concat([asked[:1], asked[:1]]).assign(request=["first", "second"])
    assert run(same, power()).hours["queries"].item() == 2


def test_two_requests_at_the_same_time_are_not_repeats(run):
    overlapping = requests((1, "a", "x", 10, 30), (1, "a", "y", 10, 30))
    result = run(overlapping, power())
    assert result.hours["queries"].tolist() == [1, 1]
    assert result.hours["node_mean_wh"].tolist() == pytest.approx([30, 30])


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_mixed_time_zones_are_refused(tmp_path, asked, suffix):
    mixed = asked.assign(time=["2026-01-05T00:00:01Z", "2026-01-05T00:01:01", "2026-01-05T01:01:02+01:00"])
    message = refused(tmp_path, mixed, power(), suffix)
    assert f"requests.{suffix}, row {3 if suffix == 'csv' else 2}, column 'time'" in message
    assert "2 of the 3 times" in message


def test_mixed_time_zones_in_the_files_of_a_folder_are_refused(tmp_path, asked):
    zoned = asked.assign(time=asked["time"].dt.tz_localize("America/New_York"))
    write(asked[:2], tmp_path / "requests" / "1.parquet")
    write(zoned[2:], tmp_path / "requests" / "2.parquet")
    expected = r"2\.parquet, column 'time': times with a zone, expected times without a zone as in 1\.parquet"
    with pytest.raises(InputError, match=expected):
        estimate(tmp_path / "requests", write(power(), tmp_path / "power.csv"))


@pytest.mark.parametrize(
    ("tokens", "found"), [(["many"], "text"), ([float("nan")], "numbers"), ([2.5], "numbers")]
)
def test_files_of_a_folder_with_other_types_are_refused(tmp_path, asked, tokens, found):
    """The engine would cast them to the type of the first: it stops at NaN and rounds 2.5."""
    write(asked[:2].astype({"output_tokens": "int64"}), tmp_path / "requests" / "1.parquet")
    write(asked[2:].assign(output_tokens=tokens), tmp_path / "requests" / "2.parquet")
    with pytest.raises(InputError, match=f"'output_tokens': {found}, expected whole numbers"):
        estimate(tmp_path / "requests", write(power(), tmp_path / "power.csv"))


def test_offsets_that_are_all_stated_are_converted(run, asked):
    zoned = asked.assign(
        time=["2026-01-05T00:00:01.000000Z", "2026-01-05T01:01:01+01:00", "2026-01-04T18:01:02-06:00"]
    )
    pd.testing.assert_frame_equal(run(zoned, power()).hours, run(asked, power()).hours, check_exact=True)


def test_a_clock_set_back_sets_its_windows_aside(run, asked):
    drawn = power(minutes=6)
    repeated = drawn[60:120].assign(time=lambda t: t["time"] + pd.Timedelta(500, "ms"))
    result = run(asked, pd.concat([drawn, repeated]))
    assert rows(result, "power_series", "clock_went_back") == 120
    assert rows(result, "requests", "window_without_power") == 2


def test_a_clock_set_forward_leaves_its_windows_not_covered(run, asked):
    drawn = power(minutes=6)
    drawn.loc[70:, "time"] += pd.Timedelta(150, "s")
    result = run(asked, drawn)
    # from 70 s to 220 s there is nothing; the last sample is at 509 s
    # the log ends there, so that its last window has all that there was to read
    assert rows(result, "power_series", "window_not_covered") == (70 - 60) + (240 - 220)
    assert rows(result, "requests", "window_without_power") == 2


def test_a_gap_in_the_power_sets_its_window_aside(run, asked):
    drawn = power(minutes=6)
    result = run(asked, drawn.drop(drawn.index[70:100]))
    assert rows(result, "power_series", "window_not_covered") == 30
    assert rows(result, "requests", "window_without_power") == 2
    assert result.hours["queries"].item() == 1


def test_a_request_half_in_a_gap_counts_with_its_half(run):
    drawn = power(minutes=6)
    half = requests((30, "a", "x", 1, 30), (1, "a", "y", 1, 45)).assign(
        end=START + pd.to_timedelta([90, 10], unit="s")
    )
    result = run(half, drawn.drop(drawn.index[60:120]))
    assert result.hours["node_mean_wh"].tolist() == pytest.approx([30, 45])
    assert result.hours["queries_under_power"].tolist() == pytest.approx([0.5, 1])
    partly = result.account.query("reason == 'partly_under_power'")
    assert partly["rows"].item() == 1
    assert partly["node_wh"].item() == pytest.approx(60 * 15 / 60)


def test_requests_of_a_node_without_power_are_set_aside(run, asked):
    elsewhere = requests((1, "nowhere", "x", 10, 30))
    assert rows(run(pd.concat([asked, elsewhere]), power()), "requests", "node_without_power") == 1


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("model", None, "model_missing"),
        ("output_tokens", -1, "tokens_negative"),
        ("input_tokens", -5, "tokens_negative"),
        ("output_tokens", float("nan"), "tokens_missing"),
        ("output_tokens", float("inf"), "tokens_missing"),
        ("output_tokens", 12.5, "tokens_not_whole"),
        ("output_tokens", 1e12, "tokens_out_of_range"),
        ("output_tokens", 0, "no_tokens"),
        ("time", pd.NaT, "time_missing"),
    ],
)
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_an_unusable_request_is_set_aside(run, asked, column, value, reason, suffix):
    bad = asked.astype({"output_tokens": "float64", "input_tokens": "float64"})
    if column == "time" and suffix == "csv":
        bad = bad.assign(time=[t.strftime("%Y-%m-%dT%H:%M:%SZ") for t in bad["time"]])
        value = ""
    bad.loc[bad.index[2], column] = value
    result = run(bad, power(), suffix)
    assert rows(result, "requests", reason) == 1
    assert rows(result, "requests", "", "used") == 2


def test_a_request_that_ends_before_it_starts_is_set_aside(run, asked):
    ends = asked.assign(end=asked["time"] + pd.to_timedelta([1, 1, -1], unit="s"))
    assert rows(run(ends, power()), "requests", "ends_before_start") == 1


def test_a_window_with_unusable_requests_only_is_not_idle(run, asked):
    result = run(pd.concat([asked, requests((121, "a", "x", 10, -30))]), power())
    assert rows(result, "power_series", "only_unusable_requests") == 60
    assert result.hours["idle_wh"].tolist() == [0, 0]


@pytest.mark.parametrize(
    ("watts", "reason"),
    [
        (-5.0, "watts_negative"),
        (0.0, "watts_zero"),
        (float("nan"), "watts_missing"),
        (float("inf"), "watts_missing"),
        (0.36, "watts_too_low"),
        (3.6e6, "watts_too_high"),
    ],
)
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_an_unusable_sample_is_set_aside(run, asked, watts, reason, suffix):
    drawn = power()
    drawn.loc[5, "watts"] = watts
    result = run(asked, drawn, suffix)
    assert rows(result, "power_series", reason) == 1
    assert result.hours["node_mean_wh"].sum() == pytest.approx((60 + 60 * 30 / 50) / 2 + 60 * 20 / 50)


@pytest.mark.parametrize(("factor", "unit"), [(1000.0, "mW"), (0.001, "kW")])
def test_watts_in_another_unit_are_refused(tmp_path, asked, factor, unit):
    other = power(node="b")
    other["watts"] *= factor
    message = refused(tmp_path, asked, pd.concat([power(), other]))
    assert "power.csv, row 182, column 'watts'" in message
    assert f"looks like {unit}" in message
    assert "node 'b': 180 of 180" in message


@pytest.mark.parametrize("step", [2, 7, 10, 20])
def test_the_interval_of_a_meter_is_its_own(run, asked, step):
    drawn = power(minutes=7)
    sparse = run(asked, drawn[::step])
    np.testing.assert_allclose(
        sparse.hours["node_mean_wh"], run(asked, drawn).hours["node_mean_wh"], rtol=1e-9
    )


def test_carriage_returns_and_quotes_are_read(run, tmp_path, asked):
    path, drawn = write(asked, tmp_path / "r.csv"), write(power(), tmp_path / "p.csv")
    path.write_bytes(path.read_bytes().replace(b",a,x,", b',"a","x",').replace(b"\n", b"\r\n"))
    pd.testing.assert_frame_equal(estimate(path, drawn).hours, run(asked, power()).hours, check_exact=True)


def test_an_optional_key_may_come_late_in_json_lines(tmp_path, asked):
    first = write(asked[:1], tmp_path / "first.jsonl").read_text()
    ends = asked.assign(end=asked["time"] + pd.Timedelta(1, "s"))
    path = write(ends[1:], tmp_path / "requests.jsonl")
    path.write_text(first + path.read_text())
    result = estimate(path, write(power(), tmp_path / "power.csv"))
    assert rows(result, "requests", "end_missing") == 1


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_unknown_and_missing_columns_are_refused(tmp_path, asked, suffix):
    assert "unknown column 'watt'" in refused(tmp_path, asked, power().assign(watt=1), suffix)
    assert "column 'model' is missing" in refused(tmp_path, asked.drop(columns="model"), power(), suffix)


def test_columns_of_another_type_are_refused(tmp_path, asked):
    assert "column 'node': type int64, expected text" in refused(
        tmp_path, asked.assign(node=7), power(), "parquet"
    )
    assert "expected timestamp" in refused(tmp_path, asked.assign(time=7), power(), "parquet")


@pytest.mark.parametrize(
    ("column", "value"),
    [("output_tokens", "many"), ("input_tokens", "1x"), ("time", "yesterday")],
)
@pytest.mark.parametrize(("suffix", "row"), [("csv", 3), ("jsonl", 2), ("csv.gz", 3)])
def test_a_cell_that_cannot_be_read_is_refused(tmp_path, asked, column, value, suffix, row):
    bad = asked.astype("object")
    bad["time"] = [t.strftime("%Y-%m-%dT%H:%M:%SZ") for t in asked["time"]]
    bad.loc[1, column] = value
    message = refused(tmp_path, bad, power(), suffix)
    assert f"requests.{suffix}, row {row}, column {column!r}: {value!r}, expected" in message


def test_an_unknown_scope_is_refused(tmp_path, asked):
    drawn = power()
    drawn.loc[7, "scope"] = "rack"
    assert "power.csv, row 9, column 'scope': 'rack'" in refused(tmp_path, asked, drawn)


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "csv.gz"])
def test_a_half_written_last_line_is_refused(tmp_path, asked, suffix):
    path, drawn = write(asked, tmp_path / f"requests.{suffix}"), write(power(), tmp_path / "power.csv")
    raw = gzip.decompress(path.read_bytes()) if suffix.endswith("gz") else path.read_bytes()
    path.write_bytes(gzip.compress(raw[:-2]) if suffix.endswith("gz") else raw[:-2])
    with pytest.raises(InputError, match="half-written"):
        estimate(path, drawn)


@pytest.mark.parametrize(
    ("tail", "expected"),
    [(b"rest", "not a whole gzip file"), (bytes(512), "cannot be read .*GZIP")],
)
def test_a_gzip_file_with_something_behind_it_is_refused(tmp_path, asked, tail, expected):
    path, drawn = write(asked, tmp_path / "requests.csv.gz"), write(power(), tmp_path / "power.csv")
    path.write_bytes(path.read_bytes() + tail)
    with pytest.raises(InputError, match=expected):
        estimate(path, drawn)


def test_gzip_files_that_were_joined_are_read_whole(run, tmp_path, asked):
    raw, drawn = write(asked, tmp_path / "r.csv").read_bytes(), write(power(), tmp_path / "p.csv")
    joined = tmp_path / "joined.csv.gz"
    joined.write_bytes(gzip.compress(raw[:100]) + gzip.compress(raw[100:]))
    pd.testing.assert_frame_equal(estimate(joined, drawn).hours, run(asked, power()).hours, check_exact=True)


def test_a_truncated_gzip_file_is_refused(tmp_path, asked):
    path, drawn = write(asked, tmp_path / "requests.csv.gz"), write(power(), tmp_path / "power.csv")
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(InputError, match=r"requests\.csv\.gz: not a whole gzip file"):
        estimate(path, drawn)


@pytest.mark.parametrize(("suffix", "row"), [("csv", 3), ("jsonl", 2)])
def test_a_line_that_breaks_off_in_the_middle_is_refused(tmp_path, asked, suffix, row):
    path, drawn = write(asked, tmp_path / f"requests.{suffix}"), write(power(), tmp_path / "power.csv")
    lines = path.read_text().splitlines(keepends=True)
    lines[row - 1] = lines[row - 1][:30] + "\n"
    path.write_text("".join(lines))
    with pytest.raises(InputError, match=rf"requests\.{suffix}, row {row}: "):
        estimate(path, drawn)


@pytest.mark.parametrize(("suffix", "row"), [("csv", 4), ("jsonl", 3), ("csv.gz", 4)])
def test_text_that_is_not_utf8_is_refused(tmp_path, asked, suffix, row):
    path, drawn = write(asked, tmp_path / f"requests.{suffix}"), write(power(), tmp_path / "power.csv")
    packed = suffix.endswith("gz")
    raw = gzip.decompress(path.read_bytes()) if packed else path.read_bytes()
    raw = raw.replace(b",y,", b",\xff,").replace(b'"y"', b'"\xff"')
    path.write_bytes(gzip.compress(raw) if packed else raw)
    with pytest.raises(InputError, match=rf"requests\.{suffix}, row {row}: .*expected UTF-8 text"):
        estimate(path, drawn)


@pytest.mark.parametrize("limit", [131_072, sys.maxsize])  # of the csv module, which any package may move
def test_a_line_that_is_far_too_long_is_refused(tmp_path, asked, limit):
    bad, before = asked.assign(model=["x", "x", "y" * 3_000_000]), csv.field_size_limit(limit)
    try:
        assert "requests.csv, row 4: " in refused(tmp_path, bad, power())
    finally:
        csv.field_size_limit(before)


@pytest.mark.parametrize("name", ["requests.csv", "requests.jsonl", "requests.parquet", "requests.csv.gz"])
def test_an_empty_file_is_refused(tmp_path, name):
    (tmp_path / name).touch()
    with pytest.raises(InputError, match="the file is empty"):
        estimate(tmp_path / name, write(power(), tmp_path / "power.csv"))


def test_an_empty_log_in_gzip_is_refused(tmp_path):
    (tmp_path / "requests.csv.gz").write_bytes(gzip.compress(b""))
    with pytest.raises(InputError, match="the file is empty"):
        estimate(tmp_path / "requests.csv.gz", write(power(), tmp_path / "power.csv"))


def test_an_empty_file_in_a_folder_is_refused(tmp_path, asked):
    write(asked, tmp_path / "requests" / "1.csv")
    (tmp_path / "requests" / "2.csv").touch()
    with pytest.raises(InputError, match=r"2\.csv: the file is empty"):
        estimate(tmp_path / "requests", write(power(), tmp_path / "power.csv"))


def test_a_header_without_rows_is_refused(tmp_path, asked):
    assert "without rows" in refused(tmp_path, asked[:0], power())
    assert "without rows" in refused(tmp_path, asked[:0], power(), "parquet")


def test_a_truncated_parquet_file_is_refused(tmp_path, asked):
    path = write(asked, tmp_path / "requests.parquet")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match="not a whole Parquet file"):
        estimate(path, write(power(), tmp_path / "power.csv"))


def test_a_missing_file_and_an_unknown_kind_are_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        estimate(tmp_path / "none.csv", tmp_path / "power.csv")
    (tmp_path / "requests.xlsx").write_text("x")
    with pytest.raises(InputError, match="unknown kind of file"):
        estimate(tmp_path / "requests.xlsx", tmp_path / "power.csv")


def test_logs_that_do_not_meet_are_refused(tmp_path, asked):
    message = refused(tmp_path, asked.assign(node="b"), power())
    assert "no request could be given energy" in message
    assert "requests.csv has node 'b' and times from 2026-01-05T00:00:00Z to 2026-01-05T00:02:00Z" in message
    assert "power.csv has node 'a' and times from 2026-01-05T00:00:00Z to 2026-01-05T00:03:00Z" in message


def test_a_log_of_which_every_row_is_set_aside_is_refused(tmp_path, asked):
    assert "requests.csv: every row is set aside" in refused(
        tmp_path, asked.assign(output_tokens=-1), power()
    )


def test_the_command_writes_all_tables_or_none(tmp_path, asked):
    drawn = write(swinging(power()), tmp_path / "power.csv")
    good = write(asked.assign(output_tokens=[3000, 3000, 2000]), tmp_path / "requests.csv")
    bad = write(asked.assign(output_tokens="many"), tmp_path / "bad.csv")

    def command(path: Path, out: str, *more: str) -> subprocess.CompletedProcess:
        words = [sys.executable, "-m", "pipeline.logs", path, drawn, "-o", tmp_path / out, *more]
        return subprocess.run(words, capture_output=True, text=True, cwd=ROOT)

    done = command(good, "out", "--weights", "data/results/token_weights.csv")
    assert done.returncode == 0
    assert "An input token counts as" in done.stdout and "fitted to other models: x" in done.stdout
    names = sorted(p.name for p in (tmp_path / "out").iterdir())
    assert names == ["account.csv", "hours.csv", "models.csv", "report.html", "report.json"]
    failed = command(bad, "none")
    assert failed.returncode == 1
    assert failed.stderr.startswith(
        f"error: {bad}, row 2, column 'output_tokens': 'many', expected a whole number"
    )
    assert failed.stderr.count("\n") == 1
    assert not (tmp_path / "none").exists()
    assert "expected duckdb, local" in command(good, "none", "--engine", "oracle").stderr
