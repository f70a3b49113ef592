"""The figures of levers say what their tables say."""

from pathlib import Path

import matplotlib
import numpy as np
import pytest

from pipeline.contracts import read_table
from pipeline.contracts.levers import BOUNDS, COMBINATIONS
from pipeline.contracts.published import GRADES_IN_WORDS
from pipeline.contracts.published import TABLES as PUBLISHED
from pipeline.present import axes, marks, style
from pipeline.present.figures.levers import hardware, needed, scale, systems, waterfall
from pipeline.present.lever_rows import chain, records
from pipeline.present.lever_tables import lever_tables
from tests.present.synthetic import PROFILE, tables_of

TABLES = tables_of("fig-l1-scale")
LEVERS = read_table("data/published/levers.csv", PUBLISHED["levers"])
# Every system that the published article and the study of it name.
NAMED = [
    "Azure-scale serving",
    "Phi-4",
    "Fara-7B",
    "Llama 3.1 8B",
    "Llama 3.1 70B",
    "gpt-oss-120b",
    "Mixture of experts",
    "FP8",
    "FP4",
    "Model Router",
    "RouteLLM",
    "Hybrid LLM",
    "Disaggregated serving",
    "Adaptive serving",
    "Continuous batching",
    "Prefix caching",
    "Speculative decoding",
    "Power capping and clocks",
    "H200",
    "B200",
    "GB200",
    "GB300",
    "MI355X",
    "TPU7x",
    "Maia 200",
    "Rubin",
    "Best site",
    "All levers together",
]


def texts(ax):
    return {text.get_text() for text in ax.texts}


def dots(ax):
    return [float(line.get_xdata()[0]) for line in ax.lines if line.get_marker() == "o"]


def test_every_named_system_has_a_row_with_its_gain() -> None:
    with style.context():
        drawing = systems.fig_systems(TABLES, PROFILE)
    ax = drawing.figure.axes[0]
    names = {label.get_text().split(",")[0] for label in ax.get_yticklabels()}
    assert [name for name in NAMED if systems.NAMES.get(name, name) not in names] == []
    for row in records(TABLES.ours()):
        assert axes.band_text(row) in texts(ax)
        assert axes.band_text(row) in drawing.alt


def test_a_system_is_drawn_as_in_production_where_there_is_such_a_row() -> None:
    ours = TABLES.ours()
    loads = ours[ours["system"] == "Speculative decoding"]["load"]
    assert loads.isna().all()
    router = ours[(ours["system"] == "Model Router") & (ours["regime"] == "short")]
    assert len(router) == 3


def test_evidence_stands_once_though_it_is_for_both_regimes() -> None:
    evidence = TABLES.evidence()
    assert not evidence.duplicated(["group", "system", "evidence"]).any()
    assert not evidence["basis"].isin(["statement"]).any()


def test_a_bound_is_an_open_arrow_and_a_price_no_square() -> None:
    with style.context():
        ax = systems.fig_systems(TABLES, PROFILE).figure.axes[0]
    marked = {name: [line for line in ax.lines if line.get_marker() == name] for name in "<>sD"}
    evidence, paper = TABLES.evidence(), matplotlib.colors.to_hex(style.PAPER)
    upper, lower = (evidence[evidence["bound"] == bound] for bound in BOUNDS)
    ends = {float(line.get_xdata()[0]) for line in marked["<"]}
    assert 100.0 in ends and ends <= set(upper["p95"])
    assert {float(line.get_xdata()[0]) for line in marked[">"]} == set(lower["p5"])
    for line in [*marked["<"], *marked[">"], *marked["D"]]:
        assert matplotlib.colors.to_hex(line.get_markerfacecolor()) == paper
    assert len(marked["D"]) == len(TABLES.prices()) == 2
    assert not {float(line.get_xdata()[0]) for line in marked["s"]} & {100.0}


def test_grades_are_defined_once() -> None:
    """Captions, tables and README have the wording of the code."""
    with style.context():
        figures = [f(TABLES, PROFILE) for f in (systems.fig_systems, hardware.fig_hardware)]
    for drawing in figures:
        assert GRADES_IN_WORDS in drawing.caption
    readme = " ".join(Path("data/published/README.md").read_text(encoding="utf-8").split())
    assert GRADES_IN_WORDS in readme
    tables = {
        table.name: table.caption
        for table in lever_tables(TABLES.systems, TABLES.hardware, TABLES.scale, TABLES.combinations, LEVERS)
    }
    assert all(GRADES_IN_WORDS in tables[name] for name in ("lever_systems", "lever_hardware"))


def test_one_value_has_no_range() -> None:
    assert axes.band_text({"p5": np.nan, "p50": np.nan, "p95": 3.7}) == "up to 3.7"
    assert axes.band_text({"p5": 1.25, "p50": np.nan, "p95": np.nan}) == "at least 1.2"
    assert axes.band_text({"p5": np.nan, "p50": 1.4, "p95": np.nan}) == "1.4"
    assert axes.band_text({"p5": 2.8, "p50": 2.8, "p95": 2.8}) == "2.8"
    assert axes.band_text({"p5": 1.6, "p50": 2.8, "p95": 6.6}) == "2.8 (1.6–6.6)"


@pytest.mark.parametrize("regime", style.REGIME_NAMES)
def test_chips_are_compared_with_one_baseline_and_show_their_grade(regime: str) -> None:
    for chip in ("B200", "Maia 200"):
        rows = hardware.rows_of(TABLES, regime, chip)
        assert {row.get("baseline", hardware.BASELINE) for row in rows} == {hardware.BASELINE}
        assert {row["grade"] for row in rows} <= set("ABCD")
    with style.context():
        drawing = hardware.fig_hardware(TABLES, PROFILE)
    panel = drawing.figure.axes[list(style.REGIME_NAMES).index(regime)]
    assert {"B", "C"} <= texts(panel)
    assert hardware.BASELINE not in {label.get_text() for label in panel.get_yticklabels()}


def test_chains_end_where_the_table_ends_and_say_so() -> None:
    with style.context():
        drawing = waterfall.fig_waterfall(TABLES, PROFILE)
    for panel, regime in zip(drawing.figure.axes, style.REGIME_NAMES, strict=True):
        for name in COMBINATIONS:
            rows = chain(TABLES.combinations, name, regime)
            last = rows.iloc[-1]
            ends = [float(last[f"cumulative_{p}"]) for p in ("p50", "p5", "p95")]
            assert axes.interval(*ends) in texts(panel)
            assert axes.interval(*ends) in drawing.alt
            drawn = rows.tail(1) if name.endswith("to come") else rows
            assert set(drawn["cumulative_p50"]) <= set(dots(panel))


def test_graded_chains_hold_good_evidence_alone() -> None:
    for regime in style.REGIME_NAMES:
        grades = chain(TABLES.combinations, "graded", regime)["grade"]
        assert set(grades) <= {"A", "B"}


def test_curves_of_size_fall_and_measured_points_are_there() -> None:
    with style.context():
        drawing = scale.fig_scale(TABLES, PROFILE)
    left, right = drawing.figure.axes
    curves = [line for ax in (left, right) for line in ax.lines if line.get_gid() == marks.DATA]
    assert len(curves) == 2 * TABLES.scale["configuration"].nunique() + len(style.REGIME_NAMES)
    for curve in curves:
        assert (np.diff(curve.get_ydata()) <= 1e-9 * curve.get_ydata()[:-1]).all()
    measured = TABLES.scale[TABLES.scale["kind"].isin([scale.RAISED, scale.MEASURED])]
    assert sum(len(points.get_offsets()) for points in left.collections if points.get_gid()) == len(measured)


def test_curves_of_what_a_gain_takes_are_those_of_the_table() -> None:
    with style.context():
        drawing = needed.fig_needed(TABLES, PROFILE)
    for panel, regime in zip(drawing.figure.axes, style.REGIME_NAMES, strict=True):
        curves = [line for line in panel.lines if line.get_gid() == marks.DATA]
        assert len(curves) == len(needed.DASHES)
        for beside, curve in zip(needed.DASHES, curves, strict=True):
            rows = needed.rows_of(TABLES, regime, beside)
            assert list(curve.get_ydata()) == list(rows["gain_p50"])
