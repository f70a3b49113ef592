"""requirements.in, both ways: what is declared is imported or run, what is imported is declared."""

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from benchmarks.advisories import LOCKS, faults, pins

# What runs a requirement that nothing imports: a file, and the words in it.
RUN = {
    "uv": ("Makefile", "uv pip sync"),
    "pytest-xdist": ("Makefile", "pytest -n 2 --dist"),
    "ruff": ("Makefile", "ruff check"),
    "mypy": ("Makefile", "mypy"),
    "pandas-stubs": ("pyproject.toml", "[tool.mypy]"),
    "import-linter": ("Makefile", "lint-imports"),
    "jupyterlab": (".github/GUIDE.md", "`jupyter lab`"),
    "ipykernel": ("pipeline/present/notebook.py", '"name": "python3"'),
    "tabulate": ("pipeline/report/formats.py", ".to_markdown("),
    "setuptools": ("pipeline/factors/perquery/pyproject.in", "setuptools.build_meta"),
}
FOLDERS = ("pipeline", "tests", "notebooks", "benchmarks")
OWN = {"pipeline", "tests", "benchmarks", "review"}
REQUIREMENT = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)")


def normal(name: str) -> str:
    """A package as indexes write it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def declared() -> list[str]:
    files = (Path("requirements.in"), Path("requirements-spark.in"))
    lines = [line for path in files for line in path.read_text(encoding="utf-8").splitlines()]
    return [normal(match[1]) for line in lines if (match := REQUIREMENT.match(line))]


def imported() -> dict[str, str]:
    """The package of every import, and a file that has it."""
    found = {}
    packages = packages_distributions()
    for path in (path for folder in FOLDERS for path in sorted(Path(folder).rglob("*.py"))):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [str(node.module)]
            for top in {name.split(".")[0] for name in names} - OWN - sys.stdlib_module_names:
                for package in packages.get(top, [top]):
                    found[normal(package)] = f"{path}: {top}"
    return found


IMPORTED = imported()


@pytest.mark.parametrize("name", declared())
def test_what_is_declared_is_imported_or_run(name: str) -> None:
    if name in IMPORTED:
        assert name not in RUN, "imported: no command is needed to show that it is used"
        return
    file, words = RUN[name]
    assert words in Path(file).read_text(encoding="utf-8")


def test_what_is_imported_is_declared() -> None:
    halves = {"ruamel-yaml-clib"}  # comes with ruamel-yaml, under one name
    undeclared = {name: where for name, where in IMPORTED.items() if name not in {*declared(), *halves}}
    assert undeclared == {}


def test_each_requirement_stands_once_with_a_reason() -> None:
    lines = Path("requirements.in").read_text(encoding="utf-8").splitlines()
    required = [line for line in lines if line and not line.startswith("#")]
    names = [match[1] for line in required if (match := REQUIREMENT.match(line))]
    assert [line for line in required if not re.search(r" # \w", line)] == []
    assert len(set(names)) == len(required)


def test_a_version_with_a_known_fault_is_found() -> None:
    known = {"id": "GHSA-1", "cve": "CVE-1", "severity": "HIGH", "advisory": "Faulty", "v": ">=1.2,<1.4"}
    database = {"one": [known], "other": [known]}
    found = [
        row["package"]
        for row in faults(database, [("one", "1.3.2"), ("one", "1.1"), ("other", "1.4"), ("third", "1.3")])
    ]
    assert found == ["one 1.3.2"]


@pytest.mark.parametrize("lock", LOCKS, ids=str)
def test_every_line_of_a_lock_is_a_pinned_package(lock: Path) -> None:
    lines = [line for line in lock.read_text(encoding="utf-8").splitlines() if re.match(r"\w", line)]
    assert len(pins(lock)) == len(lines) > 0
