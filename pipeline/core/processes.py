"""Processes: side by side, ended with their parent, saying how long they take, leaving nothing behind.

DVC hashes what a stage depends on after it ran. Were a file changed in between, results of the old one would
count as those of the new. So a stage looks at its dependencies before and after, and fails where they differ.
"""

import ctypes
import os
import select
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

from ruamel.yaml import YAML

from pipeline.core.errors import InputError

Item = TypeVar("Item")
Found = TypeVar("Found")
BEAT_S = 5.0
FOLDER = ".perquery-"
PATIENCE_S = 5.0  # of a stage that is ended, with its processes and its clearing up
YOUNG_S = 60.0  # a folder may not be locked yet
PR_SET_PDEATHSIG = 1


def side_by_side(work: Callable[[Item], Found], items: Sequence[Item], workers: int = 2) -> list[Found]:
    """`work` of every item, in their order, several at once."""
    with pool(workers) as processes:
        return list(processes.map(work, items))


def pool(workers: int) -> ProcessPoolExecutor:
    """Processes that end with this one, and when asked to: they have none of its clearing up to do."""
    return ProcessPoolExecutor(workers, initializer=_end_as_asked)


def _end_as_asked() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    end_with_parent()


@contextmanager
def heartbeat(name: str) -> Iterator[None]:
    """Within, a line on stderr every few seconds: how long it takes, and which function works."""
    done, start = threading.Event(), time.monotonic()

    def beat() -> None:
        while not done.wait(BEAT_S):
            at = _at_work(sys._current_frames()[threading.main_thread().ident or 0])
            # Not print(), whose lock a process started meanwhile would never get back.
            os.write(2, f"   {name}: {time.monotonic() - start:.0f} s, at {at}\n".encode())

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _at_work(frame: FrameType | None) -> str:
    """The function of a topic that the entry point called."""
    found = ""
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if module.startswith("pipeline.") and not module.startswith(("pipeline.core", "pipeline.stages")):
            found = f"{module}.{frame.f_code.co_name}"
        frame = frame.f_back
    return found or "its start"


def end_with_parent() -> None:
    """Let this process be ended when the one that started it ends (on Linux): no orphan goes on writing."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def end_with_starter(mark: str) -> None:
    """Let this process be ended when the one ends that set `mark` in its commands' environment (on Linux).

    A shell may stand between the two, which lives on: waited for is the first ancestor without the mark.
    """
    if sys.platform != "linux":
        return
    end_with_parent()
    ancestor = os.getppid()
    with suppress(OSError):  # ended meanwhile, or another user's
        while f"\0{mark}=".encode() in b"\0" + Path(f"/proc/{ancestor}/environ").read_bytes():
            ancestor = int(Path(f"/proc/{ancestor}/stat").read_text().rpartition(")")[2].split()[1])
        descriptor = os.pidfd_open(ancestor)
        threading.Thread(target=_end_after, args=(descriptor,), daemon=True).start()


def _end_after(descriptor: int) -> None:
    """Wait for the end of a process, then ask this one to end."""
    select.select([descriptor], [], [])
    os.kill(os.getpid(), signal.SIGTERM)


@contextmanager
def temporary_folder(beside: Path | str | None = None) -> Iterator[Path]:
    """A temporary folder, beside something or where the system has them; raises OSError.

    It is locked while its process lives: those that killed ones left there are removed first.
    """
    parent = Path(beside or tempfile.gettempdir())
    for path in parent.glob(f"{FOLDER}*"):
        with suppress(OSError):  # gone meanwhile, or another user's
            if time.time() - path.stat().st_mtime > YOUNG_S and (descriptor := _lock(path)):
                shutil.rmtree(path, ignore_errors=True)
                os.close(descriptor)
    with tempfile.TemporaryDirectory(dir=parent, prefix=FOLDER) as name:
        descriptor = _lock(Path(name))
        try:
            yield Path(name)
        finally:
            if descriptor:
                os.close(descriptor)


def _lock(folder: Path) -> int:
    """Lock a folder; the descriptor that holds the lock, 0 where another process does or none can be had."""
    if sys.platform == "win32":
        return 0
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return 0
    return descriptor


STAGE = "DVC_STAGE"  # DVC sets it for the commands that it runs
State = dict[Path, tuple[int, int]]


@contextmanager
def recorded() -> Iterator[None]:
    """Within, a stage of DVC ends with DVC, cleans up when ended, and fails where its inputs change.

    Elsewhere (a command, a stage by hand) nothing is recorded, so nothing is looked at.
    """
    address = os.environ.get(STAGE, "")
    if not address:
        yield
        return
    signal.signal(signal.SIGTERM, _clear_up)
    end_with_starter(STAGE)
    paths = inputs_of(address)
    before = state(paths)
    with heartbeat(address.rpartition(":")[2]):
        yield
    after = state(paths)
    if changed := sorted(path for path in before | after if before.get(path) != after.get(path)):
        raise InputError(
            f"{changed[0]}: changed while stage {address!r} ran, so that DVC must not record it; run again"
        )


def _clear_up(*_: object) -> None:
    """Leave by the way of an error, which removes what is half written; at once where that waits too long."""
    timer = threading.Timer(PATIENCE_S, os._exit, (128 + signal.SIGTERM,))
    timer.daemon = True
    timer.start()
    sys.exit(128 + signal.SIGTERM)


def inputs_of(address: str) -> list[Path]:
    """Dependencies and parameter files of a stage, as DVC addresses it: `energy`, `folder/dvc.yaml:name`."""
    file, _, name = address.rpartition(":")
    stage: dict[str, Any] = YAML(typ="safe").load(Path(file or "dvc.yaml"))["stages"][name]
    parameters = [next(iter(item)) for item in stage.get("params", [])]
    return [Path(path) for path in (*stage["deps"], *parameters)]


def state(paths: list[Path]) -> State:
    """Time and size of every file under files and folders."""
    return {file: (found.st_mtime_ns, found.st_size) for path in paths for file, found in _files(path)}


def _files(path: Path) -> Iterator[tuple[Path, os.stat_result]]:
    if path.is_dir():
        for folder, folders, names in os.walk(path):
            folders[:] = [name for name in folders if name != "__pycache__"]
            for name in names:
                yield from _files(Path(folder, name))
    elif path.exists():
        yield path, path.stat()
