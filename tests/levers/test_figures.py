"""The figures of levers say what their tables say."""

from pathlib import Path

import numpy as np

from pipeline.ingest.contract import GRADES_IN_WORDS
from pipeline.levers import paper
from pipeline.levers.figures import BASELINE, RAISED, SCALE_MEASURED, rows_of_chip
from pipeline.levers.model.contract import FITTED
from pipeline.levers.paper import as_in_production
from pipeline.report import formats, marks, style
from pipeline.report.declared import declared, read
from pipeline.report.formats import Table
from tests.report.synthetic import PROFILE, draw

SYSTEMS, HARDWARE, SCALE = read("lever_systems"), read("lever_hardware"), read("lever_scale")
OURS = as_in_production(SYSTEMS)
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
    return [float(x) for line in ax.lines if line.get_marker() == "o" for x in line.get_xdata()]


def test_a_system_is_drawn_as_in_production_where_there_is_such_a_row() -> None:
    loads = OURS[OURS["system"] == "Speculative decoding"]["load"]
    assert loads.isna().all()
    router = OURS[(OURS["system"] == "Model Router") & (OURS["regime"] == "short")]
    assert len(router) == 3


def test_grades_are_defined_once() -> None:
    """Captions, tables and README have the wording of the code."""
    with style.context(PROFILE):
        figures = [draw(name) for name in ("fig-what-to-do-first", "fig-l3-hardware")]
    assert GRADES_IN_WORDS in figures[1].caption
    readme = " ".join(Path("data/published/README.md").read_text(encoding="utf-8").split())
    assert GRADES_IN_WORDS in readme
    tables = {entry.name: entry.caption for entry in declared(paper) if isinstance(entry, Table)}
    assert all(GRADES_IN_WORDS in tables[name] for name in ("lever_systems", "lever_hardware"))


def test_chips_are_compared_with_one_baseline_and_show_their_numbers_and_grade() -> None:
    with style.context(PROFILE):
        panel = draw("fig-l3-hardware").figure.axes[0]
    for chip in ("B200", "Maia 200"):
        rows = rows_of_chip(HARDWARE, SYSTEMS, "short", chip)
        assert {row.get("baseline", BASELINE) for row in rows} == {BASELINE}
        fitted = [row for row in rows if row["basis"].startswith(FITTED)]
        assert {formats.band(row) for row in fitted} | {row["grade"] for row in fitted} <= texts(panel)
    names = {label.get_text() for label in panel.get_yticklabels()}
    assert {"B200", "Maia 200"} <= names and BASELINE not in names


def test_curves_of_size_fall_and_measured_points_are_there() -> None:
    with style.context(PROFILE):
        drawing = draw("fig-l1-scale")
    left, right = drawing.figure.axes
    curves = [line for ax in (left, right) for line in ax.lines if line.get_gid() == marks.DATA]
    assert len(curves) == 2 * SCALE["configuration"].nunique() + len(style.REGIME_NAMES)
    for curve in curves:
        assert (np.diff(curve.get_ydata()) <= 1e-9 * curve.get_ydata()[:-1]).all()
    measured = SCALE[SCALE["kind"].isin([RAISED, SCALE_MEASURED])]
    assert sum(len(points.get_offsets()) for points in left.collections if points.get_gid()) == len(measured)
