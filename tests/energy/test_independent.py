"""Each headline again by a short script that shares nothing with pipeline/ but tables and priors."""

import ast
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.energy import independent

HEADLINE, WATER = (pd.read_csv(f"data/results/{name}.csv") for name in ("headline", "water_split"))
MIDDLE, ENDS = 0.15, 0.35  # how far P50, and P5 and P95, may be
SUBJECTS = (*independent.ALIKE, independent.BLEND)
EACH = pytest.mark.parametrize(("name", "regime"), list(product(SUBJECTS, independent.REGIMES)))


def near(drawn: np.ndarray, rows: pd.DataFrame, columns: list[str], errors: Sequence[str] = ()) -> None:
    """Within the bounds; errors: columns of Monte Carlo errors of ours, twice of which may come on top."""
    assert len(rows) == 1
    ours = rows[columns].to_numpy(float)[0]
    noise = 2 * rows[[*errors]].to_numpy(float)[0] / ours if errors else np.zeros(3)
    ratio = np.percentile(drawn, [5, 50, 95]) / ours
    assert np.all(abs(ratio - 1) <= np.array([ENDS, MIDDLE, ENDS]) + noise), f"{ratio.round(2)} times ours"


@EACH
def test_a_headline_comes_out_again(name: str, regime: str) -> None:
    of = "the blend" if name == independent.BLEND else "a service"
    wanted = {
        "model_class": name, "regime": regime, "lengths": "production", "statistic": f"median query of {of}",
    }  # fmt: skip
    rows = HEADLINE[(HEADLINE[[*wanted]] == pd.Series(wanted)).all(axis=1)]
    near(independent.service(name, regime), rows, ["p5_wh", "p50_wh", "p95_wh"])


@EACH
def test_its_water_comes_out_again(name: str, regime: str) -> None:
    subject = "blend" if name == independent.BLEND else name
    for scope, drawn in zip(("onsite", "total"), independent.water(name, regime), strict=True):
        wanted = {
            "variant": "production_lengths", "regime": regime, "subject": subject,
            "site_scenario": "microsoft_today", "scope": scope,
        }  # fmt: skip
        rows = WATER[(WATER[[*wanted]] == pd.Series(wanted)).all(axis=1)]
        columns = [f"median_{p}_ml" for p in ("p5", "p50", "p95")]
        near(drawn, rows, columns, [f"mc_error_{column}" for column in columns])


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
        "functools",
        "itertools",
        "pathlib",
        "collections",
        "numpy",
    }
