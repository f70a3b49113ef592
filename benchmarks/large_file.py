"""Energy from one large text file with a small memory limit: does it end, in what memory, with what answer.

`python -m benchmarks.large_file` writes a log of requests of about 10 GB, with known truth, and the power
samples that belong to it, in a temporary folder, and runs the real command on them. It writes
benchmarks/results/large_file.json and the section of benchmarks/README.md between the `large file` marks.
"""

import argparse
import math
import os
import platform
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb
import pandas as pd
from tqdm import tqdm

from benchmarks.logs import REQUESTS_PER_MINUTE, SECONDS_PER_DAY, peak_mb
from benchmarks.logs_report import put_section
from benchmarks.synthetic import Load, write_logs, write_weights
from pipeline.core.files import read_json, write_json, write_text
from pipeline.core.settings import PARAMS, from_params
from pipeline.logs.queries import QUANTILES

RESULTS = Path("benchmarks/results/large_file.json")
MARK = "large file"
BYTES_PER_REQUEST = 82  # of CSV, to choose the number of nodes; what was written is measured
WRITER_MEMORY_MB = 3000
POLL_SECONDS = 0.2
# Of every thousand rows one stands twice, and one more stands again without node or watts: known to be set
# aside, without a change to the truth.
SPOILED = 1000
UNUSABLE = {"requests": ("node", "node_missing"), "power": ("watts", "watts_missing")}
NAME_OF_LOG = {"requests": "requests", "power": "power_series"}
COPY = """
COPY (SELECT * FROM '{parts}'
      UNION ALL SELECT * FROM '{parts}' WHERE hash(time, node) % {spoiled} = 0
      UNION ALL SELECT * REPLACE (NULL AS {column}) FROM '{parts}' WHERE hash(time, node) % {spoiled} = 1
      ORDER BY time)
TO '{file}' (FORMAT {format}, TIMESTAMPFORMAT '%Y-%m-%dT%H:%M:%S.%fZ', COMPRESSION {compression})
"""


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--gigabytes", type=float, default=10, help="of the log of requests, as CSV")
    words.add_argument("--format", choices=["csv", "csv.gz", "jsonl", "jsonl.gz"], default="csv")
    words.add_argument("--memory-mb", type=int, default=1000, help="memory_limit_mb of the run")
    words.add_argument(
        "--folder", type=Path, help="make the temporary folder here (four times the gigabytes)"
    )
    given = words.parse_args()
    nodes = math.ceil(given.gigabytes * 1e9 / BYTES_PER_REQUEST / SECONDS_PER_DAY)
    day = Load(nodes=nodes, minutes=1440, requests_per_minute=REQUESTS_PER_MINUTE)
    with tempfile.TemporaryDirectory(prefix="perquery-large-", dir=given.folder) as folder:
        run = measure(day, Path(folder), given.format, given.memory_mb)
    found = read_json(RESULTS)["runs"] if RESULTS.exists() else []
    runs = [run, *(other for other in found if other["format"] != given.format)]
    machine = {"cores": len(os.sched_getaffinity(0)), "python": platform.python_version()}
    write_json({"machine": machine, "runs": sorted(runs, key=lambda run: run["format"])}, RESULTS)
    put_section(
        MARK, "benchmarks/large_file.py", section_text(read_json(RESULTS)), Path("benchmarks/README.md")
    )


def measure(day: Load, folder: Path, suffix: str, limit_mb: int) -> dict[str, object]:
    """Make the logs, run the command, compare what it says with the truth."""
    with tqdm(total=day.nodes, desc="synthetic logs", unit="node") as bar:
        for done in write_logs(day, folder / "parts", with_truth=True):
            bar.update(done - bar.n)
    truth, counts = write_text_logs(folder, suffix)
    files = {log: folder / f"{log}.{suffix}" for log in NAME_OF_LOG}
    write_weights(day, folder / "weights.csv")
    params = write_params(limit_mb, folder / "params.yaml")
    words = [*files.values(), "-o", folder / "out", "--params", params]
    words += ["--weights", folder / "weights.csv", "--accept"]  # several models a node, without prices
    used = run_command(words, folder / "spill")
    account = pd.read_csv(folder / "out" / "account.csv", keep_default_na=False)
    hours = pd.read_csv(folder / "out" / "hours.csv", parse_dates=["hour"])
    return {
        "format": suffix,
        "nodes": day.nodes,
        "limit_mb": limit_mb,
        "bytes": {log: file.stat().st_size for log, file in files.items()},
        **used,
        "account": checked_account(account, counts),
        "largest_relative_error": largest_errors(hours, truth),
    }


def write_text_logs(folder: Path, suffix: str) -> tuple[pd.DataFrame, dict[str, dict[str, int]]]:
    """One text file a log, sorted by time, from the Parquet parts, which are removed.

    Returns the truth a model and hour, and the rows of each log: in, duplicate, unusable.
    """
    kind = {"csv": "csv", "jsonl": "json"}[suffix.split(".")[0]]
    compression = "gzip" if suffix.endswith(".gz") else "uncompressed"
    counts = {}
    config = {"memory_limit": f"{WRITER_MEMORY_MB}MB", "temp_directory": str(folder / "sort")}
    with duckdb.connect(config=config) as connection:
        for log, (column, _) in UNUSABLE.items():
            parts = f"{folder}/parts/{log}/*.parquet"
            file = folder / f"{log}.{suffix}"
            copy = COPY.format(
                parts=parts, column=column, spoiled=SPOILED, file=file, format=kind, compression=compression
            )
            connection.execute(copy)
            rows = connection.execute(
                f"SELECT count(*), count(*) FILTER (hash(time, node) % {SPOILED} = 0), "
                f"count(*) FILTER (hash(time, node) % {SPOILED} = 1) FROM '{parts}'"
            ).fetchone()
            counts[log] = {"in": sum(rows), "duplicate": rows[1], "unusable": rows[2]}
        truth = true_hours(connection, f"{folder}/parts/truth/*.parquet")
    shutil.rmtree(folder / "parts")
    return truth, counts


def write_params(limit_mb: int, path: Path) -> Path:
    """params.yaml with another memory limit."""
    text = PARAMS.read_text(encoding="utf-8")
    write_text(re.sub(r"(?m)^(  memory_limit_mb: )\d+", rf"\g<1>{limit_mb}", text), path)
    if from_params("logs", path=path).memory_limit_mb != limit_mb:
        raise RuntimeError(f"{PARAMS}: expected one memory_limit_mb")
    return path


def true_hours(connection: duckdb.DuckDBPyConnection, parts: str) -> pd.DataFrame:
    """Queries, mean and quantiles of each model and hour; an hour at a time: quantiles keep all values."""
    quantiles = ", ".join(
        f"quantile_cont(node_wh, {share}) AS {name}_wh" for name, share in QUANTILES.items()
    )
    hours = connection.execute(f"SELECT DISTINCT hour FROM '{parts}' ORDER BY hour").fetchall()
    select = (
        f"SELECT hour, model, count(*) AS queries, avg(node_wh) AS node_mean_wh, {quantiles} "
        f"FROM '{parts}' WHERE hour = ? GROUP BY ALL ORDER BY ALL"
    )
    return pd.concat([connection.execute(select, hour).df() for hour in hours], ignore_index=True)


def run_command(words: list[str | Path], spill: Path) -> dict[str, float]:
    """Run `python -m pipeline.logs`; seconds, its largest resident memory, and of its temporary folder."""
    spill.mkdir()
    started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    peak, spilled = 0.0, 0
    with subprocess.Popen(
        [sys.executable, "-m", "pipeline.logs", *words], env=os.environ | {"TMPDIR": str(spill)}
    ) as process:
        while process.poll() is None:
            peak = max(peak, peak_mb(process.pid))
            spilled = max(spilled, bytes_in(spill))
            time.sleep(POLL_SECONDS)
    if process.returncode:
        raise RuntimeError(f"the command ended with {process.returncode}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "seconds": time.perf_counter() - started,
        "cpu_seconds": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "peak_mb": peak,
        "temporary_bytes": spilled,
    }


def bytes_in(folder: Path) -> int:
    """Bytes of the files below a folder, which may go while we look."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size
        except FileNotFoundError:
            continue
    return total


def checked_account(account: pd.DataFrame, expected: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
    """Rows in, used and set aside of each log; an error when they are not those that were written."""
    found = {}
    for log, (_, unusable) in UNUSABLE.items():
        of = account[account["log"] == NAME_OF_LOG[log]]
        rows = of.groupby("outcome")["rows"].sum()
        reasons = of[of["outcome"] == "set_aside"].set_index("reason")["rows"]
        if rows["in"] != rows["used"] + rows["set_aside"]:
            raise RuntimeError(f"{log}: rows in differ from used and set aside:\n{of}")
        if (rows["in"], reasons.get("duplicate"), reasons.get(unusable)) != tuple(expected[log].values()):
            raise RuntimeError(f"{log}: expected {expected[log]}, found\n{of}")
        found[log] = {name: int(rows[name]) for name in ("in", "used", "set_aside")}
    return found


def largest_errors(hours: pd.DataFrame, truth: pd.DataFrame) -> dict[str, float]:
    """Of all models and hours, the largest relative error of the mean and of each quantile."""
    pue = from_params("logs").pue.distribution.median()
    truth["hour"] = truth["hour"].dt.tz_localize("UTC").astype(hours["hour"].dtype)
    both = hours.merge(truth, on=["hour", "model"], suffixes=("", "_true"), validate="one_to_one")
    if len(both) != len(truth) or (both["queries"] != both["queries_true"]).any():
        raise RuntimeError("models, hours or queries differ from the truth")
    errors = {"node_mean_wh": (both["node_mean_wh"] / both["node_mean_wh_true"] - 1).abs().max()}
    for name in QUANTILES:
        errors[f"{name}_wh"] = (both[f"{name}_wh"] / pue / both[f"{name}_wh_true"] - 1).abs().max()
    return {name: float(error) for name, error in errors.items()}


def section_text(results: dict) -> str:
    """Markdown: one row a format, and what was checked."""
    cores = results["machine"]["cores"]
    lines = [
        "## One large text file, little memory",
        "",
        f"`python -m benchmarks.large_file`, {cores} cores, one run. A synthetic day, one file a log, sorted",
        "by time: a request and a power sample a second and node. The machine was shared with other work.",
        "",
        "| format | GB of each log | rows | limit, MB | peak memory, MB | temporary, GB | seconds | rows/s |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for run in results["runs"]:
        size, rows = run["bytes"], sum(of["in"] for of in run["account"].values())
        lines.append(
            f"| {run['format']} | {size['requests'] / 1e9:.1f}, {size['power'] / 1e9:.1f} | {rows:,} "
            f"| {run['limit_mb']} | {run['peak_mb']:.0f} | {run['temporary_bytes'] / 1e9:.1f} "
            f"| {run['seconds']:.0f} | {rows / run['seconds']:,.0f} |"
        )
    aside = sum(of["set_aside"] for run in results["runs"] for of in run["account"].values())
    errors = pd.DataFrame([run["largest_relative_error"] for run in results["runs"]]).max()
    quantile = errors.drop("node_mean_wh").max()
    lines += [
        "",
        f"Rows in = used + set aside; the {aside:,} set aside are the repeats and the rows without node or",
        "watts that were written, and no others. Against the truth, the largest error of any model and hour",
        f"is {errors['node_mean_wh']:.1g} of the mean and {quantile:.1g} of p5, p50 and p95, which are",
        "counted in bins above a million queries.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
