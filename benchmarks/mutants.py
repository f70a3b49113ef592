"""Whether the tests see a fault: mutants by topic, each one small change of code, and how many a test kills.

`python -m benchmarks.mutants` takes `--count` places of a topic's code at random, changes one at a time in a
clone (an operator, a comparison, a number, a condition, a mean for a median), and runs the tests of the topic
until one fails, those that import the changed module first. Killed: a test fails, or runs 5 times as long as
all of them do. Writes benchmarks/results/mutants.json and its section of benchmarks/README.md; REASONS says
why no test fails of survivors that were looked at.
"""

import argparse
import ast
import copy
import json
import multiprocessing
import os
import random
import re
import sys
import time
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from benchmarks.logs_report import put_section
from benchmarks.trust import README, RESULTS, Row, copy_of_here, say
from pipeline.core.files import write_json, write_text

# Code and tests of a topic. Contracts, settings and drawings are declarations: other tests hold those.
TOPICS = {
    "models": (
        ["servers/model", "water/model", "energy/model", "published/model", "lengths/model"],
        ["servers", "water", "lengths", "energy", "published"],
    ),
    "draws": (
        ["core/draws.py", "core/nested.py", "core/summaries.py",
         "published/model/draws.py", "energy/model/samples.py"],
        ["core", "published", "energy"],
    ),
    "logs": (["logs"], ["logs"]),
    "serving": (["serving/model", "deployment/model"], ["serving", "deployment"]),
}  # fmt: skip
DECLARED = ("contract.py", "settings.py", "__init__.py", "inputs.py")
SWAPPED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip
RENAMED = {
    "min": "max", "max": "min", "mean": "median", "median": "mean", "sum": "mean", "any": "all", "all": "any",
    "minimum": "maximum", "maximum": "minimum", "cumsum": "cumprod", "log": "log1p", "exp": "expm1",
}  # fmt: skip
REASONS = {  # by file and change: lines move
    "energy/model/samples.py `reallocates <": "same: a continuous draw is never equal to its median",
    "published/model/draws.py `True`": "same: both sides have the same length; strict only guards that",
    "energy/model/samples.py `1` -> `2`": "missed; since then there is a test by hand",
    "serving/model/fitting.py `5` -> `6`": "same: how fast steps grow again, not where they end",
    "serving/model/comparison.py `100.0` -> `125.0`": "same: what it is proportional to is divided out again",
    "serving/model/predictive.py `False` -> `True`": "same: numbers of combinations in another order",
    "deployment/model/servers.py `1` -> `2`": "same: the first of two replicates is that of one",
    "deployment/model/answer.py `-len(rows)`": "same: parts only bound the memory",
    "logs/queries.py `rank <= table.up_to - 1`": "same: both branches are the greatest there",
    "logs/explained.py `left < LASTS": "same: a continuous value is never at the limit",
    "logs/judge.py `_.served > BUSY": "same: a continuous value is never at the limit",
    "logs/explained.py `1` -> `2`": "of the coarsest scale one of its means is over two bins: within noise",
    "logs/shifts.py `0` -> `1`": "same but for the first of all shifts, by one second of load",
    "logs/places.py `span_s >= LEAST_SPAN_S`": "same: a continuous value is never at the limit",
    "logs/queries.py `0.5` -> `0.625`": "within a millionth of a request: how its share is rounded",
    "logs/windows.py `0.0` -> `0.25`": "same: no request spans a window that no request is served in",
}
IMPORTED = ("pytest", "hypothesis", "pandas", "pandera.pandas", "pyarrow.parquet", "scipy.stats",
            "scipy.optimize", "scipy.interpolate", "statsmodels.api", "ruamel.yaml", "pydantic", "ibis",
            "duckdb", "matplotlib.pyplot", "seaborn", "pybtex.database", "SALib")  # fmt: skip
PATIENCE = 5.0  # times what all tests of a topic take
SECTION = """## Mutants

`python -m benchmarks.mutants`: {count} places a topic, one small change each, and the tests of the topic
(quick ones alone) until one fails. {killed} of {total} killed, {share:.0%}.

{table}

Survivors, and why no test fails:

{survivors}
"""


class Mutant(NamedTuple):
    """One change of one module."""

    path: Path
    line: int
    before: str
    after: str
    text: str  # of the module with the change

    @property
    def name(self) -> str:
        """`file:line before -> after`."""
        return f"{self.path}:{self.line} `{self.before}` -> `{self.after}`"


def changed(node: ast.AST) -> ast.AST | None:
    """A copy of the node with the smallest change of its kind; None: nothing to change."""
    new = copy.deepcopy(node)
    match new:
        case ast.BinOp(right=ast.Constant(value=str())):  # of a path
            return None
        case ast.BinOp(op=op) | ast.BoolOp(op=op) if type(op) in SWAPPED:
            new.op = SWAPPED[type(op)]()  # type: ignore[assignment]
        case ast.Compare(ops=[op]) if type(op) in SWAPPED:
            new.ops = [SWAPPED[type(op)]()]  # type: ignore[list-item]
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            return new.operand
        case ast.Constant(value=bool() as value):
            new.value = not value
        case ast.Constant(value=int() | float() as value):
            new.value = value + 1 if isinstance(value, int) else value * 1.25 or 0.25
        case ast.Call(func=ast.Attribute(attr=name) as called) if name in RENAMED:
            called.attr = RENAMED[name]
        case ast.Call(func=ast.Name(id=name) as called) if name in RENAMED:
            called.id = RENAMED[name]
        case ast.IfExp():
            new.body, new.orelse = new.orelse, new.body
        case _:
            return None
    return new


def places(tree: ast.AST) -> Iterator[tuple[ast.AST, str, int | None]]:
    """Parent, field and place in it of every node that can be changed; annotations and texts are not code.

    Nor is `strict`, which guards lengths that are equal.
    """
    for parent in ast.walk(tree):
        text = isinstance(parent, ast.JoinedStr | ast.FormattedValue)
        if text or (isinstance(parent, ast.keyword) and parent.arg == "strict"):
            continue
        for field, value in ast.iter_fields(parent):
            if field in ("annotation", "returns", "decorator_list", "format_spec"):
                continue
            for at, node in enumerate(value) if isinstance(value, list) else [(None, value)]:
                if isinstance(node, ast.expr) and changed(node) is not None:
                    yield parent, field, at


def mutant(path: Path, number: int) -> Mutant:
    """The change of a module at one of its places, in the order of the walk."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    parent, field, at = list(places(tree))[number]
    value = getattr(parent, field)
    node = value if at is None else value[at]
    new = ast.copy_location(changed(node), node)  # type: ignore[type-var]
    words = (ast.unparse(node), ast.unparse(new))
    if at is None:
        setattr(parent, field, new)
    else:
        value[at] = new
    return Mutant(path, node.lineno, *words, ast.unparse(ast.fix_missing_locations(tree)))


def chosen(topic: str, count: int, chance: random.Random) -> list[Mutant]:
    """`count` changes of a topic, every place as likely as another."""
    tops = [Path("pipeline", name) for name in TOPICS[topic][0]]
    files = [file for top in tops for file in ([top] if top.is_file() else sorted(top.rglob("*.py")))]
    every = [
        (file, number)
        for file in files
        if file.name not in DECLARED
        for number in range(len(list(places(ast.parse(file.read_text(encoding="utf-8"))))))
    ]
    return [mutant(*place) for place in chance.sample(every, count)]


def tests_of(topic: str, path: Path) -> list[str]:
    """Test files of a topic, those first that import the module, in or out of its package."""
    files = [file for name in TOPICS[topic][1] for file in sorted(Path("tests", name).glob("test_*.py"))]
    package, module = ".".join(path.parent.parts), path.stem
    needles = (f"{package}.{module} import", f"from {package} import {module}")
    return [str(file) for file in sorted(files, key=lambda file: not any(
        needle in file.read_text(encoding="utf-8") for needle in needles))]  # fmt: skip


def passes(folder: Path, tests: Sequence[str], within_s: float | None = None) -> bool:
    """Whether no test fails in the folder; one that does not end in time fails.

    In a process that starts with the packages of others imported, which takes longer than most tests.
    """
    for name in IMPORTED:
        import_module(name)
    child = multiprocessing.get_context("fork").Process(target=_pytest, args=(folder, tests))
    child.start()
    child.join(within_s)
    if child.exitcode is None:
        child.kill()
        child.join()
        return False
    if child.exitcode not in (0, 1, 2):  # 2: a module that cannot be imported
        raise RuntimeError((folder.parent / "log").read_text(encoding="utf-8")[-500:])
    return child.exitcode == 0


def _pytest(folder: Path, tests: Sequence[str]) -> None:
    """Run tests of a folder in this process, as if it had been started there."""
    with (folder.parent / "log").open("wb") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    os.chdir(folder)
    sys.path[0] = str(folder)
    for name in [name for name in sys.modules if name.split(".")[0] in ("pipeline", "benchmarks", "tests")]:
        del sys.modules[name]
    given = ["-x", "-q", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
    sys.exit(int(import_module("pytest").main([*given, "-m", "not slow", *tests])))


def survivors(folder: Path, topic: str, tried: Sequence[Mutant]) -> list[Mutant]:
    """Those that the tests of a topic pass with."""
    start = time.monotonic()
    if not passes(folder, tests_of(topic, Path("pipeline/none.py"))):
        log = (folder.parent / "log").read_text(encoding="utf-8")
        raise RuntimeError(f"tests of {topic} fail without a change: {log[-2000:]}")
    longest, found = PATIENCE * (time.monotonic() - start), []
    for number, mutant in enumerate(tried, start=1):
        file = folder / mutant.path
        whole = file.read_text(encoding="utf-8")
        write_text(mutant.text, file)
        for old in file.parent.glob(f"__pycache__/{file.stem}.*"):
            old.unlink()  # Python tells versions of a file apart by whole seconds
        if passes(folder, tests_of(topic, mutant.path), longest):
            found.append(mutant)
            print(f"{topic} {number}: survives {mutant.name}", flush=True)
        write_text(whole, file)
        for old in file.parent.glob(f"__pycache__/{file.stem}.*"):
            old.unlink()
    return found


def main() -> int:
    """Try, write, print; topics that are not asked for keep what was recorded of them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("topics", nargs="*", choices=[*TOPICS, []], default=list(TOPICS))
    parser.add_argument("--count", type=int, default=30, help="mutants a topic")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    record = RESULTS / "mutants.json"
    for topic in given.topics:
        tried = chosen(topic, given.count, random.Random(f"{topic} {given.seed}"))
        with copy_of_here() as folder:
            alive = survivors(folder, topic, tried)
        row: Row = {"topic": topic, "mutants": len(tried), "killed": len(tried) - len(alive)}
        rows: list[Row] = json.loads(record.read_text("utf-8"))["rows"] if record.exists() else []
        rows = [old for old in rows if old["topic"] != topic]
        rows.append({**row, "seed": given.seed, "survivors": [one.name for one in alive]})
        say([row])
        write_json({"rows": sorted(rows, key=lambda one: list(TOPICS).index(str(one["topic"])))}, record)
        put_section(
            "mutants", "benchmarks/mutants.py", report(json.loads(record.read_text())["rows"]), README
        )
    return 0


def report(rows: list[dict]) -> str:
    """The section of benchmarks/README.md."""
    total, killed = (sum(row[name] for row in rows) for name in ("mutants", "killed"))
    lines = [f"| {row['topic']} | {row['mutants']} | {row['killed']} |" for row in rows]
    alive = [f"- {name}: {reason(name)}" for row in rows for name in row["survivors"]]
    return SECTION.format(
        count=max(row["mutants"] for row in rows), killed=killed, total=total, share=killed / total,
        table="\n".join(["| topic | mutants | killed |", "|---|---:|---:|", *lines]),
        survivors="\n".join(alive) or "none",
    )  # fmt: skip


def reason(name: str) -> str:
    """Why no test fails with a survivor."""
    change = re.sub(r"^pipeline/(\S+):\d+", r"\1", name)
    return next((why for start, why in REASONS.items() if change.startswith(start)), "not looked into")


if __name__ == "__main__":
    sys.exit(main())
