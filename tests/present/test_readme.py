"""The numbers of the README are those of the results."""

from pathlib import Path

import pandas as pd
import pytest

from pipeline.report.formats import interval

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
    ours = [row("re_estimated", variant=f"{one}_lengths", **blend) for one in ("published", "production")]
    cells = [interval(*published[["p50_wh", "p25_wh", "p75_wh"]])]
    cells += [interval(*one[["median_p50_wh", "median_p5_wh", "median_p95_wh"]]) for one in ours]
    assert f"| {name}, Wh | {' | '.join(cells)} |" in README


@pytest.mark.parametrize(
    ("name", "regime"),
    [("a chat query to one large mixture-of-experts model", "short"), ("a reasoning query to one", "long")],
)
def test_the_energy_of_a_service(name: str, regime: str) -> None:
    one = {"regime": regime, "subject": "large mixture-of-experts", "boundary": "facility"}
    ours = [row("re_estimated", variant=f"{which}_lengths", **one) for which in ("published", "production")]
    cells = [interval(*found[["median_p50_wh", "median_p5_wh", "median_p95_wh"]]) for found in ours]
    assert f"| {name}, Wh | | {' | '.join(cells)} |" in README


def test_the_energy_of_an_agent() -> None:
    one = {"variant": "production_lengths", "subject": "large mixture-of-experts", "boundary": "facility"}
    found = [row("re_estimated", regime=f"agent {call}", **one) for call in ("step", "task")]
    cells = [interval(*each[["median_p50_wh", "median_p5_wh", "median_p95_wh"]]) for each in found]
    assert f"| a step and a task of an agent on one, Wh | not given | | {', '.join(cells)} |" in README


@pytest.mark.parametrize(
    ("name", "published", "scope"),
    [
        ("water on site of a chat query, mL", "0–0.067, not derived", "onsite"),
        ("with the water of its electricity, mL", "not given", "total"),
    ],
)
def test_the_water_of_a_query(name: str, published: str, scope: str) -> None:
    one = {"regime": "short", "subject": "blend", "site_scenario": "microsoft_today", "scope": scope}
    ours = [row("water_split", variant=f"{which}_lengths", **one) for which in ("published", "production")]
    cells = [interval(*found[["median_p50_ml", "median_p5_ml", "median_p95_ml"]]) for found in ours]
    assert f"| {name} | {published} | {' | '.join(cells)} |" in README


def test_the_change_log_has_the_headline_of_today() -> None:
    log = " ".join(Path(".github/CHANGELOG.md").read_text(encoding="utf-8").split())
    since = log[log.index("## Since 0.1.0") :]
    table = pd.read_csv("data/results/headline.csv")
    usual = (table["lengths"] == "production") & (table["statistic"] == "median query of a service")
    classes = table["model_class"].isin(["large mixture-of-experts", "large dense", "mid", "small"])
    rows = table[usual & classes & table["regime"].isin(["short", "long"])]
    assert len(rows) == 8
    for row in rows.to_dict("records"):
        p5, p50, p95 = (f"{row[name]:#.2g}".rstrip(".") for name in ("p5_wh", "p50_wh", "p95_wh"))
        assert f"{p50} ({p5}-{p95})" in since, f"{row['model_class']}, {row['regime']}"
