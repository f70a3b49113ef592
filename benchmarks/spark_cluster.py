"""A Spark cluster of processes on this machine: a master, two workers, and a Connect server if asked for."""

import importlib.util
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DAEMON = "org.apache.spark.deploy"
CONNECT = "org.apache.spark.sql.connect.service.SparkConnectServer"
QUICK_START = (
    "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"  # a third less time where a process lives for seconds
)


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


def spark_python() -> Path | None:
    """The interpreter that has pyspark: this one, or that of `make setup-spark`."""
    if importlib.util.find_spec("pyspark"):
        return Path(sys.executable)
    other = ROOT / ".venv-spark" / "bin" / "python"
    return other if other.exists() else None


def configured(folder: Path, defaults: dict[str, str | int]) -> Path:
    """Spark's home; the defaults hold for all Spark processes from here on, as an administrator sets them."""
    text = "".join(f"{key} {value}\n" for key, value in defaults.items())
    (folder / "spark-defaults.conf").write_text(text)
    os.environ["SPARK_CONF_DIR"] = str(folder)
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    find = "import pyspark; print(pyspark.__path__[0])"
    command = [str(spark_python()), "-c", find]
    return Path(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip())


@contextmanager
def cluster(home: Path, work: Path, connect: bool = False) -> Iterator[dict[str, str]]:
    """Addresses; connect: with a Connect server. The processes are ended by their ids afterwards."""
    environment = os.environ | {"SPARK_HOME": str(home), "SPARK_DAEMON_MEMORY": "512m"}
    environment |= {"SPARK_LOG_DIR": str(work), "SPARK_WORKER_DIR": str(work)}
    environment |= {"SPARK_DAEMON_JAVA_OPTS": QUICK_START}
    started = []

    def start(*words: str, ready: int | None = None) -> None:
        command = [str(home / "bin" / "spark-class"), *words]
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
    address = f"spark://127.0.0.1:{master}"
    own = ["--host", "127.0.0.1", "--webui-port", "0"]
    try:
        start(f"{DAEMON}.master.Master", *own, "--port", str(master), ready=master)
        for _ in range(2):
            start(f"{DAEMON}.worker.Worker", *own, "-c", "1", "-m", "2g", address)
        if connect:
            at = "spark.connect.grpc.binding"
            conf = [
                word for one in (f"port={server}", "address=127.0.0.1") for word in ("--conf", f"{at}.{one}")
            ]
            submit = [f"{DAEMON}.SparkSubmit", "--class", CONNECT, "--master", address, *conf]
            start(*submit, "spark-internal", ready=server)
        yield {"cluster": address, "connect": f"sc://127.0.0.1:{server}"}
    finally:
        for process in reversed(started):
            process.terminate()
        for process in reversed(started):
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
