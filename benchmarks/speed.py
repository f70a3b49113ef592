"""Time what people wait for, in one run: all stages, nothing to do, one figure, predictions, draws.

`python -m benchmarks.speed` from the repository root, on a machine that does nothing else, after
`make reproduce`. Stages and commands run in a clone of what is committed, so that nothing here changes.
Writes benchmarks/results/speed.json and its section of benchmarks/README.md; `--write` makes that again.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.logs_report import put_section
from benchmarks.trust import README, RESULTS, copy_of_here, digests, run, started
from pipeline.core.files import write_json
from pipeline.core.settings import from_params
from pipeline.published.model import draws
from pipeline.published.model.energy import from_table
from pipeline.reproduce import RUNNING

FIGURE, ROWS, TIMES = "fig-hero", 1000, 3
EXAMPLES = Path("data/examples/configurations.csv")
AIMS_S = {
    "all stages, one after the other": 150.0,
    "nothing to do": 1.7,
    "one figure": 10.0,
    "1,000 predictions": 1.5,
    "draws of the published analysis": 2.5,
}
COMMANDS = {
    "all stages, one after the other": "`dvc repro -f`",
    "nothing to do": "`dvc repro`",
    "one figure": f"`python -m pipeline.figure {FIGURE}`",
    "1,000 predictions": "`python -m pipeline.predict`",
    "draws of the published analysis": "`published.model.draws.estimate`",
}
TEXT = """## Speed

`python -m benchmarks.speed`, {cores} cores, load {load:.1f} when it began; {times} runs where there
are several, of which the median. The start of Python is part of every command.

{found}

The draws are {drawn} columns of {each:,} queries, with all their summaries, for both regimes; as many bare
random numbers from numpy take {bare_s:.2f} s, ours {ratio:.1f} times that. Predictions of a table that is
in memory, with the model read already, take {warm_s:.2f} s.

{stages}

What helped: parameters are drawn once a stage and not once a call; trees of what was measured are kept;
folds of a fit and halves of a table run two at a time; a figure is laid out once for all formats. What did
not: more threads for linear algebra, which is slower and gives other last digits.
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
    return {"seconds": ours, "bare": bare, "columns": count, "each": each}


def measure() -> dict[str, Any]:
    """Everything, in one run."""
    load = os.getloadavg()[0]
    drawn = published_draws()
    print("draws", drawn["seconds"], flush=True)
    with copy_of_here() as folder:
        stages = stage_seconds(folder)
        print(stages, flush=True)
        table = folder / "build/speed.csv"
        rows = configurations(table)
        before = digests(folder, ["figures"])
        predict = ("python", "-m", "pipeline.predict", str(table), "-o", str(folder / "build/predicted.csv"))
        found = {
            "all stages, one after the other": [stages.pop("all")],
            "nothing to do": seconds(folder, ("dvc", "repro")),
            "one figure": seconds(folder, ("python", "-m", "pipeline.figure", FIGURE)),
            "1,000 predictions": seconds(folder, predict),
            "draws of the published analysis": drawn["seconds"],
        }
        status = subprocess.run(["git", "status", "--porcelain"], cwd=folder, capture_output=True, text=True)
        same = before == digests(folder, ["figures"])
    return {
        "machine": {"cores": os.cpu_count(), "load": load},
        "seconds": found,
        "stages": stages,
        "draws": {key: drawn[key] for key in ("bare", "columns", "each")},
        "warm_predictions_s": warm_predictions(rows),
        "same_figure": same,
        "differs_from_git": len(re.findall(r"(?m)^.", status.stdout)),
    }


def section(found: dict[str, Any]) -> str:
    """Markdown from results alone."""
    lines = ["| what | command | seconds | aim, s | |", "|---|---|---|---|---|"]
    for name, values in found["seconds"].items():
        middle, aim = statistics.median(values), AIMS_S[name]
        met = "met" if middle <= aim else "missed"
        lines.append(f"| {name} | {COMMANDS[name]} | {middle:.1f} | {aim:g} | {met} |")
    stages = sorted(found["stages"].items(), key=lambda item: -item[1])
    each = ["| stage | seconds |", "|---|---|", *(f"| {name} | {value:.1f} |" for name, value in stages)]
    bare = statistics.median(found["draws"]["bare"])
    ours = statistics.median(found["seconds"]["draws of the published analysis"])
    return TEXT.format(
        cores=found["machine"]["cores"],
        load=found["machine"]["load"],
        times=TIMES,
        found="\n".join(lines),
        stages="\n".join(each),
        drawn=found["draws"]["columns"],
        each=found["draws"]["each"],
        bare_s=bare,
        ratio=ours / bare,
        warm_s=found["warm_predictions_s"],
    )


def main() -> None:
    """Measure unless only the section is to be written again; write both."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", action="store_true", help="only the section, from the results")
    path = RESULTS / "speed.json"
    if not parser.parse_args().write:
        write_json(measure(), path)
    put_section("speed", "benchmarks/speed.py", section(json.loads(path.read_text(encoding="utf-8"))), README)


if __name__ == "__main__":
    main()
