"""dvc.yaml against the code: a stage depends on every module that it imports, and on none that it may not."""

import re
import subprocess
import sys
from pathlib import Path

import grimp
import pytest
from ruamel.yaml import YAML

from pipeline.core.catalogue import everything, path_of
from pipeline.core.settings import LAID_OUT, SECTIONS
from pipeline.reproduce import stages

STAGES = stages()
FITS = (
    "fit_serving",
    "published",
    "lengths",
    "servers",
    "energy",
    "water",
    "levers",
    "fleet",
    "factors",
)


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("pipeline")


def deps(name: str) -> set[Path]:
    return {Path(dep) for dep in STAGES[name]["deps"]}


def file_of(module: str) -> Path:
    path = Path(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_depends_on_every_module_that_it_imports(graph: grimp.ImportGraph, name: str) -> None:
    module = STAGES[name]["cmd"].split()[-1]
    imported = {file_of(found) for found in {module, *graph.find_upstream_modules(module)}}
    missing = {
        path for path in imported if path.name != "__init__.py" and not deps(name) & {path, *path.parents}
    }
    assert not missing, "dvc.yaml lacks them"


@pytest.mark.parametrize("name", FITS)
def test_what_is_computed_depends_on_no_figure_table_or_claim(name: str) -> None:
    parts = {part for path in deps(name) for part in path.with_suffix("").parts}
    assert not parts & {"figures", "tables", "numbers", "claims", "report", "present"}


@pytest.mark.parametrize("name", ["claims", "site"])
def test_what_reads_recipes_depends_on_those_of_every_topic(name: str) -> None:
    topics = {folder.parent for folder in Path("pipeline").glob("*/model")}
    declared = {path for topic in topics if (path := topic / "claims.py").exists()}
    assert not [path for path in declared if not deps(name) & {path, *path.parents}]


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_does_not_depend_on_what_it_writes(name: str) -> None:
    written = {
        Path(next(iter(out)) if isinstance(out, dict) else out) for out in STAGES[name].get("outs", [])
    }
    assert not [path for path in deps(name) if written & {path, *path.parents}]


def test_every_section_is_laid_out_and_declared_as_parameters() -> None:
    stage = STAGES["assumptions"]
    assert stage["outs"] == [str(LAID_OUT)]
    assert stage["params"] == [{"params.yaml": list(SECTIONS)}]


def test_tables_name_the_stage_that_writes_them() -> None:
    written = {
        Path(next(iter(out)) if isinstance(out, dict) else out): name
        for name, stage in STAGES.items()
        for out in stage.get("outs", [])
    }
    for name, table in everything().items():
        path = path_of(name)
        found = next((written[place] for place in (path, *path.parents) if place in written), "")
        assert found == table.writer, name


def test_dvc_yaml_reads_as_contents() -> None:
    assert len(STAGES) <= 30
    assert len(Path("dvc.yaml").read_text().splitlines()) <= 600


def test_the_lock_has_every_stage() -> None:
    locked = {
        name
        for path in ("dvc.lock", "data/assumptions/dvc.lock")
        for name in YAML(typ="safe").load(Path(path))["stages"]
    }
    assert locked >= {name for name, stage in STAGES.items() if stage.get("outs") or stage.get("metrics")}


def shown(*command: str) -> str:
    dvc = [sys.executable, "-m", "dvc", *command]
    return subprocess.run(dvc, capture_output=True, text=True, check=True).stdout


def test_metrics_fit_a_terminal() -> None:
    lines = shown("metrics", "show").splitlines()
    assert len(lines) > 1
    assert max(map(len, lines)) <= 80


def test_plots_are_pictures_as_wide_as_the_screen_without_a_network(tmp_path: Path) -> None:
    shown("plots", "show", "-o", str(tmp_path))
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    plots = YAML(typ="safe").load(Path("dvc.yaml"))["plots"]
    assert page.count("<img ") == len(plots)
    assert not re.search(r"<script|<link|https?:|url\(", page)
    assert re.search(r"img \{ width: 100%", page)
