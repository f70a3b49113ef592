"""The numbers of the README are those of the results."""

from pathlib import Path

import pandas as pd
import pytest

from pipeline.present.axes import interval

README = Path("README.md").read_text(encoding="utf-8")
RESULTS = Path("data/results")


def row(table: str, **values: str) -> pd.Series:
    found = pd.read_csv(RESULTS / f"{table}.csv")
    for name, value in values.items():
        found = found[found[name] == value]
    assert len(found) == 1
    return found.iloc[0]


@pytest.mark.parametrize(("name", "regime"), [("a chat query", "short"), ("a reasoning query", "long")])
def test_the_energy_of_a_query(name: str, regime: str) -> None:
    blend = {"regime": regime, "subject": "blend", "boundary": "facility"}
    published = row("energy_per_query", variant="v2", **blend)
    ours = row("re_estimated", variant="production_lengths", **blend)
    cells = (
        interval(*published[["p50_wh", "p25_wh", "p75_wh"]]),
        interval(*ours[["median_p50_wh", "median_p5_wh", "median_p95_wh"]]),
    )
    assert f"| {name}, Wh | {cells[0]} | {cells[1]} |" in README


@pytest.mark.parametrize(
    ("name", "published", "scope"),
    [
        ("water on site of a chat query, mL", "0–0.067, not derived", "onsite"),
        ("with the water of its electricity, mL", "not given", "total"),
    ],
)
def test_the_water_of_a_query(name: str, published: str, scope: str) -> None:
    ours = row(
        "water_split", variant="production_lengths", regime="short", subject="blend",
        site_scenario="microsoft_today", basis="consumption", scope=scope,
    )  # fmt: skip
    cell = interval(*ours[["median_p50_ml", "median_p5_ml", "median_p95_ml"]])
    assert f"| {name} | {published} | {cell} |" in README
