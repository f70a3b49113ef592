"""Tables and numbers of levers: every row is shown, and keys name what they say."""

import numpy as np
import pandas as pd
import pytest

from pipeline.assumptions import load
from pipeline.contracts import read_table
from pipeline.contracts.levers import (
    BASELINE,
    LEVER_COMBINATIONS,
    LEVER_HARDWARE,
    LEVER_NEEDED,
    LEVER_SCALE,
    LEVER_SYSTEMS,
)
from pipeline.present.lever_numbers import collect_lever_systems
from pipeline.present.lever_rows import as_in_production, share_for
from pipeline.present.lever_tables import lever_tables

CONTRACTS = {
    "lever_systems": LEVER_SYSTEMS,
    "lever_hardware": LEVER_HARDWARE,
    "lever_scale": LEVER_SCALE,
    "lever_combinations": LEVER_COMBINATIONS,
}
RESULTS = {name: read_table(f"data/results/{name}.csv", contract) for name, contract in CONTRACTS.items()}
EVIDENCE = pd.read_csv("data/published/levers.csv")
TABLES = {table.name: table.shown() for table in lever_tables(*RESULTS.values(), EVIDENCE)}
NEEDED = read_table("data/results/lever_needed.csv", LEVER_NEEDED)
NUMBERS = collect_lever_systems(
    RESULTS["lever_systems"], RESULTS["lever_scale"], NEEDED, load("assumptions.levers")
)


def test_every_row_of_the_results_is_shown() -> None:
    for name in ("lever_systems", "lever_hardware", "lever_scale"):
        assert len(TABLES[name]) == len(RESULTS[name])
    steps = RESULTS["lever_combinations"]
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
    shown = lever_tables(*RESULTS.values(), row)[-1].shown()
    assert shown["Value"].tolist() == [text]


def test_a_published_value_without_a_range_stands_alone() -> None:
    row = RESULTS["lever_systems"].iloc[:1].assign(p5=np.nan, p25=np.nan, p50=1.4, p75=np.nan, p95=np.nan)
    others = [RESULTS[name] for name in ("lever_hardware", "lever_scale", "lever_combinations")]
    shown = lever_tables(row, *others, EVIDENCE)[0].shown()
    assert shown["Times less"].tolist() == ["1.4"]


def test_a_system_has_the_number_of_its_row_in_production() -> None:
    systems = RESULTS["lever_systems"]
    row = as_in_production(systems).query("system == 'Phi-4' and regime == 'short'").iloc[0]
    assert NUMBERS["lever.phi-4.as-in-production.short.p50"] == row["p50"]
    four = systems[systems["compared"].str.startswith("Maia 200 in fp4") & (systems["regime"] == "short")]
    assert NUMBERS["lever-in-fp4.maia-200.short.p50"] == four["p50"].iloc[0]
    assert sum(NUMBERS.get(f"lever.count.grade.{g}", 0) for g in "abcd") == len(systems)


def test_ends_of_a_curve_are_one_user_and_the_most() -> None:
    scale: pd.DataFrame = RESULTS["lever_scale"]
    rows = scale[scale["configuration"].str.startswith("Llama 3.1 405B") & (scale["lengths"] == "short")]
    rows = rows.sort_values("users")
    for end, at in (("one", 0), ("many", -1)):
        assert NUMBERS[f"lever-scale.llama-3.1-405b.short.{end}.users"] == rows["users"].iloc[at]
        value = rows["j_per_output_token_p50"].iloc[at]
        assert NUMBERS[f"lever-scale.llama-3.1-405b.short.{end}.p50"] == value


def test_the_share_that_a_gain_takes_lies_between_the_rows_that_enclose_it() -> None:
    rows = NEEDED[(NEEDED["regime"] == "short") & (NEEDED["levers"] == "everything")]
    share = NUMBERS["lever-needed.short.everything.share_for_8"]
    below = rows.loc[rows["gain_p50"] <= 8, "routed_share"].max()
    above = rows.loc[rows["gain_p50"] >= 8, "routed_share"].min()
    assert below <= share <= above
    assert share_for(NEEDED, "short", "nothing else", 1e9) == 1
