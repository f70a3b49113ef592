"""The figures of the paper say what the results say."""

import numpy as np
import pytest

from pipeline.core.settings import from_params
from pipeline.published.figures import energy
from pipeline.published.figures.draws import Histogram, Results
from pipeline.published.figures.fleet import Fleets, volume_of
from pipeline.report import formats, style
from pipeline.report.declared import read
from tests.report.synthetic import MODELS, PROFILE, draw, published_tables

TABLES = published_tables()
CLAIMS = read("published/claims")
RESULTS = Results(TABLES["energy_per_query"], CLAIMS, TABLES["energy_histograms"])


@pytest.mark.parametrize("regime", ["short", "long"])
def test_alt_text_and_rows_carry_the_numbers_of_the_results(regime: str) -> None:
    with style.context(PROFILE):
        drawing = draw("fig-1a" if regime == "short" else "fig-2a")
    shown = " ".join(text.get_text() for text in drawing.figure.axes[0].texts)
    for model in MODELS:
        row = RESULTS.row(regime, model).summary
        words = formats.interval(row["p50_wh"], row["p25_wh"], row["p75_wh"])
        assert f"{model} {words}" in drawing.alt
        assert words in shown


def test_models_stand_from_the_highest_median_down() -> None:
    medians = [RESULTS.row("short", model).summary["p50_wh"] for model in RESULTS.models("short")]
    assert medians == sorted(medians, reverse=True)


def test_a_pathway_states_its_gain_in_the_median() -> None:
    rows = energy.pathway_rows(RESULTS, "short")
    gain = rows[0].summary["p50_wh"] / rows[1].summary["p50_wh"]
    assert rows[1].name == f"Better models, {gain:.1f}× less"


def test_bars_are_as_long_as_the_results() -> None:
    with style.context(PROFILE):
        drawing = draw("fig-3b")
    bars = [bar for bar in drawing.figure.axes[0].patches if bar.get_gid() == "bar"]
    ends = [round(bar.get_x() + bar.get_width(), 6) for bar in bars]
    fleets = Fleets(TABLES["fleet"], CLAIMS)
    totals = [fleets.of(name)["value_gwh_per_day"] for name in ("short", "mixed", "mixed_improved")]
    assert [ends[0], ends[2], ends[4]] == pytest.approx(totals)
    for total in totals:
        assert f"{total:.2f}" in drawing.alt


def test_the_composite_has_the_rows_of_its_three_figures() -> None:
    with style.context(PROFILE):
        drawing = draw("fig-as-published")
        parts = [draw(name) for name in ("fig-1a", "fig-2a", "fig-3b")]
    for panel, part in zip(drawing.figure.axes, parts, strict=True):
        whole = {text.get_text() for text in panel.texts}
        named = {
            text.get_text()
            for text in part.figure.axes[0].texts
            if " Wh" in text.get_text() or "GWh" in text.get_text()
        }
        assert named and named <= whole


def test_a_model_that_the_paper_does_not_have_is_drawn_without_a_printed_value() -> None:
    assert RESULTS.row("short", "Mixtral 8x22B", claim="v2.short.mixtral_8x22b").printed is not None
    assert RESULTS.row("short", "Mixtral 8x22B", claim="v2.short.another_8b").printed is None


def test_rebinning_keeps_every_draw() -> None:
    histogram = Histogram(np.array([0.0, 1.0, 2.0, 4.0]), np.array([0.25, 0.25, 0.5]))
    assert histogram.rebinned(np.array([0.0, 0.5, 3.0, 4.0])) == pytest.approx([0.125, 0.625, 0.25])


def test_bins_without_draws_are_empty_and_draws_outside_still_count() -> None:
    row = RESULTS.row("short", "DeepSeek-R1")
    assert row.draws is not None and row.draws.shares.sum() == pytest.approx(1, abs=1e-3)
    half = row.draws.rebinned(np.array([row.draws.edges[0], row.summary["p50_wh"]])).sum()
    assert half == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("percentile", [5, 25, 50, 75, 95])
def test_quantiles_of_the_bins_are_those_of_the_draws(percentile: int) -> None:
    row = RESULTS.row("short", "DeepSeek-R1")
    assert row.draws is not None
    found = row.draws.quantiles(np.array([percentile / 100]))
    assert found == pytest.approx(row.summary[f"p{percentile}_wh"], rel=0.02)


def test_a_violin_is_as_high_where_the_draws_are_dense_and_ends_with_its_tails() -> None:
    with style.context(PROFILE):
        ax = draw("fig-1a").figure.axes[0]
    row = RESULTS.row("short", RESULTS.models("short")[0])
    assert row.draws is not None
    outline = next(part for part in ax.collections if part.get_gid() == "density").get_paths()[0].vertices
    low, high = row.draws.quantiles(np.array([energy.MASS_SHOWN, 1 - energy.MASS_SHOWN]))
    assert (outline[:, 0].min(), outline[:, 0].max()) == pytest.approx((low, high), rel=0.05)
    mode = float(outline[outline[:, 1].argmin(), 0])
    assert mode == pytest.approx(row.summary["p50_wh"], rel=0.25)
    assert outline[:, 1].min() == pytest.approx(-energy.VIOLIN_HEIGHT)
    assert outline[:, 1].max() == pytest.approx(0, abs=1e-6)


def test_intervals_are_those_of_the_table() -> None:
    with style.context(PROFILE):
        ax = draw("fig-1a").figure.axes[0]
    spans = {tuple(line.get_xdata()) for line in ax.lines if len(line.get_xdata()) == 2}
    for model in MODELS:
        row = RESULTS.row("short", model).summary
        for ends in (("p5_wh", "p95_wh"), ("p25_wh", "p75_wh")):
            assert any(span == pytest.approx([row[end] for end in ends]) for span in spans)


def test_the_fleet_is_named_from_the_assumptions() -> None:
    assert volume_of(from_params("published")) == "1 billion queries a day"
