"""Energy from logs at size: ours against hand-written DuckDB SQL, pandas, and Polars where it is installed
(the lock has it not, since nothing else needs it), and growth with the rows.

`python -m benchmarks.logs` measures (each job in a process of its own, peak resident memory) and writes
benchmarks/results/logs.json and the section of benchmarks/README.md between the `logs` marks.
"""

import argparse
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.dataset as ds
from tqdm import tqdm

from benchmarks.logs_by_hand import by_pandas, by_polars, by_sql
from benchmarks.logs_report import put_section, section_text
from benchmarks.synthetic import Load, write_logs
from pipeline.core.files import read_json, write_json
from pipeline.core.settings import from_params
from pipeline.logs.engines import connect
from pipeline.logs.estimate import energy_from_logs
from pipeline.logs.node_ratio import NodeRatio
from pipeline.logs.settings import Settings

RESULTS = Path("benchmarks/results/logs.json")
SECONDS_PER_DAY = 86_400
# 10 % of the windows are idle and get no request
REQUESTS_PER_MINUTE = 60 / 0.9
JOBS = ("pipeline", "sql", "pandas", *(("polars",) if find_spec("polars") else ()))


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument(
        "--rows", type=float, default=20e6, help="requests, and power samples, of the comparison"
    )
    words.add_argument(
        "--large-rows", type=float, default=100e6, help="of the run that shows growth; 0: none"
    )
    words.add_argument("--memory-mb", type=int, default=250, help="memory limit of the comparison")
    words.add_argument("--growth-memory-mb", type=int, default=1000, help="memory limit of the growth")
    words.add_argument("--repeats", type=int, default=3, help="runs of each job of the comparison")
    words.add_argument("--folder", type=Path, help="keep the logs here and use those that are there")
    words.add_argument(
        "--add", nargs=2, type=int, metavar=("NODES", "MEMORY_MB"),
        help="one run more, of the logs in --folder, beside those that are recorded",
    )  # fmt: skip
    words.add_argument("--job", nargs=3, help=argparse.SUPPRESS)
    given = words.parse_args()
    if given.job:
        _job(given.job[0], Path(given.job[1]), int(given.job[2]))
        return
    if given.add:
        _add(*given.add, given.folder)
        return
    if given.folder:
        _measure_all(given, given.folder)
        return
    with tempfile.TemporaryDirectory(prefix="perquery-logs-") as folder:
        _measure_all(given, Path(folder))


def _measure_all(given: argparse.Namespace, folder: Path) -> None:
    runs = []
    small, large = round(given.rows / SECONDS_PER_DAY), round(given.large_rows / SECONDS_PER_DAY)
    for nodes in (max(small // 4, 1), small, large):
        if not nodes:
            continue
        logs = make_logs(nodes, folder)
        compared = [(job, given.memory_mb) for job in JOBS] * (given.repeats if nodes == small else 0)
        for job, limit in [*compared, ("pipeline", given.growth_memory_mb)]:
            runs.append({"nodes": nodes, "limit_mb": limit} | measured(job, logs, limit))
            print(json.dumps(runs[-1]))
        if not given.folder:
            shutil.rmtree(logs)
    _write(runs)


def _add(nodes: int, limit_mb: int, folder: Path | None) -> None:
    """Ours on logs of `nodes`, made where they are not there; a run of the same size is replaced."""
    if folder is None:
        raise SystemExit("--add needs --folder: the logs stay there")
    run = {"nodes": nodes, "limit_mb": limit_mb} | measured("pipeline", make_logs(nodes, folder), limit_mb)
    print(json.dumps(run))
    same = [run["nodes"], run["limit_mb"], run["job"]]
    found = read_json(RESULTS)["runs"]
    _write([*(one for one in found if [one["nodes"], one["limit_mb"], one["job"]] != same), run])


def _write(runs: list[dict[str, Any]]) -> None:
    """The results, and their section of the README."""
    machine = {"cores": len(os.sched_getaffinity(0)), "python": platform.python_version()}
    write_json({"machine": machine, "runs": runs}, RESULTS)
    section = section_text(read_json(RESULTS))
    put_section("logs", "benchmarks/logs.py", section, Path("benchmarks/README.md"))


def make_logs(nodes: int, folder: Path) -> Path:
    """Logs of a day of some nodes."""
    logs = folder / f"nodes-{nodes}"
    if logs.exists():
        return logs
    day = Load(nodes=nodes, minutes=1440, requests_per_minute=REQUESTS_PER_MINUTE)
    with tqdm(total=nodes, desc=f"logs of {nodes} nodes", unit="node") as bar:
        for done in write_logs(day, logs):
            bar.update(done - bar.n)
    return logs


def measured(job: str, logs: Path, limit: int) -> dict[str, Any]:
    """One job in a process of its own: seconds, processor time, peak memory, and what came out."""
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.logs", "--job", job, str(logs), str(limit)],
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - started
    if done.returncode:
        raise RuntimeError(f"{job} on {logs} failed:\n{done.stderr[-2000:]}")
    return {"job": job, "seconds": seconds} | json.loads(done.stdout.splitlines()[-1])


def _job(job: str, logs: Path, limit: int) -> None:
    """One job in this process; prints its result's digest and its peak memory and processor time."""
    if job == "pipeline":
        with connect("duckdb", limit) as engine:
            ratio = NodeRatio.constant(Load().gpu_to_node)
            settings = replace(Settings.of(from_params("logs"), Load().weights), node=ratio)
            result = energy_from_logs(engine, str(logs / "requests"), str(logs / "power"), settings)
        table = result.hours
    elif job == "sql":
        with tempfile.TemporaryDirectory() as spill:
            table = by_sql(logs, limit, Path(spill))
    else:
        table = {"pandas": by_pandas, "polars": by_polars}[job](logs)
    used = resource.getrusage(resource.RUSAGE_SELF)
    digest = {
        "requests": int(table["queries"].sum()),
        "samples": _samples(logs),
        "mean_wh": float(np.average(table["node_mean_wh"], weights=table["queries"])),
        "p50_wh": float(pd.Series(table["p50_wh"]).mean()),
        "peak_mb": peak_mb("self"),
        "cpu_seconds": used.ru_utime + used.ru_stime,
    }
    if job == "pipeline":
        digest["p50_wh"] /= settings.pue
    print(json.dumps(digest))


def peak_mb(process: int | str) -> float:
    """Largest resident memory so far, 0 of a process that has ended; `ru_maxrss` starts from the parent's."""
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    return int(next((line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")), 0)) / 1024


def _samples(logs: Path) -> int:
    return ds.dataset(logs / "power").count_rows()


if __name__ == "__main__":
    main()
