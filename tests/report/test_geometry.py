"""The checks of figures find what they are for."""

import pandas as pd
from matplotlib.legend import Legend

from pipeline.report import marks, style
from tests.report import geometry
from tests.report.synthetic import PROFILE


def plain_axes():
    figure, ax = style.new_figure(PROFILE, "single", 40)
    ax.set(xlim=(0, 1), ylim=(0, 1), xticks=[], yticks=[])
    return figure, ax


def test_overlapping_lines_of_text_are_found() -> None:
    with style.context(PROFILE):
        figure, ax = plain_axes()
        ax.text(0.2, 0.5, "one\ntwo")
        ax.text(0.21, 0.5, "three")
        ax.text(0.8, 0.5, "far")
        pairs = geometry.overlapping(geometry.drawn_labels(figure))
    assert pairs == [("one\ntwo", "three")]


def test_text_that_leaves_the_canvas_is_found() -> None:
    with style.context(PROFILE):
        figure, ax = plain_axes()
        figure.set_layout_engine("none")
        ax.text(0.95, 0.5, "a long label that leaves")
        assert geometry.outside(figure, geometry.drawn_labels(figure)) == ["a long label that leaves"]


def test_text_on_a_mark_is_found() -> None:
    with style.context(PROFILE):
        figure, ax = plain_axes()
        row = pd.DataFrame({"p5": [0.1], "p25": [0.3], "p50": [0.5], "p75": [0.7], "p95": [0.9]})
        marks.intervals(ax, row, [0.5], [style.INK], "p{}")
        ax.text(0.15, 0.5, "on", va="center")
        ax.text(0.15, 0.8, "off", va="center")
        assert geometry.on_data(figure, geometry.drawn_labels(figure)) == ["on"]


def test_contrast_is_that_of_the_standard() -> None:
    assert geometry.contrast((0, 0, 0)) == 21
    assert round(geometry.contrast((0x77 / 255,) * 3), 2) == 4.48


def test_a_legend_would_be_found() -> None:
    with style.context(PROFILE):
        figure, ax = plain_axes()
        ax.plot([0, 1], [0, 1], label="x")
        ax.legend()
        assert len(figure.findobj(Legend)) == 1
