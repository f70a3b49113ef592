"""Each headline again by a short script that shares nothing with pipeline/ but tables and priors."""

import ast
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.energy import independent

HEADLINE = pd.read_csv("data/results/headline.csv")
MIDDLE, ENDS = 0.15, 0.35  # how far P50, and P5 and P95, may be


@pytest.mark.parametrize("regime", ["short", "long"])
@pytest.mark.parametrize("name", independent.ALIKE)
def test_a_headline_comes_out_again(name: str, regime: str) -> None:
    wanted = {
        "model_class": name, "regime": regime, "lengths": "production",
        "statistic": "median query of a service",
    }  # fmt: skip
    rows = HEADLINE[(HEADLINE[[*wanted]] == pd.Series(wanted)).all(axis=1)]
    assert len(rows) == 1
    found = np.percentile(independent.service(name, regime), [5, 50, 95])
    ratio = found / rows[["p5_wh", "p50_wh", "p95_wh"]].to_numpy()[0]
    assert abs(ratio[1] - 1) <= MIDDLE, f"P50 {ratio[1]:.2f} times ours"
    assert np.all(abs(ratio[[0, 2]] - 1) <= ENDS), f"P5 and P95 {ratio[[0, 2]].round(2)} times ours"


def test_it_covers_every_class() -> None:
    assert set(independent.classes()) == set(independent.ALIKE)


def test_the_script_imports_nothing_of_the_pipeline() -> None:
    tree = ast.parse(Path(independent.__file__).read_text(encoding="utf-8"))
    imported = {
        alias.name if isinstance(node, ast.Import) else str(node.module)
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert {name.split(".")[0] for name in imported} <= {
        "csv",
        "re",
        "itertools",
        "pathlib",
        "collections",
        "numpy",
    }
