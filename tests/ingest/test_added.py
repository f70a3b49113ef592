"""The source of CONTRIBUTING.md, added in a temporary clone: the fit takes it in, and what follows runs."""

from pathlib import Path

import pandas as pd
import pytest

from pipeline.core.catalogue import path_of
from pipeline.reproduce import stages
from tests.contributing import clone, example, stage

JOINED = path_of("serving_measurements")
MODEL = Path("data/results/serving_model")
APART = {"published", "lengths"}  # rest on no measured serving

pytestmark = pytest.mark.slow


def contents(folder: Path, below: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / below).iterdir()) if path.is_file()}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, bytes], dict[str, bytes]]:
    """The clone with the source; what was fitted and which tables were checked without it."""
    folder = clone(tmp_path_factory.mktemp("clone"))
    stage(folder, "assumptions", "inputs", "fit_serving")
    before = contents(folder, MODEL), contents(folder, Path("build/published"))
    rows, about, citation = example("A source")
    (folder / "data/telemetry/serving/mylab.csv").write_text(rows, encoding="utf-8")
    for path, block in (("data/telemetry/sources.csv", about), ("paper/references.bib", citation)):
        with (folder / path).open("a", encoding="utf-8") as file:
            file.write(block)
    stage(folder, "inputs", "fit_serving", "validation")
    return folder, *before


def test_the_fit_changes_with_an_added_source(found) -> None:
    folder, fitted, _ = found
    assert contents(folder, MODEL) != fitted
    counts = pd.read_csv(folder / path_of("results/sources")).set_index("source").loc["mylab"]
    assert counts[["rows", "fitted", "scored", "set_aside"]].tolist() == [3, 3, 0, 0]


def test_only_what_rests_on_measurements_of_serving_follows(found) -> None:
    folder, _, checked = found
    assert contents(folder, Path("build/published")) == checked
    assert not (folder / "build/telemetry/raw").exists()
    changed = {str(JOINED), "data/telemetry/sources.csv"}
    following: set[str] = set()
    for _ in stages():
        for name, one in stages().items():
            if any(dep == out or out.startswith(f"{dep}/") for dep in one["deps"] for out in changed):
                following.add(name)
                changed |= {next(iter(out)) if isinstance(out, dict) else out for out in one.get("outs", [])}
    assert "fit_serving" in following
    assert not APART & following
