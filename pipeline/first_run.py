"""Run every stage of a new folder side by side, one a core, then let DVC record what was made.

DVC runs one stage after the other. When all are due, the order that dvc.yaml gives leaves half of a
two-core machine idle; here a stage starts as soon as the stages that write its inputs have ended.

What a stage writes is set aside while it runs. A stage that fails or is stopped gets it back, so a run that
ends early leaves no file half-written and takes none away.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from dvc.repo import Repo

ASIDE = Path("build/.aside")  # what running stages write, as it was before
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PATIENCE_S = 5.0  # from asking a stage to end to ending it
HEARTBEAT_S = 20.0  # the longest silence


@dataclass(frozen=True)
class Started:
    """A stage that runs, and when it started (monotonic seconds)."""

    process: subprocess.Popen[str]
    since: float


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


def remove(path: Path) -> None:
    """Remove a file or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)


def set_aside(name: str, outs: list[Path]) -> None:
    """Move what the stage writes to its folder in ASIDE; the stage finds none of it, as DVC has it."""
    for path in outs:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            kept = ASIDE / name / path
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(path, kept)


def put_back(name: str, outs: list[Path]) -> None:
    """Undo `set_aside`."""
    for path in outs:
        if (ASIDE / name / path).exists():
            remove(path)
            shutil.move(ASIDE / name / path, path)
    remove(ASIDE / name)


def run_stage(
    name: str, stage: dict[str, Any], alive: dict[str, Started]
) -> tuple[subprocess.CompletedProcess[str], float]:
    """Run a stage's command, in `alive` while it does; return the outcome and seconds."""
    start, command, outs = time.monotonic(), stage["cmd"], written(stage)
    code, output = 1, ""
    set_aside(name, outs)
    try:
        # a process group of its own, so that a stage is stopped with all that it started
        with subprocess.Popen(
            command,
            shell=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as process:
            alive[name] = Started(process, start)
            output, _ = process.communicate()
            code = process.returncode
    finally:
        alive.pop(name, None)
        if code:
            for path in outs:
                remove(path)
            put_back(name, outs)
        remove(ASIDE / name)
    return subprocess.CompletedProcess(command, code, output), time.monotonic() - start


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


def stop(futures: set[Future[Any]], alive: dict[str, Started]) -> None:
    """End the stages that run, by force where they do not listen, and wait until their outputs are back."""
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)
    since, stopped = time.monotonic(), sorted(alive)
    while not all(future.done() for future in futures):
        patient = time.monotonic() - since < PATIENCE_S
        for started in list(alive.values()):
            with suppress(ProcessLookupError):
                os.killpg(started.process.pid, signal.SIGTERM if patient else signal.SIGKILL)
        wait(futures, timeout=0.2)
    if stopped:
        print(f"stopped, with outputs as they were: {', '.join(stopped)}", file=sys.stderr, flush=True)


def _interrupted(number: int, frame: object) -> None:
    raise SystemExit(128 + number)


@contextmanager
def interruptible() -> Iterator[None]:
    """Signals that ask for an end become SystemExit, with the status that a shell gives them."""
    before = {number: signal.signal(number, _interrupted) for number in STOPPING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run_all(stages: dict[str, Any], workers: int | None = None) -> None:
    """Run all stages in the order of their graph, `workers` (cores, unless told) at a time.

    The first stage that fails ends the run at once with its output and its exit status; so does a signal.
    Stages that are under way are stopped, and nothing is recorded then.
    """
    for name, stage in stages.items():
        if (ASIDE / name).exists():  # of a run that could not even put it back
            put_back(name, written(stage))
    graph = TopologicalSorter(predecessors(stages))
    graph.prepare()
    running: dict[Future[tuple[subprocess.CompletedProcess[str], float]], str] = {}
    alive: dict[str, Started] = {}
    with interruptible(), ThreadPoolExecutor(workers or len(os.sched_getaffinity(0))) as pool:
        try:
            ended = 0
            while graph.is_active():
                ready = graph.get_ready()
                running |= {pool.submit(run_stage, name, stages[name], alive): name for name in ready}
                done = wait(running, timeout=HEARTBEAT_S, return_when=FIRST_COMPLETED).done
                for future in done:
                    (outcome, seconds), name = future.result(), running.pop(future)
                    ended += 1
                    print(f"   [{ended:2}/{len(stages)}] {name:32} {seconds:5.1f} s", flush=True)
                    if outcome.returncode:
                        print(
                            f"{outcome.stdout}stage {name} failed: {outcome.args}",
                            file=sys.stderr,
                            flush=True,
                        )
                        raise SystemExit(max(outcome.returncode, 1))
                    graph.done(name)
                if not done:
                    print(f"   under way: {under_way(alive)}", flush=True)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            stop(set(running), alive)
            raise
    record(list(stages))


def under_way(alive: dict[str, Started]) -> str:
    """Stages that run, and since when."""
    now = time.monotonic()
    return ", ".join(f"{name} {now - started.since:.0f} s" for name, started in sorted(alive.items()))
