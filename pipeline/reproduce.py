"""`make reproduce`: run the pipeline and say what came out identical to what is in git.

In an unpacked release archive, which has no history, git is started first: DVC works in a git repository.
On a fresh clone every stage runs again, although its exports came with git (plain `dvc repro` would take
those as done), as many at a time as there are cores; after that `dvc repro` runs only what changed. Frozen
stages (telemetry, which needs upstream files) run by `make telemetry` alone.
"""

import hashlib
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from pipeline.errors import InputError, run
from pipeline.first_run import run_all

PIPELINE = Path("dvc.yaml")
MARK = Path("build/.reproduced")  # SHA-256 of what was computed here; a fresh clone has none
RUNNING = re.compile(r"^Running stage '(?P<name>[^']+)'")
IDENTITY = ("-c", "user.name=perquery", "-c", "user.email=perquery@localhost", "-c", "commit.gpgsign=false")
LOOK = {
    "results": "data/results/, metrics.json",
    "claims": "data/results/claims.csv",
    "figures": "figures/",
    "tables": "paper/tables/",
    "paper": "paper/paper.pdf",
    "notebooks": "build/notebooks/",
    "site": "site/index.html (everything above, to read in a browser)",
}


def live_stages(pipeline: dict[str, Any]) -> dict[str, Any]:
    """The stages that a reproduction runs: all but the frozen ones, in the order of dvc.yaml."""
    return {name: stage for name, stage in pipeline["stages"].items() if not stage.get("frozen")}


def committed_outputs(stages: dict[str, Any]) -> list[Path]:
    """Files that stages write and git keeps: outputs and metrics with `cache: false`."""
    found = []
    for stage in stages.values():
        for out in [*stage.get("outs", []), *stage.get("metrics", []), *stage.get("plots", [])]:
            if isinstance(out, dict):
                (path, options), *_ = out.items()
                if options.get("cache") is False:
                    found.append(Path(path))
    return found


def digests(paths: list[Path]) -> dict[Path, str]:
    """SHA-256 of every file under the given files and folders; what is missing is left out."""
    files = [
        file
        for path in paths
        for file in ([path] if path.is_file() else sorted(path.rglob("*")))
        if file.is_file()
    ]
    return {file: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def as_text(found: dict[Path, str]) -> str:
    """What `MARK` holds: SHA-256 and path of every committed output, a line each."""
    return "".join(f"{digest}  {path}\n" for path, digest in found.items())


def start_git(top: Path = Path()) -> bool:
    """Make a folder that no git repository keeps one, with the files as they are; whether it was needed.

    The folder may lie in a repository that does not keep it, such as `dist/` of a clone. `dvc exp` needs a
    commit to compare with.
    """
    tracked = ["git", "ls-files", "--error-unmatch", str(PIPELINE)]
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


def repro(total: int) -> None:
    """Run `dvc repro`, turning its log into one line a stage with the seconds it took."""
    started, current, done = time.monotonic(), "", 0
    log: list[str] = []
    with subprocess.Popen(
        ["dvc", "repro"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            log.append(line)
            match = RUNNING.match(line)
            if match:
                if current:
                    print(f" {time.monotonic() - started:5.1f} s", flush=True)
                current, done, started = match["name"], done + 1, time.monotonic()
                print(f"   [{done:2}/{total}] {current:32}", end="", flush=True)
    if current:
        print(f" {time.monotonic() - started:5.1f} s", flush=True)
    if process.returncode:
        print("".join(log[-40:]), file=sys.stderr)
        raise SystemExit(process.returncode)
    if not done:
        print("   nothing to do: every stage is up to date")


def report(before: dict[Path, str], after: dict[Path, str]) -> None:
    """Say which committed outputs are the same bytes as before the run, and name those that are not."""
    same = [path for path in after if before.get(path) == after[path]]
    print(f"== Committed outputs: {len(same)} of {len(after)} came out identical")
    for path in sorted(set(before) | set(after)):
        if before.get(path) != after.get(path):
            state = "is gone" if path not in after else "is new" if path not in before else "differs"
            print(f"   {path} {state}")


def main() -> None:
    """Run, compare, say where to look and how long it took."""
    start = time.monotonic()
    if start_git():
        print("== No git repository keeps this folder: started one, with the files as unpacked", flush=True)
    stages = live_stages(YAML(typ="safe").load(PIPELINE))
    outputs = committed_outputs(stages)
    before = digests(outputs)
    if MARK.exists():
        print("== Bringing results up to date", flush=True)
    else:
        print(f"== First run in this folder: computing all {len(stages)} stages", flush=True)
        run_all(stages)
        print("== Letting DVC look whether anything is left to do", flush=True)
    repro(len(stages))
    after = digests(outputs)
    MARK.parent.mkdir(exist_ok=True)
    MARK.write_text(as_text(after))
    report(before, after)
    print("== Where to look")
    for what, where in LOOK.items():
        print(f"   {what:10} {where}")
    print(f"== Done in {time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    run(main)
