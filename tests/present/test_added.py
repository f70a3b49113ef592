"""The figure of CONTRIBUTING.md, added in a temporary clone: it is drawn, and no other file changes."""

import sys
from pathlib import Path

import pytest

from tests.contributing import clone, example, run

NAME, OTHER = "fig-w4-water-and-pue", "fig-w3-closed-loop"

pytestmark = pytest.mark.slow


def test_an_added_figure_is_drawn_and_no_other_file_changes(tmp_path: Path) -> None:
    folder = clone(tmp_path / "clone")
    (block,) = example("A figure")
    with (folder / "pipeline/water/figures.py").open("a", encoding="utf-8") as file:
        file.write(block)
    run(folder, sys.executable, "-m", "pipeline.figure", NAME, OTHER)
    changed = run(folder, "git", "status", "--porcelain").splitlines()
    new = [f"?? figures/{NAME}.{suffix}" for suffix in ("json", "pdf", "png", "svg")]
    assert changed == [" M pipeline/water/figures.py", *new]
