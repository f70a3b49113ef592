"""The same expressions on Spark: a local session, a real standalone cluster, and Spark Connect.

Needs Java 17 and requirements-spark.lock (`make setup-spark`); run by .venv-spark. Without them the tests are
skipped and say so, with PERQUERY_REQUIRE_ALL=1 they fail instead.
"""

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.errors import InputError
from pipeline.logs.synthetic import Load, all_logs, write_logs
from tests.logs.conftest import ROOT, assert_balanced, estimate, power, requests, rows, write

pytestmark = pytest.mark.spark

LOAD = Load(nodes=2, minutes=90)
DAEMON = "org.apache.spark.deploy"
CONNECT = "org.apache.spark.sql.connect.service.SparkConnectServer"
DEFAULTS = {
    "spark.sql.shuffle.partitions": 2,
    "spark.default.parallelism": 2,
    "spark.executor.memory": "1g",
    "spark.cores.max": 1,  # the Connect server takes one of the two cores, the driver of a test the other
    "spark.ui.enabled": "false",
}
ENGINES = ["local[2]", "cluster", "connect"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int, process: subprocess.Popen, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert process.poll() is None, "a Spark process ended before it listened"
        time.sleep(0.5)
    raise AssertionError(f"nothing listened on port {port} after {seconds} s")


@pytest.fixture(scope="module", autouse=True)
def spark_home(tmp_path_factory) -> Path:
    missing = [
        what
        for what, there in {
            "Java 17 (`java` on the PATH)": shutil.which("java"),
            "pyspark (`make setup-spark`, then run by .venv-spark)": importlib.util.find_spec("pyspark"),
        }.items()
        if not there
    ]
    if missing:
        message = f"Spark tests need {' and '.join(missing)}"
        if os.environ.get("PERQUERY_REQUIRE_ALL") == "1":
            pytest.fail(message)
        pytest.skip(message)
    # as an administrator would: defaults for small data, for every Spark process that the tests start
    defaults = tmp_path_factory.mktemp("conf") / "spark-defaults.conf"
    defaults.write_text("".join(f"{key} {value}\n" for key, value in DEFAULTS.items()))
    os.environ["SPARK_CONF_DIR"] = str(defaults.parent)
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    return Path(importlib.util.find_spec("pyspark").submodule_search_locations[0])


@pytest.fixture(scope="module")
def addresses(spark_home, tmp_path_factory) -> Iterator[dict[str, str]]:
    """A master, two workers and a Connect server as processes on loopback; ended by their ids afterwards."""
    work = tmp_path_factory.mktemp("spark")
    environment = os.environ | {"SPARK_HOME": str(spark_home), "SPARK_DAEMON_MEMORY": "512m"}
    environment |= {"SPARK_LOG_DIR": str(work), "SPARK_WORKER_DIR": str(work)}
    started = []

    def start(*words: str, ready: int | None = None) -> None:
        command = [str(spark_home / "bin" / "spark-class"), *words]
        with (work / f"{len(started)}.log").open("w") as log:
            started.append(
                subprocess.Popen(
                    command,
                    env=environment,
                    cwd=work,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            )
        if ready:
            wait_for(ready, started[-1])

    master, server = free_port(), free_port()
    cluster = f"spark://127.0.0.1:{master}"
    own = ["--host", "127.0.0.1", "--webui-port", "0"]
    try:
        start(f"{DAEMON}.master.Master", *own, "--port", str(master), ready=master)
        for _ in range(2):
            start(f"{DAEMON}.worker.Worker", *own, "-c", "1", "-m", "2g", cluster)
        limits = [f"spark.connect.grpc.binding.port={server}", "spark.connect.grpc.binding.address=127.0.0.1"]
        conf = [word for limit in limits for word in ("--conf", limit)]
        submit = [f"{DAEMON}.SparkSubmit", "--class", CONNECT, "--master", cluster, *conf, "spark-internal"]
        start(*submit, ready=server)
        yield {"local[2]": "local[2]", "cluster": cluster, "connect": f"sc://127.0.0.1:{server}"}
    finally:
        for process in reversed(started):
            process.terminate()
        for process in reversed(started):
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()


@pytest.fixture(scope="module")
def logs(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("logs")
    for _ in write_logs(LOAD, folder):
        pass
    return folder


def command(logs: Path, out: Path, engine: str) -> None:
    """The real command in a process of its own: a process can hold one Spark session of one kind."""
    words = ["-m", "pipeline.logs", logs / "requests", logs / "power", "-o", out, "--engine", engine]
    done = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.parametrize("engine", ENGINES)
def test_agrees_with_duckdb_to_the_byte_and_with_the_truth(engine, addresses, logs, tmp_path):
    command(logs, tmp_path / "duckdb", "duckdb")
    command(logs, tmp_path / "spark", addresses[engine])
    for name in ("hours.csv", "models.csv", "account.csv"):
        assert (tmp_path / "spark" / name).read_bytes() == (tmp_path / "duckdb" / name).read_bytes()
    hours = pd.read_csv(tmp_path / "spark" / "hours.csv")
    truth = all_logs(LOAD).truth.groupby(["hour", "model"])["node_wh"]
    np.testing.assert_allclose(hours["node_mean_wh"], truth.mean(), rtol=1e-5)


@pytest.mark.parametrize("suffix", ["csv", "jsonl.gz"])
def test_sets_aside_the_same_rows_as_duckdb(tmp_path, suffix):
    asked = requests(
        (1, "a", "x", 10, 30), (61, "a", "x", 10, -1), (62, "a", "y", 10, 20), (62, "z", "y", 10, 20)
    )
    asked = pd.concat([asked, asked[2:3]]).assign(
        end=lambda t: t["time"] + pd.to_timedelta([70, 1, 1, 1, 1], unit="s")
    )
    drawn = pd.concat([power(6), power(6)[:3], power(6, scope="gpu")])
    drawn.iloc[200, drawn.columns.get_loc("watts")] = -1
    paths = write(asked, tmp_path / f"requests.{suffix}"), write(drawn, tmp_path / f"power.{suffix}")
    spark, duckdb = (estimate(*paths, engine=engine) for engine in ("local[2]", "duckdb"))
    assert_balanced(spark)
    assert rows(spark, "requests", "duplicate") == 1
    for name in ("hours", "models", "account"):
        pd.testing.assert_frame_equal(getattr(spark, name), getattr(duckdb, name), rtol=1e-9)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("output_tokens", "many", r"requests\.csv, row 2, column 'output_tokens': 'many'"),
        ("time", "yesterday", r"requests\.csv, row 2, column 'time': 'yesterday'"),
    ],
)
def test_refuses_the_same_cells_as_duckdb(tmp_path, column, value, message):
    bad = requests((1, "a", "x", 10, 30)).assign(**{column: value})
    paths = write(bad, tmp_path / "requests.csv"), write(power(), tmp_path / "power.csv")
    for engine in ("local[2]", "duckdb"):
        with pytest.raises(InputError, match=message):
            estimate(*paths, engine=engine)


def test_refuses_a_line_that_breaks_off(tmp_path):
    path = write(requests((1, "a", "x", 10, 30), (2, "a", "x", 10, 30)), tmp_path / "requests.csv")
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], lines[1][:30], lines[2]]) + "\n")
    with pytest.raises(InputError, match=r"requests\.csv, row 2: "):
        estimate(path, write(power(), tmp_path / "power.csv"), engine="local[2]")
