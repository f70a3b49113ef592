"""The same expressions on Spark: a local session, a real standalone cluster, and Spark Connect.

Needs Java 17 and `make setup-spark`. Without them the tests are skipped and say so; with
PERQUERY_REQUIRE_ALL=1 they fail instead.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.spark_cluster import QUICK_START, cluster, configured, spark_python
from benchmarks.synthetic import Load, all_logs, write_logs, write_weights
from tests.logs.conftest import ROOT, power, requests, write

pytestmark = pytest.mark.spark

# small files are shared in windows of ten seconds, in which the truth is exact
LOAD = Load(nodes=2, minutes=65, requests_per_minute=30.0, window_seconds=10)
DEFAULTS = {
    "spark.driver.extraJavaOptions": QUICK_START,
    "spark.executor.extraJavaOptions": QUICK_START,
    "spark.sql.shuffle.partitions": 2,
    "spark.default.parallelism": 2,
    "spark.executor.memory": "1g",
    "spark.cores.max": 1,  # the Connect server takes one of the two cores, the driver of a test the other
    "spark.ui.enabled": "false",
}
ENGINES = ["local[2]", "cluster"]  # the third, Connect, has the test of what is set aside


@pytest.fixture(scope="module", autouse=True)
def spark_home(tmp_path_factory) -> Path:
    missing = [
        what
        for what, there in {"Java 17": shutil.which("java"), "`make setup-spark`": spark_python()}.items()
        if not there
    ]
    if missing:
        message = f"Spark tests need {' and '.join(missing)}"
        if os.environ.get("PERQUERY_REQUIRE_ALL") == "1":
            pytest.fail(message)
        pytest.skip(message)
    return configured(tmp_path_factory.mktemp("conf"), DEFAULTS)


@pytest.fixture(scope="module")
def addresses(spark_home, tmp_path_factory) -> Iterator[dict[str, str]]:
    """A master, two workers and a Connect server as processes on loopback; ended by their ids afterwards."""
    with cluster(spark_home, tmp_path_factory.mktemp("spark"), connect=True) as found:
        yield {"local[2]": "local[2]", **found}


@pytest.fixture(scope="module")
def logs(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("logs")
    for _ in write_logs(LOAD, folder):
        pass
    return folder


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    """The weights of the synthetic logs as a table."""
    path = tmp_path_factory.mktemp("weights") / "weights.csv"
    write_weights(LOAD, path)
    return path


def command(
    asked: Path | str, drawn: Path, out: Path, engine: str, *more: str | Path
) -> subprocess.CompletedProcess:
    """The real command in a process of its own: a process can hold one Spark session of one kind."""
    words = ["-m", "pipeline.logs", asked, drawn, "-o", out, "--engine", engine, *more]
    return subprocess.run([spark_python(), *words], cwd=ROOT, capture_output=True, text=True)


def both(asked: Path, drawn: Path, out: Path, engine: str, *more: str | Path) -> tuple[Path, list[str]]:
    """Run by DuckDB and by the engine, expect the same bytes and doubts; the folder of the tables, and the
    doubts."""
    doubts = []
    for name in ("duckdb", engine):
        done = command(asked, drawn, out / name[:5], name, *more)
        assert done.returncode == 0, done.stderr[-3000:]
        doubts.append([line for line in done.stderr.splitlines() if line.startswith("flagged: ")])
    assert doubts[0] == doubts[1]
    for name in ("hours.csv", "models.csv", "account.csv"):
        assert (out / engine[:5] / name).read_bytes() == (out / "duckd" / name).read_bytes()
    return out / engine[:5], doubts[0]


@pytest.mark.parametrize("engine", ENGINES)
def test_agrees_with_duckdb_to_the_byte_and_with_the_truth(engine, addresses, logs, weights, tmp_path):
    out, doubts = both(logs / "requests", logs / "power", tmp_path, addresses[engine], "--weights", weights)
    assert not doubts
    hours = pd.read_csv(out / "hours.csv")
    truth = all_logs(LOAD).truth.groupby(["hour", "model"])["node_wh"]
    np.testing.assert_allclose(hours["node_mean_wh"], truth.mean(), rtol=1e-5)


def test_sets_aside_the_same_rows_as_duckdb(addresses, tmp_path):
    asked = requests(
        (1, "a", "x", 10, 30), (61, "a", "x", 10, -1), (62, "a", "y", 10, 20), (62, "z", "y", 10, 20)
    )
    asked = pd.concat([asked, asked[2:3]]).assign(
        end=lambda t: t["time"] + pd.to_timedelta([70, 1, 1, 1, 1], unit="s")
    )
    drawn = pd.concat([power(6), power(6)[:3], power(6, scope="gpu")])
    drawn.iloc[200, drawn.columns.get_loc("watts")] = -1
    paths = write(asked, tmp_path / "requests.csv"), write(drawn, tmp_path / "power.jsonl.gz")
    out, doubts = both(*paths, tmp_path, addresses["connect"], "--accept")
    assert any("requests set aside" in line for line in doubts)
    account = pd.read_csv(out / "account.csv", index_col=["log", "reason"])
    assert account.loc[("requests", "duplicate"), "rows"].item() == 1
    assert account.loc[("power_series", "duplicate"), "rows"].item() == 3
    assert account.loc[("power_series", "watts_negative"), "rows"].item() == 1


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (",30\n", ",many\n", "row 2, column 'output_tokens': 'many', expected"),
        ("2026-01-05T00:00:01.000000Z", "yesterday", "row 2, column 'time': 'yesterday', expected"),
        (",10,30\n", "\n", "row 2: "),
    ],
)
def test_refuses_the_same_cells_as_duckdb(addresses, tmp_path, old, new, message):
    path = write(requests((1, "a", "x", 10, 30), (2, "a", "x", 10, 20)), tmp_path / "requests.csv")
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    done = command(path, write(power(), tmp_path / "power.csv"), tmp_path / "out", addresses["connect"])
    assert done.returncode == 1
    assert f"error: {path}, {message}" in done.stderr
    assert not (tmp_path / "out").exists()


def refused_by_both(asked: Path, drawn: Path, out: Path, engine: str) -> str:
    """The message of DuckDB, expected of the engine too, word by word; nothing is written."""
    done = [command(asked, drawn, out, name) for name in ("duckdb", engine)]
    messages = [next(line for line in d.stderr.splitlines() if line.startswith("error: ")) for d in done]
    assert [d.returncode for d in done] == [1, 1]
    assert messages[0] == messages[1]
    assert not out.exists()
    return messages[0]


@pytest.mark.parametrize("column", ["node", "request"])
def test_refuses_a_byte_that_is_not_utf8_where_duckdb_does(addresses, tmp_path, column):
    asked = requests(*[(k / 10, "a", "x", 10, 30) for k in range(1000)]).assign(request="r")
    asked.loc[699, column] = "caf\u00e9"
    path = write(asked, tmp_path / "requests.csv")
    path.write_bytes(path.read_bytes().replace("\u00e9".encode(), b"\xe9"))
    drawn = write(power(), tmp_path / "power.csv")
    message = refused_by_both(path, drawn, tmp_path / "out", addresses["connect"])
    assert message.startswith(f"error: {path}, row 701: ") and message.endswith("expected UTF-8 text")


def test_refuses_times_of_parquet_without_zone_beside_text_with_one(addresses, tmp_path):
    asked = write(requests((1, "a", "x", 10, 30)), tmp_path / "requests.csv")
    drawn = write(power(), tmp_path / "power.parquet")
    message = refused_by_both(asked, drawn, tmp_path / "out", addresses["connect"])
    assert message.startswith(f"error: {drawn}, column 'time': times without a zone, expected a zone")


def test_reads_the_same_files_of_a_folder_and_marks_as_duckdb(addresses, tmp_path):
    asked = requests((1, "a", "x", 10, 30), (61, "a", "x", 10, 30))
    folder = tmp_path / "with space"
    for name, part in (("b[1].csv", asked[:1]), ("b1.csv", asked[1:])):
        path = write(part, folder / name)
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    (folder / "_SUCCESS").touch()
    drawn = power().assign(time=lambda t: t["time"].dt.tz_localize("UTC"))
    for name, part in (("1.parquet", drawn[:90]), ("2.parquet", drawn[90:])):
        write(part, tmp_path / "power" / name)
    # two requests in three minutes of 3.6 kW are far from any model, which is not the point here
    out, _ = both(folder, tmp_path / "power", tmp_path / "out", addresses["connect"], "--accept")
    account = pd.read_csv(out / "account.csv").query("reason != 'idle'")
    assert account.query("log == 'requests' and outcome == 'used'")["rows"].item() == 2


def test_names_an_address_that_cannot_be_reached(addresses, tmp_path):
    drawn = write(power(), tmp_path / "power.csv")
    done = command("s3://nowhere/requests.csv", drawn, tmp_path / "out", addresses["connect"])
    assert done.returncode == 1
    assert "error: s3://nowhere/requests.csv: cannot be read (" in done.stderr
    assert "Traceback" not in done.stderr
