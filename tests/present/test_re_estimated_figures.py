"""The figures of the re-estimate say what its tables say."""

from dataclasses import replace

import pytest

from pipeline.contracts.re_estimated import BEYOND, WITHIN
from pipeline.present import axes, marks, style
from pipeline.present.figures.re_estimated import bridge, dots, intervals, lengths, shares
from pipeline.present.figures.re_estimated.tables import BLEND, PRODUCTION, VARIANT_NAMES
from pipeline.present.save import Drawing
from tests.present.synthetic import PROFILE, tables_of

TABLES = tables_of("fig-r8-bridge")


def texts(drawing: Drawing, panel: int) -> set[str]:
    return {text.get_text() for text in drawing.figure.axes[panel].texts}


@pytest.mark.parametrize(("panel", "regime"), enumerate(["short", "long"]))
def test_every_subject_has_its_published_and_both_new_medians(panel: int, regime: str) -> None:
    with style.context():
        drawing = intervals.fig_published_against_re_estimated(TABLES, PROFILE)
    shown = texts(drawing, panel)
    for subject in TABLES.subjects():
        assert axes.significant(TABLES.published(regime, subject)["p50_wh"]) in shown
        for variant in VARIANT_NAMES:
            row = TABLES.ours(variant, regime, subject)
            words = axes.interval(row["median_p50_wh"], row["median_p5_wh"], row["median_p95_wh"])
            assert words in shown
            assert subject != BLEND or words in drawing.alt


def test_bands_are_the_interval_of_the_median_and_lines_that_of_queries() -> None:
    with style.context():
        drawing = intervals.fig_published_against_re_estimated(TABLES, PROFILE)
    drawn = [line for line in drawing.figure.axes[0].lines if line.get_gid() == marks.DATA]
    row = TABLES.ours(PRODUCTION, "short", BLEND)
    bands = [list(line.get_xdata()) for line in drawn if line.get_alpha() == dots.BAND_ALPHA]
    thin = [list(line.get_xdata()) for line in drawn if line.get_linewidth() == style.LINE_PT]
    assert [row["median_p5_wh"], row["median_p95_wh"]] in bands
    assert [row["query_p5_wh"], row["query_p95_wh"]] in thin


def test_models_stand_by_published_median_and_the_blend_last() -> None:
    *models, last = TABLES.subjects()
    medians = [TABLES.published("short", model)["p50_wh"] for model in models]
    assert last == BLEND and medians == sorted(medians, reverse=True)


def test_the_words_name_the_group_with_the_largest_share() -> None:
    table = TABLES.shares.copy()
    chosen = (table["regime"] == "short") & (table["target"] == "one query") & (table["group"] == "pue")
    table.loc[chosen, ["first_order", "first_order_half_width"]] = [0.99, 0.004]
    assert shares.in_words(table, "short", "one query").count("PUE 99.0 ± 0.4 %") == len(VARIANT_NAMES)


def test_each_step_of_the_bridge_has_its_factors() -> None:
    with style.context():
        drawing = bridge.fig_bridge(TABLES, PROFILE)
    for panel, regime in enumerate(["short", "long"]):
        rows = bridge.steps(TABLES.bridge, regime)
        shown = texts(drawing, panel)
        for column in ("median", "mean"):
            steps = zip(rows[f"{column}_wh_ratio"][1:], rows[f"{column}_step"][1:], strict=True)
            assert {f"{'≈ ' if step == WITHIN else ''}×{ratio:.2f}" for ratio, step in steps} <= shown
        assert {axes.significant(value) for value in rows["median_wh"]} <= shown


def test_a_change_upwards_points_right_and_one_downwards_left() -> None:
    table = TABLES.bridge.copy()
    table["median_wh"] = table["median_wh"].where(table["step"] % 2 == 0, table["median_wh"] * 50)
    table["median_step"] = BEYOND
    with style.context():
        drawing = bridge.fig_bridge(replace(TABLES, bridge=table), PROFILE)
    tips = [line.get_marker() for line in drawing.figure.axes[0].lines if line.get_marker() in {"<", ">"}]
    assert tips == [">" if step % 2 else "<" for step in range(1, len(tips) + 1)]


def test_a_step_within_monte_carlo_error_has_no_arrow() -> None:
    table = TABLES.bridge.assign(median_step=WITHIN)
    with style.context():
        drawing = bridge.fig_bridge(replace(TABLES, bridge=table), PROFILE)
    markers = [line.get_marker() for line in drawing.figure.axes[0].lines]
    assert not {"<", ">"} & set(markers)
    assert markers.count("|") == table["step"].max()
    assert f"no trimming {WITHIN}: ×1.00" in drawing.alt


def test_medians_of_lengths_are_those_of_the_table() -> None:
    rows = TABLES.lengths[TABLES.lengths["statistic"] == "p50"]
    rows = rows[(rows["regime"] == "long") & (rows["quantity"] == "output_tokens")].set_index("scenario")
    assumed, production = lengths.medians(TABLES.lengths, "long", "output_tokens")
    assert assumed == f"{rows.loc['published', 'tokens_p50']:,.0f}"
    assert production.startswith(f"{rows.loc['production', 'tokens_p50']:,.0f} (")
