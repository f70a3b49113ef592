"""Time zones of `time` and `end` and of both logs: all are stated, or none is."""

import pandas as pd
import pytest

from pipeline.core.errors import InputError
from tests.logs.conftest import estimate, power, requests, write

FORM = "%Y-%m-%dT%H:%M:%S"


@pytest.fixture
def asked() -> pd.DataFrame:
    table = requests((1, "a", "x", 10, 30), (61, "a", "x", 10, 30))
    return table.assign(end=table["time"] + pd.Timedelta(1, "s"))


def without_zone(table: pd.DataFrame, *columns: str) -> pd.DataFrame:
    return table.assign(**{column: table[column].dt.strftime(FORM) for column in columns})


def refused(asked: pd.DataFrame, drawn: pd.DataFrame, folder, suffixes=("csv", "csv")) -> str:
    paths = (folder / f"requests.{suffixes[0]}", folder / f"power.{suffixes[1]}")
    with pytest.raises(InputError) as error:
        estimate(write(asked, paths[0]), write(drawn, paths[1]))
    return str(error.value)


def test_an_end_without_zone_beside_times_with_one_is_refused(tmp_path, asked):
    message = refused(without_zone(asked, "end"), power(), tmp_path)
    assert "requests.csv, row 2, column 'end': '2026-01-05T00:00:02', expected a zone" in message
    assert "2 of the 4 times" in message


def test_an_end_of_parquet_without_zone_beside_times_with_one_is_refused(tmp_path, asked):
    zoned = asked.assign(time=asked["time"].dt.tz_localize("UTC"))
    message = refused(zoned, power(), tmp_path, ("parquet", "csv"))
    assert "requests.parquet, column 'end': times without a zone" in message


def test_a_power_log_without_zones_beside_requests_with_them_is_refused(tmp_path, asked):
    message = refused(asked, without_zone(power(), "time"), tmp_path)
    assert "power.csv, row 2, column 'time': '2026-01-05T00:00:00', expected a zone" in message
    assert "as in " in message and "requests.csv, or none in either" in message


def test_requests_without_zones_beside_a_power_log_with_them_are_refused(tmp_path, asked):
    message = refused(without_zone(asked, "time", "end"), power(), tmp_path)
    assert "requests.csv, row 2, column 'time': '2026-01-05T00:00:01', expected a zone" in message


def test_parquet_without_zones_beside_text_with_them_is_refused(tmp_path, asked):
    message = refused(asked, power(), tmp_path, ("csv", "parquet"))
    assert "power.parquet, column 'time': times without a zone, expected a zone" in message


def test_logs_that_both_say_no_zone_are_in_utc(run, asked):
    bare = run(without_zone(asked, "time", "end"), without_zone(power(), "time"))
    pd.testing.assert_frame_equal(bare.hours, run(asked, power()).hours, check_exact=True)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu"])
def test_zones_of_parquet_are_converted(tmp_path, run, asked, zone):
    zoned = asked.assign(**{c: asked[c].dt.tz_localize("UTC").dt.tz_convert(zone) for c in ("time", "end")})
    found = estimate(write(zoned, tmp_path / "r.parquet"), write(power(), tmp_path / "p.csv"))
    pd.testing.assert_frame_equal(found.hours, run(asked, power()).hours, check_exact=True)
