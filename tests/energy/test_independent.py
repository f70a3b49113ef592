"""Each headline again by a short script that shares nothing with pipeline/ but tables and priors."""

import ast
from itertools import product
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from tests.energy import independent, independent_fit

HEADLINE, WATER = (pd.read_csv(f"data/results/{name}.csv") for name in ("headline", "water_split"))
WH, ML = (["p5_wh", "p50_wh", "p95_wh"], [f"median_{p}_ml" for p in ("p5", "p50", "p95")])
MIDDLE, ENDS = 0.15, 0.35  # how far P50, and P5 and P95, may be
SUBJECTS = (*independent.ALIKE, independent.BLEND)
EACH = pytest.mark.parametrize(("name", "regime"), list(product(SUBJECTS, independent.REGIMES)))
# Where the bounds do not hold as they stand: what comes on top for P50, and for P5 and P95.
ONE_LABORATORY = (
    "the class has rows of TensorRT-LLM of one model alone, or of two, of one or two laboratories"
)
BEYOND_STATED = {
    ("large mixture-of-experts", "short"): (0.08, 0.0, ONE_LABORATORY),
    ("large mixture-of-experts", "agent step"): (0.12, 0.0, ONE_LABORATORY),
    ("large mixture-of-experts", "agent task"): (0.07, 0.0, ONE_LABORATORY),
    ("mid", "agent step"): (0.04, 0.05, ONE_LABORATORY),
    ("small", "short"): (0.30, 0.15, ONE_LABORATORY),
    (independent.BLEND, "short"): (0.01, 0.0, "its P50 is 0.844 of ours, a hundredth beyond"),
}
BEYOND_WATER = {
    ("large dense", "long", "onsite"): (
        0.05, 0.02, "its energy is 1.13 times ours, and the Monte Carlo error of our median on site is 2 %",
    ),
}  # fmt: skip


def near(drawn: np.ndarray, rows: pd.DataFrame, columns: list[str], beyond: tuple = (0.0, 0.0, "")) -> None:
    """Within the bounds, and what is allowed beyond them."""
    assert len(rows) == 1
    ratio = np.percentile(drawn, [5, 50, 95]) / rows[columns].to_numpy(float)[0]
    middle, ends = MIDDLE + beyond[0], ENDS + beyond[1]
    assert np.all(abs(ratio - 1) <= [ends, middle, ends]), f"{ratio.round(2)} times ours"


def headline(name: str, regime: str) -> pd.DataFrame:
    of = "the blend" if name == independent.BLEND else "a service"
    wanted = {
        "model_class": name, "regime": regime, "lengths": "production", "statistic": f"median query of {of}",
    }  # fmt: skip
    return HEADLINE[(HEADLINE[[*wanted]] == pd.Series(wanted)).all(axis=1)]


@EACH
def test_a_headline_comes_out_again(name: str, regime: str) -> None:
    near(independent.service(name, regime), headline(name, regime), WH)


@EACH
def test_it_comes_out_from_rows_at_stated_loads(name: str, regime: str) -> None:
    """Of a form in which nothing was chosen, whose six misses are named."""
    drawn = independent.service(name, regime, "stated")
    near(drawn, headline(name, regime), WH, BEYOND_STATED.get((name, regime), (0.0, 0.0, "")))


@EACH
def test_its_water_comes_out_again(name: str, regime: str) -> None:
    subject = "blend" if name == independent.BLEND else name
    for scope, drawn in zip(("onsite", "total"), independent.water(name, regime), strict=True):
        wanted = {
            "variant": "production_lengths", "regime": regime, "subject": subject,
            "site_scenario": "microsoft_today", "scope": scope,
        }  # fmt: skip
        rows = WATER[(WATER[[*wanted]] == pd.Series(wanted)).all(axis=1)]
        near(drawn, rows, ML, BEYOND_WATER.get((name, regime, scope), (0.0, 0.0, "")))


def test_it_covers_every_class() -> None:
    assert set(independent.classes()) == set(independent.ALIKE)


@pytest.mark.parametrize("module", [independent, independent_fit])
def test_the_script_imports_nothing_of_the_pipeline(module: ModuleType) -> None:
    tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    imported = {
        alias.name if isinstance(node, ast.Import) else str(node.module)
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    own = {"csv", "re", "functools", "itertools", "pathlib", "collections.abc", "numpy"}
    assert imported <= own | {"tests.energy.independent_fit"}
