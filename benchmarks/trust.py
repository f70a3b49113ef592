"""The same bytes in other environments, and after kills.

`python -m benchmarks.trust verify` (`make verify`) runs stages in a clone under other hash seeds, kernels of
linear algebra, time zones, languages, and so on, and prints which outputs differ; `--python` adds other
interpreters, each with the packages of the lock. `python -m benchmarks.trust kills` kills runs at random
moments, repairs, runs again, and counts what is not as without the kill, on inputs made small; `seeds` runs
the analyses under other seeds, and counts verdicts that change and levers that change places. All write
benchmarks/results/trust_<what>.json and their section of benchmarks/README.md; commands of `kills` that are
not asked for keep what was recorded of them.
"""

import argparse
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.logs_report import put_section
from pipeline.core.files import write_json
from pipeline.core.processes import FOLDER
from pipeline.core.settings import from_params
from pipeline.repair import LEFTOVER
from pipeline.reproduce import stages

RESULTS, README = Path("benchmarks/results"), Path("benchmarks/README.md")
ENVIRONMENTS: dict[str, dict[str, str]] = {
    "as here": {},
    "hash seed 1": {"PYTHONHASHSEED": "1"},
    "hash seed 7": {"PYTHONHASHSEED": "7"},
    "kernels for Haswell": {"OPENBLAS_CORETYPE": "Haswell"},
    "kernels for SkylakeX": {"OPENBLAS_CORETYPE": "SkylakeX"},
    "kernels for Prescott": {"OPENBLAS_CORETYPE": "Prescott"},
    "4 threads asked for": {"OPENBLAS_NUM_THREADS": "4", "OMP_NUM_THREADS": "4"},
    "time of Kathmandu": {"TZ": "Asia/Kathmandu"},
    "language C": {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0"},
    "umask 077, no home": {"UMASK": "077", "HOME": "/nonexistent"},
    "home that nobody can write": {"HOME": "/proc"},
    "no network": {"NETWORK": "none"},
}
NEEDED = {"Haswell": "avx2", "SkylakeX": "avx512f", "Prescott": "pni"}  # of the processor, by kernel
QUICK = ("inputs", "lengths", "servers", "fit_serving")
THREE = ("servers", "claims", "what_if")  # quick ones; the last keeps its output in the cache
EXAMPLES = ("data/examples/configurations.csv", "data/examples/requests.csv", "data/examples/power.csv.gz")
COMMANDS = {
    "dvc repro, three stages": ("dvc", "repro", "--force", "--single-item", *THREE),
    "predict": ("python", "-m", "pipeline.predict", EXAMPLES[0], "-o", "build/kill/predictions.csv"),
    "logs": ("python", "-m", "pipeline.logs", *EXAMPLES[1:], "--accept", "-o", "build/kill/logs"),
    "telemetry": ("python", "-m", "pipeline.telemetry"),
    "export": ("python", "-m", "pipeline.export"),
}
SHARES = {"dvc repro, three stages": 20, "predict": 100, "logs": 40, "telemetry": 20, "export": 20}
NOT_KILLED = {"kills": 0, "repaired": 0, "orphans": 0, "left over": 0, "not recovered": 0}
# For the clone that is killed: an export of less, so that a run takes seconds.
SMALL = {
    "tiff_dpi: 1000 ": "tiff_dpi: 100  ",
    "accelerators: 1xH100; 2xH100; 4xH100; 8xH100; 8xH200; 8xB200": "accelerators: 8xB200",
}
SECTIONS = {
    "verify": """## The same bytes elsewhere

`make verify`: stages {stages} run in a clone under one change each; files that differ from
those made without it. Threads that are asked for are set back to one by the package itself.
Kernels that the processor has not are left out. The machine was shared with other work.

{table}
""",
    "kills": """## Killed and run again

`python -m benchmarks.trust kills`: `kill -9` at a moment drawn evenly over a run, {total} kills in all; then
`make repair` and the same command again. Orphans are processes that still work a second after the kill; left
over: temporary files and folders that are there after the second run; not recovered: the second run fails,
or any output, input, dvc.lock or what git says of the clone is not as without a kill. A kill that came after
the end of its run is not counted. Stages of `dvc repro`: {three}. The site of the
export has one page, its figures fewer pixels, its package one chip. The machine was shared with other work.

{table}
""",
}
SECTIONS["seeds"] = """## Other seeds

`python -m benchmarks.trust seeds`: under other seeds than {seed}, the stages
{stages}.
Verdicts are those of claims.csv; pairs of levers are those of one regime whose medians differ by more than
{errors:g} Monte Carlo errors of their difference.

{table}
"""
ANALYSES = ("assumptions", "published", "lengths", "servers", "energy", "water", "fleet", "levers", "claims")
ERRORS = 3.0
GRACE_S = 1.0  # for what a killed run had started, to end
WRONG = ("failed", "differ", "orphans", "left over", "not recovered", "changed", "swapped")
KEPT = ("data", "build/published", "build/telemetry", "build/kill", "dist", "dvc.lock")  # looked at
Digests = dict[str, str]
Row = dict[str, object]


@contextmanager
def copy_of_here() -> Iterator[Path]:
    """What is committed, with what a run left here, in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="perquery-trust-") as top:
        folder = Path(top, "clone")
        subprocess.run(["git", "clone", "--quiet", ".", folder], check=True)
        for path in ("build", "site", ".dvc/cache"):
            if Path(path).exists():
                shutil.copytree(path, folder / path)
        Path(top, "tmp").mkdir()
        yield folder


def run(folder: Path, command: Sequence[str], **environment: str) -> int:
    """A command in the folder; its exit status."""
    return started(folder, command, **environment).wait()


def started(folder: Path, command: Sequence[str], **environment: str) -> subprocess.Popen[bytes]:
    """The command under way, with a log beside the folder."""
    own = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "MPLCONFIGDIR": str(folder / ".mpl"),
        "TMPDIR": str(folder.parent / "tmp"),
    }
    own["PATH"] = f"{environment.get('PYTHON', own['PATH'])}:{own['PATH']}"
    env = {**os.environ, "DVC_NO_ANALYTICS": "1", **environment, **own}
    if environment.get("NETWORK") == "none":
        command = ("unshare", "--net", *command)
    umask = int(environment.get("UMASK", "022"), 8)
    with (folder.parent / "log").open("ab") as log:
        return subprocess.Popen(command, cwd=folder, env=env, stdout=log, stderr=log, umask=umask)


def digests(folder: Path, below: Sequence[str]) -> Digests:
    """A hash of the content of every file under some paths, by path."""
    tops = [folder / path for path in below]
    files = [*tops, *(item for top in tops if top.is_dir() for item in top.rglob("*"))]
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
        if file.is_file()
    }


def outputs(names: Sequence[str]) -> list[str]:
    """The paths that stages write."""
    found = stages()
    entries = [entry for name in names for entry in [*found[name]["outs"], *found[name].get("metrics", [])]]
    return [entry if isinstance(entry, str) else next(iter(entry)) for entry in entries]


def interpreters(pythons: Sequence[Path]) -> dict[str, dict[str, str]]:
    """An environment of each interpreter."""
    found = {}
    for python in pythons:
        said = subprocess.run([python, "--version"], capture_output=True, text=True, check=True).stdout
        found[said.strip()] = {"PYTHON": str(python.absolute().parent)}
    return found


def possible(environments: Mapping[str, dict[str, str]]) -> Iterator[tuple[str, dict[str, str]]]:
    """Those whose kernels this processor has; another dies of an illegal instruction."""
    flags = Path("/proc/cpuinfo").read_text(encoding="utf-8").split()
    for name, changes in environments.items():
        kernel = changes.get("OPENBLAS_CORETYPE", "")
        if NEEDED.get(kernel, flags[0]) in flags:
            yield name, changes
        else:
            print(f"{name}: this processor lacks {NEEDED[kernel]}, skipped", flush=True)


def verify(names: Sequence[str], pythons: Sequence[Path]) -> Iterator[list[Row]]:
    """A row an environment: how many output files of the stages differ from those made as here."""
    rows: list[Row] = []
    reference: Digests = {}
    with copy_of_here() as folder:
        for environment, changes in possible(ENVIRONMENTS | interpreters(pythons)):
            commands = [("python", "-m", f"pipeline.stages.{name}") for name in names]
            failed = sum(run(folder, command, **changes) != 0 for command in commands)
            found = digests(folder, outputs(names))
            reference = reference or found
            differ = sorted(path for path in found | reference if found.get(path) != reference.get(path))
            row = {"environment": environment, "failed": failed, "files": len(found), "differ": len(differ)}
            rows.append({**row, "which": ", ".join(differ[:3])})
            say(rows)
            yield rows


def kills(names: Sequence[str], count: int, seed: int) -> Iterator[list[Row]]:
    """A row a command: how often it was killed, and how often something was then not as without the kill.

    Commands take turns by lot, so that a run that is stopped has tried them all.
    """
    record, kept, chance = RESULTS / "trust_kills.json", [], random.Random(seed)
    if record.exists():
        kept = [row for row in json.loads(record.read_text("utf-8"))["rows"] if row["command"] not in names]
    with copy_of_here() as folder:
        make_small(folder)
        run(folder, ("python", "-m", "pipeline.repair"))
        seconds = {name: seconds_of(folder, name) for name in names}
        print({name: round(value, 1) for name, value in seconds.items()}, flush=True)
        rows, reference = {name: {"command": name, **NOT_KILLED} for name in names}, state(folder)
        for name in chance.sample(list(names), k=count, counts=[SHARES[name] for name in names]):
            found = NOT_KILLED
            while not found["kills"]:
                found = killed(folder, COMMANDS[name], chance.uniform(0, seconds[name]), reference)
            rows[name] |= {key: rows[name][key] + value for key, value in found.items()}
            say([rows[name]])
            yield sorted([*kept, *rows.values()], key=lambda row: list(COMMANDS).index(str(row["command"])))


def seconds_of(folder: Path, name: str) -> float:
    """How long a command takes that is not killed."""
    start = time.monotonic()
    if run(folder, COMMANDS[name]):
        raise SystemExit(f"{name} fails without a kill: {log_of(folder)[-500:]}")
    return time.monotonic() - start


def make_small(folder: Path) -> None:
    """Let the export of a clone take seconds."""
    params, site = folder / "params.yaml", folder / "site"
    text = params.read_text(encoding="utf-8")
    for whole, less in SMALL.items():
        assert whole in text, whole
        text = text.replace(whole, less)
    params.write_text(text, encoding="utf-8")
    shutil.rmtree(site, ignore_errors=True)
    site.mkdir()
    (site / "index.html").write_text("a page\n", encoding="utf-8")


def log_of(folder: Path) -> str:
    """What the commands in a folder have said."""
    return (folder.parent / "log").read_text(encoding="utf-8", errors="replace")


def state(folder: Path) -> Digests:
    """Everything that a command writes, and what git says of the clone."""
    said = subprocess.run(
        ["git", "status", "--porcelain"], cwd=folder, capture_output=True, text=True, check=True
    )
    return {**digests(folder, KEPT), "git status": said.stdout}


def seeds(count: int) -> Iterator[list[Row]]:
    """A row a seed: verdicts that are not those of the first, pairs of levers in another order."""
    rows: list[Row] = []
    with copy_of_here() as folder:
        params = folder / "params.yaml"
        text, own = params.read_text(encoding="utf-8"), from_params("simulation").seed
        first: tuple[pd.Series, pd.DataFrame] | None = None
        for seed in range(own, own + count + 1):
            params.write_text(text.replace(f"seed: {own}", f"seed: {seed}", 1), encoding="utf-8")
            failed = sum(run(folder, ("python", "-m", f"pipeline.stages.{name}")) != 0 for name in ANALYSES)
            claims = pd.read_csv(folder / "data/results/claims.csv").set_index("key")
            now = (
                claims["verdict"].fillna(claims["support"]),
                pd.read_csv(folder / "data/results/lever_systems.csv"),
            )
            first = first or now
            row = {"seed": seed, "failed": failed, "verdicts": len(now[0])}
            pairs, swapped = moved(first[1], now[1])
            row |= {"changed": int((now[0] != first[0]).sum()), "pairs of levers": pairs, "swapped": swapped}
            rows.append({**row, "which": ", ".join(now[0].index[now[0] != first[0]][:3])})
            say(rows)
            yield rows[1:]


def moved(first: pd.DataFrame, now: pd.DataFrame) -> tuple[int, int]:
    """Pairs of levers whose order is beyond Monte Carlo error, and how many of them stand the other way."""
    within, lever = ["regime", "quantity", "boundary"], ["group", "system", "load", "compared", "basis"]
    first, now = (table.drop_duplicates(within + lever, keep=False) for table in (first, now))
    both = first.merge(now, on=within + lever, suffixes=("", "_now"))
    pairs = both.merge(both, on=within, suffixes=("", "_b"))
    error = ERRORS * np.hypot(pairs["mc_error_p50"], pairs["mc_error_p50_b"])
    apart = pairs[pairs["p50"] - pairs["p50_b"] > error]
    return len(apart), int((apart["p50_now"] < apart["p50_now_b"]).sum())


def killed(folder: Path, command: Sequence[str], after_s: float, reference: Digests) -> dict[str, int]:
    """Kill the command after some seconds, look round, repair, run it again; counts of what was found."""
    process = started(folder, command)
    try:
        process.wait(after_s)
        return NOT_KILLED
    except subprocess.TimeoutExpired:
        process.kill()
    process.wait()
    end = time.monotonic() + GRACE_S
    while (orphans := processes_in(folder)) and time.monotonic() < end:
        time.sleep(0.05)
    for path in temporaries(folder):  # so old that nobody can be about to lock it
        os.utime(path, (0, 0))
    before = len(log_of(folder))
    failed = run(folder, ("python", "-m", "pipeline.repair"))
    repaired = "Repaired" in log_of(folder)[before:]
    failed += run(folder, command)
    now, left = state(folder), temporaries(folder)
    if failed or now != reference or left or orphans:
        apart = [path for path in now | reference if now.get(path) != reference.get(path)]
        print(
            f"{command} after {after_s:.2f} s: {failed=} {apart[:5]} {left[:5]} {len(orphans)} orphans",
            flush=True,
        )
        print(log_of(folder)[before:][-500:], flush=True)
    return {"kills": 1, "repaired": int(repaired), "orphans": len(orphans), "left over": len(left),
            "not recovered": int(bool(failed) or now != reference)}  # fmt: skip


def temporaries(folder: Path) -> list[Path]:
    """Half-written files, and folders for the time being, in the folder and where the system has them."""
    below = [
        path for path in folder.rglob(".*") if LEFTOVER.fullmatch(path.name) or path.name.startswith(FOLDER)
    ]
    return [*below, *Path(folder.parent, "tmp").iterdir()]


def processes_in(folder: Path) -> list[str]:
    """Processes that work in the folder."""
    found = []
    for link in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if link.readlink().is_relative_to(folder):
                found.append(link.parent.name)
        except OSError:  # ended meanwhile, or another user's
            continue
    return found


def say(rows: list[Row]) -> None:
    """The last row, with the header above the first."""
    print(pd.DataFrame(rows[-1:]).to_string(index=False, header=len(rows) == 1), flush=True)


def main() -> int:
    """Measure, write, print; 1 where something differs or is not recovered."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=SECTIONS)
    parser.add_argument("--stages", nargs="+", default=QUICK)
    parser.add_argument("--python", nargs="+", type=Path, default=[], help="other interpreters, of verify")
    parser.add_argument("--commands", nargs="+", choices=COMMANDS, default=list(COMMANDS), help="of kills")
    parser.add_argument("--count", type=int, help="kills in all (else 200), or seeds (else 10)")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    ways = {"verify": lambda: verify(given.stages, given.python),
            "kills": lambda: kills(given.commands, given.count or sum(SHARES.values()), given.seed),
            "seeds": lambda: seeds(given.count or 10)}  # fmt: skip
    rows: list[Row] = []
    for rows in filter(None, ways[given.what]()):
        record(given.what, rows, given.stages)  # at once: a run that is stopped leaves what it measured
    return int(any(row.get(name) for row in rows for name in WRONG))


def record(what: str, rows: list[Row], names: Sequence[str]) -> None:
    """The results, and the section of the README made of them."""
    names = ANALYSES if what == "seeds" else names
    write_json({"rows": rows, "stages": list(names)}, RESULTS / f"trust_{what}.json")
    cells = [list(rows[0]), ["---"] * len(rows[0]), *([str(cell) for cell in row.values()] for row in rows)]
    table = "\n".join(f"| {' | '.join(line)} |" for line in cells)
    total = sum(int(str(row.get("kills", 0))) for row in rows)
    about = {"stages": ", ".join(names), "total": total, "three": ", ".join(THREE)}
    text = SECTIONS[what].format(**about, table=table, errors=ERRORS, seed=from_params("simulation").seed)
    put_section(what, "benchmarks/trust.py", text, README)


if __name__ == "__main__":
    sys.exit(main())
