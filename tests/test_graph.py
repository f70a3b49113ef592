"""dvc.yaml against the code: what a stage imports and reads is what it declares."""

import ast
from pathlib import Path

import grimp
import pytest
from ruamel.yaml import YAML

from pipeline.present.figures.catalogue import ALL
from pipeline.present.release.figures import SHOWN
from pipeline.stages.check_assumptions import SECTIONS

PIPELINE = YAML(typ="safe").load(Path("dvc.yaml"))
STAGES = PIPELINE["stages"]
GRAPH = grimp.build_graph("pipeline")


def module_of(stage: dict) -> str:
    words = stage["cmd"].split()
    return words[words.index("-m") + 1]


def file_of(module: str) -> Path:
    path = Path(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def names(entries: list) -> list[str]:
    return [next(iter(entry)) if isinstance(entry, dict) else entry for entry in entries]


def used_modules(module: str) -> set[str]:
    used = {module, *GRAPH.find_upstream_modules(module)}
    parents = {name.rsplit(".", depth)[0] for name in used for depth in range(1, name.count(".") + 1)}
    return used | parents


def loaded_keys(module: str) -> set[str]:
    """The literal keys that the stage's entry point passes to the loader of params.yaml."""
    tree = ast.parse(file_of(module).read_text())
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    if not any((node.module or "").startswith("pipeline.assumptions") for node in imports):
        return set()
    calls = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "load"
    ]
    return {argument.value for call in calls for argument in call.args}


@pytest.mark.parametrize("name", STAGES)
def test_every_module_a_stage_uses_is_a_dependency(name: str) -> None:
    deps = [Path(dep) for dep in names(STAGES[name]["deps"])]
    assert Path("requirements.lock") in deps
    files = {file_of(module) for module in used_modules(module_of(STAGES[name]))}
    empty = {file for file in files if file.name == "__init__.py" and "import" not in file.read_text()}
    missing = {
        str(file) for file in files - empty if not any(file == dep or dep in file.parents for dep in deps)
    }
    assert not missing


@pytest.mark.parametrize("name", STAGES)
def test_no_dependency_on_code_that_is_not_used(name: str) -> None:
    used = {file_of(module) for module in used_modules(module_of(STAGES[name]))}
    inside = [Path(dep) for dep in names(STAGES[name]["deps"]) if dep.startswith("pipeline/")]
    code = [dep for dep in inside if dep.suffix == ".py" or any(dep.rglob("*.py"))]
    assert not [str(dep) for dep in code if not any(dep == file or dep in file.parents for file in used)]


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_depends_on_every_section_of_params_that_it_reads(name: str) -> None:
    files = [Path(dep) for dep in names(STAGES[name]["deps"])]
    declared = {file.stem for file in files if file.parent == SECTIONS}
    assert loaded_keys(module_of(STAGES[name])) == declared


def test_only_the_loader_reads_params() -> None:
    """No other module names the file."""
    constants = {
        str(path): [
            node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)
        ]
        for path in Path("pipeline").rglob("*.py")
    }
    readers = sorted(path for path, values in constants.items() if "params.yaml" in values)
    assert readers == ["pipeline/assumptions/load.py"]


def test_nothing_is_recorded_of_a_stage_that_is_gone() -> None:
    assert set(YAML(typ="safe").load(Path("dvc.lock"))["stages"]) <= set(STAGES)


def test_stages_stand_in_the_order_in_which_they_run() -> None:
    written: set[str] = set()
    every = {out for stage in STAGES.values() for out in _outs(stage)}
    for name, stage in STAGES.items():
        late = [dep for dep in names(stage["deps"]) if dep in every and dep not in written]
        assert not late, f"{name} stands before the stage that writes {late}"
        written |= set(_outs(stage))


def _outs(stage: dict) -> list[str]:
    return names([*stage.get("outs", []), *stage.get("metrics", []), *stage.get("plots", [])])


def test_what_dvc_plots_shows_is_there() -> None:
    written = [Path(out) for stage in STAGES.values() for out in _outs(stage)]
    for plot in PIPELINE["plots"]:
        axes = [] if isinstance(plot, str) else [plot[next(iter(plot))][axis] for axis in "xy"]
        shown = {path: column for axis in axes for path, column in axis.items()} or {plot: None}
        for path in map(Path, shown):
            assert path.exists() and any(path == out or out in path.parents for out in written), path
        for axis in axes:
            for path, column in axis.items():
                assert column in Path(path).read_text(encoding="utf-8").splitlines()[0].split(",")


def test_the_paper_depends_on_the_figures_and_shows_all_of_them() -> None:
    shown = {
        match["name"]
        for path in Path("paper/sections").glob("*.typ")
        for match in SHOWN.finditer(path.read_text(encoding="utf-8"))
    }
    assert shown == {entry.name for entry in ALL}
    assert "figures" in STAGES["typeset_paper"]["deps"]
