"""Run every stage of a new folder side by side, one a core, then let DVC record what was made.

DVC runs one stage after the other. When all are due, the order that dvc.yaml gives leaves half of a
two-core machine idle; here a stage starts as soon as the stages that write its inputs have ended.
"""

import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from dvc.repo import Repo


def paths(entries: list[Any]) -> list[Path]:
    """Paths of a list of deps or outs, with or without options."""
    return [Path(next(iter(entry)) if isinstance(entry, dict) else entry) for entry in entries]


def written(stage: dict[str, Any]) -> list[Path]:
    """Files and folders that a stage writes."""
    return paths([*stage.get("outs", []), *stage.get("metrics", []), *stage.get("plots", [])])


def predecessors(stages: dict[str, Any]) -> dict[str, set[str]]:
    """For every stage, those that write a file or folder that it reads, or part of one."""
    writers = [(path, name) for name, stage in stages.items() for path in written(stage)]
    return {
        name: {
            writer
            for path in paths(stage.get("deps", []))
            for out, writer in writers
            if path == out or path in out.parents or out in path.parents
        }
        for name, stage in stages.items()
    }


def run_stage(stage: dict[str, Any]) -> tuple[subprocess.CompletedProcess[str], float]:
    """Remove what the stage writes, as DVC does, and run its command; return the outcome and seconds."""
    start = time.monotonic()
    for path in written(stage):
        if path.is_dir():
            shutil.rmtree(path)
        path.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        stage["cmd"], shell=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return done, time.monotonic() - start


def record(names: list[str]) -> None:
    """Store outputs in DVC's cache and their hashes in dvc.lock, as `dvc commit` does for one stage.

    That command rewrites dvc.lock for each stage it is given, a second a stage; this writes it once.
    """
    repo = Repo()
    with repo.lock:
        stages = [stage for stage in repo.stage.load_all("dvc.yaml") if stage.name in names]
        for stage in stages:
            stage.save()
            stage.commit()
        stages[0].dvcfile.dump_stages(stages, update_pipeline=False)


def run_all(stages: dict[str, Any], workers: int | None = None) -> None:
    """Run all stages in the order of their graph, `workers` (cores, unless told) at a time.

    The first stage that fails ends the run with its output and its exit status, once those that are
    under way have ended; nothing is recorded then.
    """
    graph = TopologicalSorter(predecessors(stages))
    graph.prepare()
    running: dict[Future[tuple[subprocess.CompletedProcess[str], float]], str] = {}
    ended = 0
    with ThreadPoolExecutor(workers or len(os.sched_getaffinity(0))) as pool:
        while graph.is_active():
            running |= {pool.submit(run_stage, stages[name]): name for name in graph.get_ready()}
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                name, (done, seconds) = running.pop(future), future.result()
                ended += 1
                print(f"   [{ended:2}/{len(stages)}] {name:32} {seconds:5.1f} s", flush=True)
                if done.returncode:
                    pool.shutdown(cancel_futures=True)
                    print(f"{done.stdout}stage {name} failed: {stages[name]['cmd']}", file=sys.stderr)
                    raise SystemExit(done.returncode)
                graph.done(name)
    record(list(stages))
