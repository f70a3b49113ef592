"""The figures of the paper say what the results say."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.assumptions.load import load
from pipeline.present import axes, style
from pipeline.present.figures import published
from pipeline.present.figures.published import fleet, forest, pathways, per_query_by_model
from pipeline.present.figures.published.settings import fleet_settings, parameters
from pipeline.present.figures.published.tables import Histogram
from pipeline.present.figures.registry import Group, draw_all
from tests.present.synthetic import MODELS, PROFILE, published_tables

TABLES = published_tables()


@pytest.mark.parametrize("regime", ["short", "long"])
def test_alt_text_and_rows_carry_the_numbers_of_the_results(regime: str) -> None:
    with style.context():
        draw = per_query_by_model.fig_1a if regime == "short" else per_query_by_model.fig_2a
        drawing = draw(TABLES, PROFILE)
    shown = " ".join(text.get_text() for text in drawing.figure.axes[0].texts)
    for model in MODELS:
        row = TABLES.summary(regime, model)
        words = axes.interval(row["p50_wh"], row["p25_wh"], row["p75_wh"])
        assert f"{model} {words}" in drawing.alt
        assert words in shown


def test_models_stand_from_the_highest_median_down() -> None:
    medians = [row.summary["p50_wh"] for row in per_query_by_model.rows_by_model(TABLES, "short")]
    assert medians == sorted(medians, reverse=True)


def test_a_pathway_states_its_gain_in_the_median() -> None:
    rows = pathways.pathway_rows(TABLES, "short")
    gain = rows[0].summary["p50_wh"] / rows[1].summary["p50_wh"]
    assert rows[1].name == f"Better models, {gain:.1f}× less"


def test_bars_are_as_long_as_the_results() -> None:
    with style.context():
        drawing = fleet.fig_3b(TABLES, PROFILE)
    bars = [bar for bar in drawing.figure.axes[0].patches if bar.get_gid() == "bar"]
    ends = [round(bar.get_x() + bar.get_width(), 6) for bar in bars]
    totals = [TABLES.scenario(name)["value_gwh_per_day"] for name in ("short", "mixed", "mixed_improved")]
    assert [ends[0], ends[2], ends[4]] == pytest.approx(totals)
    for total in totals:
        assert f"{total:.2f}" in drawing.alt


def test_a_model_that_the_paper_does_not_have_is_drawn_without_a_printed_value() -> None:
    renamed = [
        table.replace("Mixtral 8x22B", "Another 8B") for table in (TABLES.energy, TABLES.energy_histograms)
    ]
    tables = replace(TABLES, energy=renamed[0], energy_histograms=renamed[1])
    row = next(row for row in per_query_by_model.rows_by_model(tables, "short") if row.name == "Another 8B")
    assert row.printed is None


def test_rebinning_keeps_every_draw() -> None:
    histogram = Histogram(np.array([0.0, 1.0, 2.0, 4.0]), np.array([0.25, 0.25, 0.5]))
    assert histogram.rebinned(np.array([0.0, 0.5, 3.0, 4.0])) == pytest.approx([0.125, 0.625, 0.25])


def test_bins_without_draws_are_empty_and_draws_outside_still_count() -> None:
    found = TABLES.histogram("short", "DeepSeek-R1")
    assert found.shares.sum() == pytest.approx(1, abs=1e-3)
    median = TABLES.summary("short", "DeepSeek-R1")["p50_wh"]
    half = found.rebinned(np.array([found.edges[0], median])).sum()
    assert half == pytest.approx(0.5, abs=0.01)


def test_a_density_is_shown_without_its_thin_tails() -> None:
    shown = forest.trimmed(TABLES.histogram("short", "DeepSeek-R1"))
    assert 1 - 2.2 * forest.MASS_SHOWN < shown.shares.sum() < 1


def test_sidecars_name_the_settings_behind_each_figure(tmp_path: Path) -> None:
    settings = load("assumptions.as_published")
    behind = parameters(settings)
    entry = next(entry for entry in published.FIGURES if entry.name == "fig-3a")
    entry = replace(entry, inputs=[published.CLAIMS])
    draw_all([Group([entry], TABLES, seed=7, own=behind)], PROFILE, tmp_path)
    sidecar = json.loads((tmp_path / "fig-3a.json").read_text(encoding="utf-8"))
    assert set(sidecar["parameters"]) == {"v2", "reference_lines"}
    assert sidecar["parameters"]["v2"]["power_utilisation"]["family"] == "lognormal"
    assert sidecar["seed"] == 7
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json", ".pdf", ".png", ".svg"]


def test_a_variant_states_only_what_differs() -> None:
    assert set(parameters(load("assumptions.as_published"))["v1"]) == {
        "node_power_8xh100",
        "node_power_10xh100",
    }


def test_the_fleet_is_named_from_the_assumptions() -> None:
    settings = fleet_settings(load("assumptions.as_published"))
    assert settings.volume == f"{settings.queries_per_day / 1e9:g} billion queries a day"
    assert (settings.long_share, settings.datacentre_gwh) == (0.1, 0.576)
