"""Time what people wait for: all stages, nothing to do, one figure, predictions, draws, the wheel, logs.

`python -m benchmarks.speed` from the repository root, on a machine that does nothing else, after
`make reproduce`; about eight minutes. `--only draws wheel` measures some parts and keeps what was recorded of
the others. Stages and commands run in a clone of what is committed, so that nothing here changes. Writes
benchmarks/results/speed.json and its section of benchmarks/README.md; `--write` makes that again.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.logs import JOBS, SECONDS_PER_DAY, make_logs, measured
from benchmarks.logs_report import NAMES, put_section
from benchmarks.spark_cluster import cluster, configured, spark_python
from benchmarks.trust import README, RESULTS, copy_of_here, digests, run, started
from pipeline.core.files import write_json
from pipeline.core.parse import read_citation
from pipeline.core.settings import from_params
from pipeline.export import write_package
from pipeline.published.model import draws
from pipeline.published.model.energy import from_table
from pipeline.report.formats import digits
from pipeline.reproduce import RUNNING

FIGURE, ROWS, TIMES = "fig-hero", 1000, 3
LOG_ROWS, LOG_MEMORY_MB = 5e6, 250
EXAMPLES = Path("data/examples/configurations.csv")
ALL = "all stages, one after the other"
AIMS_S = {
    ALL: 150.0,
    "nothing to do": 1.7,
    "one figure": 10.0,
    "1,000 predictions": 1.5,
    "draws of the published analysis": 2.5,
    "the wheel: first estimate, in a new Python": 0.1,
    "the wheel: an estimate after that": 0.001,
}
COMMANDS = {
    ALL: "`dvc repro -f`",
    "nothing to do": "`dvc repro`",
    "one figure": f"`python -m pipeline.figure {FIGURE}`",
    "1,000 predictions": "`python -m pipeline.predict`",
    "1,000 predictions, all read already": "`Predictor.predict`",
    "draws of the published analysis": "`published.model.draws.estimate`",
    "as many bare random numbers": "`numpy.random.Generator.random`",
    "the wheel: building it": "`export.write_package`",
    "the wheel: installing it": "`pip install --no-deps`",
    "the wheel: its command": "`python -m perquery estimate`",
    "the wheel: first estimate, in a new Python": "`python -c`, `perquery.estimate`",
    "the wheel: a new Python alone": "`python -c pass`",
    "the wheel: an estimate after that": "`perquery.estimate`",
    "the wheel: one of a closed service": "`perquery.estimate`",
    **{f"logs: {job}": NAMES[job] for job in NAMES},
    "logs: the command": "`python -m pipeline.logs`, with its start and its report",
    "logs: the command on a Spark cluster": "the same, `--engine spark://...`",
}
TEXT = """## Speed

`python -m benchmarks.speed`, {cores} cores; load when a part began: {loads}. Medians of {times} runs
where there are several. The start of Python is part of every command.

{found}

The draws are {drawn} columns of {each:,} queries, with all their summaries, for both regimes:
{ratio:.1f} times what as many bare random numbers take. Logs are {requests:,} requests and {samples:,}
power samples, one run each, DuckDB limited to {limit} MB; the cluster is a master and two workers of a core
each, as processes on this machine; its tables have the same bytes: {same}. A first estimate takes {cold:.1f}
times what Python takes to start and end.

{stages}

What helped: parameters are drawn once a stage and not once a call; trees of what was measured are kept;
folds of a fit and halves of a table run two at a time; a figure is laid out once for all formats. What did
not: more threads for linear algebra, which is slower and gives other last digits.
"""
FIRST = """
import sys
sys.path.insert(0, sys.argv[1])
import perquery
perquery.estimate("Llama 3.1 70B", 600, 250)
"""
CALLS = f"""{FIRST}
import json, time
found = []
for model in ("Llama 3.1 70B", "gpt-4o"):
    perquery.estimate(model, 600, 250)
    start = time.perf_counter()
    for tokens in range(1000):
        perquery.estimate(model, 600 + tokens, 250)
    found.append((time.perf_counter() - start) / 1000)
print(json.dumps(found))
"""


def seconds(folder: Path, command: Sequence[str], times: int = TIMES) -> list[float]:
    """Wall time of each of several runs; raises where one fails."""
    found = []
    for _ in range(times):
        start = time.perf_counter()
        status = run(folder, command)
        found.append(round(time.perf_counter() - start, 2))
        if status:
            raise SystemExit(f"{' '.join(command)}: exit status {status}, see {folder.parent / 'log'}")
    return found


def stage_seconds(folder: Path) -> dict[str, float]:
    """Of each stage of `dvc repro -f`, until DVC starts the next; `all` is the whole run."""
    log, found, current = folder.parent / "log", {}, ""
    start = began = time.perf_counter()
    process = started(folder, ("dvc", "repro", "--force"))
    with log.open(encoding="utf-8", errors="replace") as lines:
        while True:
            line, now = lines.readline(), time.perf_counter()
            ended = not line and process.poll() is not None
            if current and (ended or RUNNING.match(line)):
                found[current] = round(now - start, 1)
            if match := RUNNING.match(line):
                current, start = match["name"].split(":")[-1], now
            if ended:
                break
            if not line:
                time.sleep(0.05)
    if process.returncode:
        raise SystemExit(f"dvc repro --force: exit status {process.returncode}, see {log}")
    return {**found, "all": round(time.perf_counter() - began, 1)}


def configurations(path: Path) -> pd.DataFrame:
    """ROWS rows: the examples at ever other batches."""
    some = pd.read_csv(EXAMPLES).drop(columns=["name", "compare_to"])
    rows = some.iloc[np.arange(ROWS) % len(some)].reset_index(drop=True)
    rows = rows.assign(concurrency=1 + np.arange(ROWS) // len(some))
    rows.to_csv(path, index=False)
    return rows


def warm_predictions(rows: pd.DataFrame) -> float:
    """Seconds of predictions with everything imported, read and used once."""
    from pipeline.predict import predictor

    tool = predictor()
    tool.predict(rows.head(10))
    start = time.perf_counter()
    tool.predict(rows)
    return round(time.perf_counter() - start, 2)


class _Kept(draws.Draws):
    """Draws that can be counted afterwards."""

    made: list["_Kept"] = []  # noqa: RUF012

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.made.append(self)


def published_draws() -> dict[str, Any]:
    """Seconds of all draws and summaries of variant v2, and of as many bare random numbers."""
    published, simulation = from_params("published", "simulation")
    one = published.model_copy(update={"variants": {"v2": published.variants["v2"]}})
    fits = from_table(pd.read_parquet("build/as_published/throughput_fit.parquet"))
    each = simulation.replicates * simulation.draws_per_replicate
    draws.Draws = _Kept  # type: ignore[misc]
    ours, bare, rng = [], [], np.random.default_rng(0)
    for _ in range(TIMES):
        start = time.perf_counter()
        draws.estimate(one, fits, simulation)
        ours.append(round(time.perf_counter() - start, 2))
        count = len(_Kept.made.pop()._uniforms)
        start = time.perf_counter()
        for _ in range(count):
            rng.random(each)
        bare.append(round(time.perf_counter() - start, 3))
    times = {"draws of the published analysis": ours, "as many bare random numbers": bare}
    return {"seconds": times, "columns": count, "each": each}


def in_a_clone() -> dict[str, Any]:
    """Stages and commands, in a clone."""
    with copy_of_here() as folder:
        stages = stage_seconds(folder)
        print(stages, flush=True)
        table = folder / "build/speed.csv"
        rows = configurations(table)
        before = digests(folder, ["figures"])
        predict = ("python", "-m", "pipeline.predict", str(table), "-o", str(folder / "build/predicted.csv"))
        found = {
            ALL: [stages.pop("all")],
            "nothing to do": seconds(folder, ("dvc", "repro")),
            "one figure": seconds(folder, ("python", "-m", "pipeline.figure", FIGURE)),
            "1,000 predictions": seconds(folder, predict),
        }
        status = subprocess.run(["git", "status", "--porcelain"], cwd=folder, capture_output=True, text=True)
        same = before == digests(folder, ["figures"])
    found["1,000 predictions, all read already"] = [warm_predictions(rows)]
    differs = len(re.findall(r"(?m)^.", status.stdout))
    return {"seconds": found, "stages": stages, "same_figure": same, "differs_from_git": differs}


def python(code: str, folder: Path) -> str:
    """What code prints, in a Python that has the standard library and a folder alone."""
    command = [sys.executable, "-I", "-S", "-c", code, str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def wheel() -> dict[str, Any]:
    """Build the package, install it into a folder of its own, call it."""
    with TemporaryDirectory(prefix="perquery-wheel-") as top:
        folder, there = Path(top, "dist"), Path(top, "there")
        folder.mkdir()
        found = {}

        def timed(name: str, work: Callable[[], Any]) -> Any:
            start = time.perf_counter()
            done = work()
            found.setdefault(f"the wheel: {name}", []).append(round(time.perf_counter() - start, 3))
            return done

        timed("building it", lambda: write_package(read_citation(), folder))
        (built,) = folder.glob("*.whl")
        install = ("python", "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(there))
        timed("installing it", lambda: run(folder, (*install, str(built))))
        estimate = ("python", "-m", "perquery", "estimate", "Llama 3.1 70B", "600", "250")
        each = []
        for _ in range(TIMES):
            timed("its command", lambda: run(folder, estimate, PYTHONPATH=str(there)))
            timed("first estimate, in a new Python", lambda: python(FIRST, there))
            timed("a new Python alone", lambda: python("pass", there))
            each.append(json.loads(python(CALLS, there)))
    names = ("an estimate after that", "one of a closed service")
    times = dict(zip(names, map(list, zip(*each, strict=True)), strict=True))
    return {"seconds": found | {f"the wheel: {name}": some for name, some in times.items()}}


def logs() -> dict[str, Any]:
    """The same energy from logs by ours and by hand, each in a process of its own."""
    with TemporaryDirectory(prefix="perquery-logs-") as folder:
        made = make_logs(round(LOG_ROWS / SECONDS_PER_DAY), Path(folder))
        runs = {job: measured(job, made, LOG_MEMORY_MB) for job in JOBS}
        found = {f"logs: {job}": [round(run["seconds"], 2)] for job, run in runs.items()}
        same = on_spark(made, Path(folder), found)
    rows = {name: runs["pipeline"][name] for name in ("requests", "samples")}
    return {"seconds": found, **rows, "same_on_spark": same}


def on_spark(logs: Path, folder: Path, found: dict[str, list[float]]) -> str:
    """Time the command on DuckDB and on a cluster; whether both wrote the same bytes."""
    interpreter = spark_python()
    if interpreter is None:
        return "not measured here, which needs `make setup-spark`"
    home = configured(folder, {"spark.executor.memory": "1g", "spark.sql.shuffle.partitions": 2})
    (folder / "work").mkdir()
    with cluster(home, folder / "work") as addresses:
        engines = {"": "duckdb", " on a Spark cluster": addresses["cluster"]}
        for words, engine in engines.items():
            out = folder / f"out{words}"
            command = [str(interpreter), "-m", "pipeline.logs", str(logs / "requests"), str(logs / "power")]
            start = time.perf_counter()
            subprocess.run(
                [*command, "-o", str(out), "--accept", "--engine", engine], check=True, capture_output=True
            )
            found[f"logs: the command{words}"] = [round(time.perf_counter() - start, 2)]
        tables = ("hours.csv", "models.csv", "account.csv")
        each = [[(folder / f"out{words}" / name).read_bytes() for name in tables] for words in engines]
    return "yes" if each[0] == each[1] else "no"


PARTS: dict[str, Callable[[], dict[str, Any]]] = {
    "draws": published_draws, "clone": in_a_clone, "wheel": wheel, "logs": logs,
}  # fmt: skip


def section(parts: dict[str, Any]) -> str:
    """Markdown from results alone."""
    lines = ["| what | command | seconds | aim, s | |", "|---|---|---|---|---|"]
    times = {name: statistics.median(of) for part in parts.values() for name, of in part["seconds"].items()}
    for name, command in COMMANDS.items():
        if name in times:
            aim = AIMS_S.get(name)
            met = " | " if aim is None else f"{aim:g} | {'met' if times[name] <= aim else 'missed'}"
            lines.append(f"| {name} | {command} | {digits(2)(times[name])} | {met} |")
    stages = sorted(parts["clone"]["stages"].items(), key=lambda item: -item[1])
    each = ["| stage | seconds |", "|---|---|", *(f"| {name} | {value:.1f} |" for name, value in stages)]
    return TEXT.format(
        cores=os.cpu_count(),
        loads=", ".join(f"{part['load']:.1f} ({name})" for name, part in parts.items()),
        times=TIMES,
        found="\n".join(lines),
        stages="\n".join(each),
        drawn=parts["draws"]["columns"],
        each=parts["draws"]["each"],
        ratio=times["draws of the published analysis"] / times["as many bare random numbers"],
        cold=times["the wheel: first estimate, in a new Python"] / times["the wheel: a new Python alone"],
        requests=parts["logs"]["requests"],
        samples=parts["logs"]["samples"],
        same=parts["logs"]["same_on_spark"],
        limit=LOG_MEMORY_MB,
    )


def main() -> None:
    """Measure the parts that are asked for, each written at once; then the section, when all are there."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", action="store_true", help="only the section, from the results")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="parts to measure")
    given, path = parser.parse_args(), RESULTS / "speed.json"
    parts = json.loads(path.read_text(encoding="utf-8"))["parts"] if path.exists() else {}
    for name in [] if given.write else given.only:
        load = round(os.getloadavg()[0], 2)
        parts[name] = {**PARTS[name](), "load": load}
        print(name, parts[name]["seconds"], flush=True)
        write_json({"parts": {one: parts[one] for one in PARTS if one in parts}}, path)
    if parts.keys() == PARTS.keys():
        put_section("speed", "benchmarks/speed.py", section(parts), README)


if __name__ == "__main__":
    main()
