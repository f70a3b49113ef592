"""`make reproduce`: run the pipeline with DVC and compare every committed output with git.

On a clone's first run every stage runs (`dvc repro -f`), since git holds the results and DVC would take them
as done; after that only what changed. Frozen stages (telemetry, which needs upstream files) run by
`make telemetry` alone. In an unpacked release archive, which has no history, git is started first: DVC works
in a git repository.
"""

import json
import math
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from pipeline.core.errors import InputError, run
from pipeline.core.processes import end_with_parent
from pipeline.repair import PIPELINES, alone, keep

MARK = Path("build/.reproduced")  # a whole run has been made in this folder
RUNNING = re.compile(r"^Running stage '(?P<name>[^']+)'")
BUSY = ("Unable to acquire lock", "it is being blocked by")
BEAT = re.compile(r"^   \w+: \d+ s, at ")  # of core.processes.heartbeat
IDENTITY = ("-c", "user.name=perquery", "-c", "user.email=perquery@localhost", "-c", "commit.gpgsign=false")
LOOK = {
    "results": "data/results/, metrics.json",
    "claims": "data/results/claims.csv",
    "figures": "figures/",
    "paper": "paper/paper.pdf, paper/tables/",
    "notebooks": "build/notebooks/",
    "site": "site/index.html (everything above, to read in a browser)",
}
HEADLINE = Path("metrics.json")
TOKEN = re.compile(r"\b[0-9a-f]{40}(?:[0-9a-f]{24})?\b|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")  # hash or number
TEXTS = {".csv", ".json"}
DIFFERS = "differs"
ROUNDED = "differs in last printed digits, as between processors"
HASH = 40
LAST_DIGIT = 1.5e-5  # of six significant ones, against the number
LAST_DECIMAL = -6  # of logarithms, whatever their size


def stages(paths: tuple[Path, ...] = PIPELINES) -> dict[str, Any]:
    """All stages by name, in the order of their files."""
    found: dict[str, Any] = {}
    for path in paths:
        found |= YAML(typ="safe").load(path)["stages"]
    return found


def committed_outputs(found: dict[str, Any]) -> list[Path]:
    """Files and folders that stages write and git keeps: outputs and metrics with `cache: false`."""
    entries = [
        entry for stage in found.values() for entry in [*stage.get("outs", []), *stage.get("metrics", [])]
    ]
    kept = [next(iter(entry.items())) for entry in entries if isinstance(entry, dict)]
    return [Path(path) for path, options in kept if options.get("cache") is False]


def start_git(top: Path = Path()) -> bool:
    """Make a git repository of a folder that no repository keeps, with all files in it; say whether it did.

    A folder inside a repository that does not keep it, such as `dist/` of a clone, gets one too.
    """
    tracked = ["git", "ls-files", "--error-unmatch", "dvc.yaml"]
    try:
        known = subprocess.run(tracked, cwd=top, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        raise InputError("git is missing: DVC, which runs the pipeline, works in a git repository") from None
    if known or (top / ".git").exists():
        return False
    for command in (["init"], ["add", "--all"], [*IDENTITY, "commit", "--message", "Unpack the release"]):
        done = subprocess.run(["git", *command], cwd=top, capture_output=True, text=True, check=False)
        if done.returncode:
            raise InputError(f"git {' '.join(command)} failed: {done.stderr.strip()}")
    return True


def repro(total: int, *options: str) -> None:
    """Run `dvc repro`, turning its log into one line a stage with the seconds it took."""
    started, current, done = time.monotonic(), "", 0
    log: list[str] = []
    with subprocess.Popen(
        ["dvc", "repro", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=end_with_parent,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            log.append(line)
            if match := RUNNING.match(line):
                if current:
                    print(f" {time.monotonic() - started:5.1f} s", flush=True)
                current, done, started = match["name"].split(":")[-1], done + 1, time.monotonic()
                print(f"   [{done:2}/{total}] {current:20}", end="", flush=True)
            elif BEAT.match(line):
                print(".", end="", flush=True)
    if current:
        print(f" {time.monotonic() - started:5.1f} s", flush=True)
    if process.returncode and any(sign in line for line in log[-40:] for sign in BUSY):
        print("   waiting for another run of dvc", flush=True)
        time.sleep(5)
        return repro(total, *options)
    if process.returncode:
        print("".join(log[-40:]), file=sys.stderr)
        raise SystemExit(process.returncode)
    if not done:
        print("   nothing to do: every stage is up to date")


def differing(paths: list[Path]) -> dict[str, str]:
    """Each file under the outputs that is not as in git's HEAD, and how: differs, is gone, is new."""
    names = [path.as_posix() for path in paths]
    command = ["git", "status", "--porcelain", "--untracked-files=all", "--", *names]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    words = {"D": "is gone", "?": "is not in git", "A": "is not in git's HEAD"}
    return {line[3:]: words.get(line[:2].strip()[:1], DIFFERS) for line in lines}


def rounded_apart(name: str) -> bool:
    """Whether a table or sidecar differs from git's in nothing but last printed digits.

    A number whose next digits are 4999 or 5000 is rounded by the noise of the processor. Hashes in sidecars
    are of files that are compared themselves.
    """
    if Path(name).suffix not in TEXTS:
        return False
    command = ["git", "show", f"HEAD:./{name}"]
    before = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=True).stdout
    now = Path(name).read_text(encoding="utf-8")
    pairs = zip(TOKEN.findall(before), TOKEN.findall(now), strict=False)
    return TOKEN.split(before) == TOKEN.split(now) and all(alike(one, other) for one, other in pairs)


def alike(one: str, other: str) -> bool:
    """Two hashes, or two numbers that may be one rounded twice."""
    if len(one) >= HASH or len(other) >= HASH:
        return len(one) == len(other)
    first, second = Decimal(one), Decimal(other)
    last = min(int(first.as_tuple().exponent), int(second.as_tuple().exponent))
    near = last == LAST_DECIMAL or math.isclose(first, second, rel_tol=LAST_DIGIT)
    return one == other or (near and abs(first - second) <= Decimal(10) ** last)


def files_of(paths: list[Path]) -> Iterator[Path]:
    """The files under files and folders."""
    for path in paths:
        yield from [path] if path.is_file() else (item for item in path.rglob("*") if item.is_file())


def report(outputs: list[Path]) -> bool:
    """Name the committed outputs that are not as in git's HEAD; whether none is, but for last digits."""
    found = differing(outputs)
    rounded = {name for name, how in found.items() if how == DIFFERS and rounded_apart(name)}
    total = sum(1 for _ in files_of(outputs))
    if not found:
        print(f"== Committed outputs: all {total} came out as in git")
        return True
    print(f"== Committed outputs: {len(found)} of {total} are not as in git (`git diff` shows how)")
    for name, how in found.items():
        print(f"   {name} {ROUNDED if name in rounded else how}")
    return len(rounded) == len(found)


def headline() -> Iterator[str]:
    """What a reader came for: Wh at the facility, like beside like."""
    values = json.loads(HEADLINE.read_text(encoding="utf-8"))
    published, ours = values["as_published"]["v2"], values["re_estimated"]
    for regime, query in (("short", "chat"), ("long", "reasoning")):
        half = published[f"blend_{regime}_wh"]
        yield (
            f"{query:10} as published {half['p50']:.2g} Wh "
            f"({half['p25']:.2g} to {half['p75']:.2g}, middle half of queries)"
        )
        same, real = (
            "{p50:.2g} ({p5:.2g} to {p95:.2g})".format(**ours[lengths][f"blend_{regime}_median_wh"])
            for lengths in ("published_lengths", "production_lengths")
        )
        yield f"{query:10} re-estimated {same} Wh at the same lengths, {real} Wh with real traffic"


def restore() -> None:
    """Put params.yaml, results and intermediates back as git's HEAD has them.

    The time stamp is moved first: git takes a file of the size and second that it knows for unchanged.
    """
    Path("params.yaml").touch()
    locks = [path.with_suffix(".lock") for path in PIPELINES]
    names = [str(path) for path in (Path("params.yaml"), *locks, *committed_outputs(stages()))]
    subprocess.run(["git", "restore", "--source=HEAD", "--staged", "--worktree", "--", *names], check=True)
    done = subprocess.run(["dvc", "checkout", "--quiet"], check=False)
    if done.returncode:  # an intermediate that was never computed here
        print("   some intermediates are not in the cache: `make reproduce` computes them")
    print("== params.yaml and results are as in git")


def changed_inputs() -> list[str]:
    """What frozen stages depend on and is not as it was when they last ran."""
    from dvc.repo import Repo  # takes a second

    with Repo() as repo:
        frozen = [stage for stage in repo.index.stages if stage.frozen]
        return sorted({str(dep) for stage in frozen for dep in stage.deps if dep.workspace_status()})


def main() -> None:
    """Run, compare, say the headline, where to look and how long it took."""
    if start_git():
        print("== No git repository keeps this folder: started one, with the files as unpacked", flush=True)
    with alone():
        same = reproduce()
    if not same:
        raise SystemExit(1)


def reproduce() -> bool:
    """The same, alone and with whole lock files; whether every committed output is as in git."""
    start = time.monotonic()
    found = {name: stage for name, stage in stages().items() if not stage.get("frozen")}
    if MARK.exists():
        print("== Bringing results up to date", flush=True)
        repro(len(found))
    else:
        print(f"== First run in this folder: computing all {len(found)} stages, about 3 minutes", flush=True)
        repro(len(found), "--force")
        MARK.touch()
    keep()
    if changed := changed_inputs():
        print(
            f"== Frozen, so not run, though inputs changed: {', '.join(changed)} (`make telemetry` runs it)"
        )
    same = report(committed_outputs(found))
    print(
        "== Headline (published blend of models above 200 billion parameters, whole facility, median query)"
    )
    for line in headline():
        print(f"   {line}")
    print("== Where to look")
    for what, where in LOOK.items():
        print(f"   {what:10} {where}")
    print(f"== Done in {time.monotonic() - start:.0f} s")
    return same


if __name__ == "__main__":
    run(alone()(restore) if sys.argv[1:] == ["--restore"] else main)
