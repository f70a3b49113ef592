"""Figures, tables and numbers of water say what their tables say."""

from dataclasses import fields, replace
from pathlib import Path

import pandas as pd
import pytest

from pipeline.assumptions import load
from pipeline.contracts.read import read_table
from pipeline.contracts.water_results import WATER_CLAIM_ASSUMPTIONS, WATER_SPLIT
from pipeline.present import axes, style
from pipeline.present.figures.water import designs, published, scenarios
from pipeline.present.numbers import slug
from pipeline.present.water_numbers import WaterNumberTables, collect_water
from pipeline.present.water_tables import water_tables
from tests.present.synthetic import PROFILE, tables_of

RESULTS = Path("data/results")
TABLES = tables_of("fig-w1-published-waters")
SETTINGS = load("assumptions.water")


def test_every_published_water_stands_beside_ours_for_the_same_water() -> None:
    with style.context():
        drawing = published.fig_published_waters(TABLES, PROFILE)
    shown = " ".join(text.get_text() for text in drawing.figure.axes[0].texts)
    rows = TABLES.prior.set_index("key")
    assert axes.significant(rows.loc["openai_altman", "value_ml"]) in shown
    ours = rows.loc["google_gemini", ["ours_p50_ml", "ours_p5_ml", "ours_p95_ml"]]
    assert axes.interval(*ours) in shown
    assert "> 200" in shown and "< 4.0" in shown and "0–0.067" in shown
    assert shown.count("ours: DeepSeek-R1, long") == 2 and "ours: Llama 3.1 70B, long" in shown
    assert "blend" not in shown  # what ours usually are stands in the caption


def test_no_water_on_site_is_written_as_none() -> None:
    with style.context():
        drawing = scenarios.fig_water_scenarios(TABLES, PROFILE)
    left, right = drawing.figure.axes
    assert "0" in {text.get_text() for text in left.texts}
    assert len(right.texts) == len(scenarios.NAMES)
    assert set(scenarios.NAMES) == {n for n, s in SETTINGS.scenarios.items() if s.basis == "consumption"}


def test_bars_are_as_long_as_their_water() -> None:
    with style.context():
        drawing = designs.fig_closed_loop(TABLES, PROFILE)
    bars = [patch for patch in drawing.figure.axes[0].patches if patch.get_gid() == "data"]
    drawn = sorted(bar.get_width() for bar in bars)
    rows = TABLES.sites[TABLES.sites["site"].isin(designs.SITES)]
    assert drawn == pytest.approx(sorted([*rows["p50_onsite_ml"], *rows["p50_offsite_ml"]]))


def test_the_columns_beside_the_bars_say_of_what_their_numbers_are() -> None:
    with style.context():
        drawing = designs.fig_closed_loop(TABLES, PROFILE)
    shown = [text.get_text() for text in drawing.figure.axes[0].texts]
    assert set(designs.COLUMNS_PT) <= set(shown)
    assert sum(text.endswith(" % of draws") for text in shown) == len(designs.SITES)


def test_tables_have_a_row_for_every_scenario_claim_and_source() -> None:
    split = read_table(RESULTS / "water_split.csv", WATER_SPLIT)
    claim = read_table(RESULTS / "water_claim_assumptions.csv", WATER_CLAIM_ASSUMPTIONS)
    shown = {table.name: table.shown() for table in water_tables(split, claim, TABLES.prior, SETTINGS)}
    assert len(shown["water_scenarios"]) == 3 * len(SETTINGS.scenarios)
    assert len(shown["water_claim"]) == 3 * 6
    assert len(shown["water_published"]) == len(TABLES.prior)


def test_a_published_water_from_its_own_inputs_comes_out_as_printed() -> None:
    rows = TABLES.prior.dropna(subset=["recomputed_ml"])
    assert len(rows) == 19
    assert rows["recomputed_ml"].to_numpy() == pytest.approx(rows["value_ml"].to_numpy(), rel=0.03)


def test_numbers_have_flat_keys() -> None:
    read = {table.name: pd.read_csv(RESULTS / f"{table.name}.csv") for table in fields(WaterNumberTables)}
    numbers = collect_water(WaterNumberTables(**read), SETTINGS)
    split = read["water_split"].iloc[0]
    place = ("variant", "regime", "subject", "site_scenario", "scope")
    key = ".".join(slug(str(split[name])) for name in place)
    assert numbers[f"water.{key}.median_p50_ml"] == split["median_p50_ml"]
    assert numbers["assumed.water.electricity_factor.p95"] == 1.44


def test_a_source_that_is_missing_is_an_error() -> None:
    lacking = replace(TABLES, prior=TABLES.prior[TABLES.prior["key"] != "openai_altman"])
    with style.context(), pytest.raises(KeyError):
        published.fig_published_waters(lacking, PROFILE)
