"""`make repair`: what a run that was killed may have left broken is put right; every entry of ours begins so.

DVC writes dvc.lock and `.dvc/tmp/rwlock` in place, so a kill at that moment leaves them short, and then DVC
refuses to work. One run at a time: a second waits for the first, and says so.
"""

import fcntl
import hashlib
import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from pipeline.core.errors import run

PIPELINES = (Path("data/assumptions/dvc.yaml"), Path("dvc.yaml"))
TEMPORARY = Path(".dvc/tmp")
KEPT = TEMPORARY / "last_success"  # copies of the lock files
CACHE = Path(".dvc/cache/files/md5")
MD5 = re.compile(r"[0-9a-f]{32}(\.dir)?")
LEFTOVER = re.compile(r"\..+\.[a-z0-9_]{8}(\.\w+)?")  # of core.files.write_atomically
LOOK_AGAIN_S = 1.0


@contextmanager
def alone() -> Iterator[None]:
    """Hold off other runs of ours, wait for those of DVC itself, then put right what one of them left."""
    TEMPORARY.mkdir(parents=True, exist_ok=True)
    with held(TEMPORARY / "perquery.lock"):
        while other := running():
            print(f"== Waiting for another run to end (process {other})", flush=True)
            while running() == other:
                time.sleep(LOOK_AGAIN_S)
        for line in repair():
            print(f"== Repaired: {line}", flush=True)
        yield


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold a lock file; where another process holds it, say so and wait."""
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("== Waiting for another run to end", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def running() -> int:
    """The process of a stage that DVC runs now, as its rwlock says; 0 where there is none."""
    noted = _rwlock() or {}
    infos = [
        *noted.get("write", {}).values(),
        *(one for many in noted.get("read", {}).values() for one in many),
    ]
    return next((info["pid"] for info in infos if Path(f"/proc/{info['pid']}").exists()), 0)


def repair() -> Iterator[str]:
    """Put right what a killed run left; one line for each thing."""
    with held(TEMPORARY / "lock"), held(TEMPORARY / "rwlock.lock"):  # DVC's own, free by now
        if _rwlock() is None:
            (TEMPORARY / "rwlock").unlink()
            yield "dropped .dvc/tmp/rwlock, which could not be read"
        for path in PIPELINES:
            yield from repair_lock(path)
    for path in leftovers():
        path.unlink()
        yield f"removed {path}, which was half written"
    for path in corrupt():
        path.chmod(0o644)
        path.unlink()
        yield f"removed {path} of the cache, which is not what its name says; its stage runs again"


def repair_lock(pipeline: Path) -> Iterator[str]:
    """Put a damaged lock file back as after the last success, else as in git; forget stages that are gone."""
    lock = pipeline.with_suffix(".lock")
    known = YAML(typ="safe").load(pipeline)["stages"].keys()
    good = next((text for text in (_kept(lock), _of_git(lock)) if stages_of(text)), "")
    found = stages_of(lock.read_text(encoding="utf-8", errors="replace")) if lock.exists() else {}
    lost = (stages_of(good).keys() & known) - found.keys()
    if lost:
        lock.write_text(good, encoding="utf-8")
        found = stages_of(good)
        yield f"put back {lock}, which had lost {len(lost)} of its stages ({', '.join(sorted(lost))})"
    elif lock.exists() and not found:
        lock.unlink()
        yield f"removed {lock}, which could not be read: every stage runs again"
    gone = found.keys() - known
    if gone:
        text = lock.read_text(encoding="utf-8")
        for name in gone:
            text = re.sub(rf"^  {re.escape(name)}:\n(?:   .*\n)*", "", text, flags=re.MULTILINE)
        lock.write_text(text, encoding="utf-8")
        yield f"forgot in {lock} {len(gone)} stages that {pipeline} has no more"


@cache
def stages_of(text: str) -> dict[str, Any]:
    """The whole stages of a lock file; none where it cannot be read."""
    if not text.endswith("\n"):  # cut short, perhaps within a number
        return {}
    try:
        data = YAML(typ="safe").load(text)
        return {name: stage for name, stage in data["stages"].items() if _whole(stage)}
    except (YAMLError, TypeError, KeyError, AttributeError):
        return {}


def keep() -> None:
    """Keep the lock files of a success, to be put back after a kill."""
    for path in PIPELINES:
        copy = KEPT / path.with_suffix(".lock")
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path.with_suffix(".lock"), copy)


def leftovers() -> Iterator[Path]:
    """Temporary files of writers that were killed, which lie beside what they were to become."""
    for folder in ("build", "data", "figures", "metrics", "paper", "site"):
        yield from (path for path in Path(folder).rglob(".*") if LEFTOVER.fullmatch(path.name))


def corrupt() -> Iterator[Path]:
    """Objects of DVC's cache that the lock files name and whose content has another hash."""
    for path in PIPELINES:
        lock = path.with_suffix(".lock")
        for stage in stages_of(lock.read_text(encoding="utf-8")).values() if lock.exists() else ():
            for out in stage.get("outs", []):
                yield from _corrupt_below(out["md5"])


def _corrupt_below(name: str) -> Iterator[Path]:
    path = CACHE / name[:2] / name[2:]
    if not path.is_file():
        return
    content = path.read_bytes()
    if hashlib.md5(content, usedforsecurity=False).hexdigest() != name.removesuffix(".dir"):
        yield path
    elif name.endswith(".dir"):
        for entry in json.loads(content):
            yield from _corrupt_below(entry["md5"])


def _whole(stage: Any) -> bool:
    entries = [*stage.get("deps", []), *stage.get("outs", [])]
    return "cmd" in stage and all(_known(**entry) for entry in entries)


def _known(md5: str = "", size: int | None = None, nfiles: int | None = None, **_: Any) -> bool:
    return bool(MD5.fullmatch(md5)) and size is not None and (nfiles is not None) == md5.endswith(".dir")


def _rwlock() -> dict[str, Any] | None:
    """Who reads and writes what, as DVC notes it; nothing where the file is not of that form."""
    path = TEMPORARY / "rwlock"
    if not path.exists():
        return {}
    try:
        noted = json.loads(path.read_text(encoding="utf-8"))
        writing, reading = noted.get("write", {}).values(), noted.get("read", {}).values()
        whole = all(
            isinstance(info["pid"], int) for info in (*writing, *(one for many in reading for one in many))
        )
        return noted if whole else None
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _kept(lock: Path) -> str:
    copy = KEPT / lock
    return copy.read_text(encoding="utf-8") if copy.exists() else ""


def _of_git(lock: Path) -> str:
    done = subprocess.run(["git", "show", f"HEAD:{lock}"], capture_output=True, text=True, check=False)
    return done.stdout


def main() -> None:
    """Repair and say what was done."""
    with alone():
        print("== Nothing is broken (any more); `make reproduce` brings results up to date")


if __name__ == "__main__":
    run(main)
