"""Tables and numbers of levers: every row is shown, and keys name what they say."""

import numpy as np
import pandas as pd
import pytest

from pipeline.levers import paper
from pipeline.levers.model.contract import BASELINE
from pipeline.levers.paper import as_in_production, share_for
from pipeline.report.declared import read
from tests.report.shown import numbers, tables

RESULTS = {name: read(f"lever_{name}") for name in ("systems", "hardware", "scale", "combinations", "needed")}
EVIDENCE = read("levers")
TABLES = tables(paper)
NUMBERS = numbers(paper)


def test_every_row_of_the_results_is_shown() -> None:
    for name in ("systems", "hardware", "scale"):
        assert len(TABLES[f"lever_{name}"]) == len(RESULTS[name])
    steps = RESULTS["combinations"]
    assert len(TABLES["lever_combinations"]) == (steps["group"] != BASELINE).sum()


def test_every_published_row_is_shown_with_its_regime_value_grade_and_source() -> None:
    shown = TABLES["lever_evidence"]
    assert len(shown) == len(EVIDENCE)
    assert (shown[["Queries", "Value", "Unit", "Grade", "Source"]] != "–").all().all()


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ((1.9, 0.63, 2.51), "1.9 (0.63–2.51)"),
        ((np.nan, 1.28, 1.52), "1.28–1.52"),
        ((1.45, np.nan, 1.45), "up to 1.45"),
        ((np.nan, np.nan, 5.0), "up to 5"),
        ((1.5, np.nan, np.nan), "1.5"),
    ],
)
def test_a_published_value_is_shown_as_it_was_given(given, text) -> None:
    row = EVIDENCE.iloc[:1].assign(**dict(zip(("value", "low", "high"), given, strict=True)))
    shown = tables(paper, levers=row)["lever_evidence"]
    assert shown["Value"].tolist() == [text]


def test_a_published_value_without_a_range_stands_alone() -> None:
    row = RESULTS["systems"].iloc[:1].assign(p5=np.nan, p25=np.nan, p50=1.4, p75=np.nan, p95=np.nan)
    shown = tables(paper, lever_systems=row)["lever_systems"]
    assert shown["Times less"].tolist() == ["1.4"]


def test_a_system_has_the_number_of_its_row_in_production() -> None:
    systems = RESULTS["systems"]
    row = as_in_production(systems).query("system == 'Phi-4' and regime == 'short'").iloc[0]
    assert NUMBERS["lever.phi-4.as-in-production.short.p50"] == row["p50"]
    four = systems[systems["compared"].str.startswith("Maia 200 in fp4") & (systems["regime"] == "short")]
    assert NUMBERS["lever-in-fp4.maia-200.short.p50"] == four["p50"].iloc[0]
    assert sum(NUMBERS.get(f"lever.count.grade.{g}", 0) for g in "abcd") == len(systems)


def test_ends_of_a_curve_are_one_user_and_the_most() -> None:
    scale: pd.DataFrame = RESULTS["scale"]
    rows = scale[scale["configuration"].str.startswith("Llama 3.1 405B") & (scale["lengths"] == "short")]
    rows = rows.sort_values("users")
    for end, at in (("one", 0), ("many", -1)):
        assert NUMBERS[f"lever-scale.llama-3.1-405b.short.{end}.users"] == rows["users"].iloc[at]
        value = rows["j_per_output_token_p50"].iloc[at]
        assert NUMBERS[f"lever-scale.llama-3.1-405b.short.{end}.p50"] == value


def test_the_share_that_a_gain_takes_lies_between_the_rows_that_enclose_it() -> None:
    rows = RESULTS["needed"][
        (RESULTS["needed"]["regime"] == "short") & (RESULTS["needed"]["levers"] == "everything")
    ]
    share = NUMBERS["lever-needed.short.everything.share_for_8"]
    below = rows.loc[rows["gain_p50"] <= 8, "routed_share"].max() if rows["gain_p50"].min() <= 8 else 0.0
    above = rows.loc[rows["gain_p50"] >= 8, "routed_share"].min()
    assert below <= share <= above
    assert share_for(RESULTS["needed"], "short", "nothing else", 1e9) == 1
