"""Every figure: its size in print, its text, what overlaps, and words that say what is drawn."""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.artist import Artist
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from ruamel.yaml import YAML

from pipeline.core.errors import InputError
from pipeline.present.figures import ALL, FIGURES, HEADINGS, find
from pipeline.report import marks, style
from pipeline.report.declared import declared, path_of
from pipeline.report.figures import (
    MOST_WORDS,
    ORIGIN,
    Drawing,
    Entry,
    by_number,
    check_size,
    figure,
    finding,
    frame,
)
from tests.report import geometry
from tests.report.synthetic import PROFILE, draw

NAMES = [entry.name for entry in ALL]
EVERY = pytest.mark.parametrize("name", NAMES)
# One meaning each, in every figure.
GRAMMAR = {
    "line": "90 % interval of an estimate; in black: the range that a publication gives",
    "light line": "90 % of the single queries of a service",
    "thick line": "middle half of the draws of the published analysis",
    "band": "90 % interval along a curve",
    "box": "middle half of queries, as published",
    "bar": "a part of a whole, or a change",
    "dot": "a median, or a measured value in a scatter",
    "open dot": "the median at the lengths that the publication assumed",
    "diamond": "what a publication prints",
    "arrow": "a bound: the value lies that way",
    "other shape": "a measurement of others, named in the key",
}
MARKERS = {"o": "dot", "D": "diamond", ">": "arrow"} | dict.fromkeys("s^vx", "other shape")


@cache
def drawn(name: str) -> tuple[Entry, Drawing, list[geometry.Label]]:
    with style.context(PROFILE):
        drawing = draw(name)
        return find(name), drawing, geometry.drawn_labels(drawing.figure)


def test_names_are_unique() -> None:
    assert len(set(NAMES)) == len(NAMES)


def test_the_folder_holds_what_is_declared() -> None:
    written = {f"{name}.{suffix}" for name, suffix in product(NAMES, ["json", "pdf", "png", "svg"])}
    assert {path.name for path in Path("figures").iterdir()} == written


def test_the_stage_depends_on_every_file_that_a_figure_is_drawn_from() -> None:
    deps = YAML(typ="safe").load(Path("dvc.yaml"))["stages"]["figures"]["deps"]
    read = {path_of(table) for entry in ALL for table in entry.tables}
    assert [str(path) for path in read if not any(path.is_relative_to(dep) for dep in deps)] == []


def test_every_declaration_is_in_the_list() -> None:
    texts = [path.read_text(encoding="utf-8") for path in Path("pipeline").glob("*/figures*/*.py")]
    texts += [path.read_text(encoding="utf-8") for path in Path("pipeline").glob("*/figures.py")]
    names = {name for text in texts for name in re.findall(r'^@figure\(\s*"([\w-]+)"', text, re.MULTILINE)}
    assert names == set(NAMES)
    assert set(FIGURES) == set(HEADINGS)


def test_a_figure_is_declared_by_one_function_and_says_what_it_needs() -> None:
    @figure("fig-x10", "Ten", "single", regime="long")
    @figure("fig-x9", "Nine", "single", regime="short")
    def both(profile, published__claims: pd.DataFrame, *, regime: str, fleet) -> Drawing:
        return Drawing(profile, regime, f"{published__claims} {fleet}", "Found")

    module = type(pd)("some_figures")
    module.both = both
    nine, ten = sorted(declared(module), key=by_number)
    assert (nine.name, ten.name) == ("fig-x9", "fig-x10")
    assert (nine.tables, nine.sections) == (["published/claims"], ["fleet"])
    drawing = ten.made({"published/claims": "C", "fleet": "F", "other": "O"}, PROFILE)
    assert (drawing.alt, drawing.caption) == ("long", "C F")


def test_an_unknown_figure_is_refused_and_the_known_are_named() -> None:
    with pytest.raises(InputError, match="'fig-l9', expected one of fig-hero, fig-r7"):
        find("fig-l9")


def test_figures_of_a_topic_stand_by_their_numbers() -> None:
    numbered = [entry.name for entry in FIGURES["energy"] if re.match(r"fig-r\d", entry.name)]
    assert [name[:6] for name in numbered] == ["fig-r7", "fig-r8", "fig-r9"]


def test_a_finding_is_the_first_that_holds_and_stops_the_build_where_none_does() -> None:
    assert finding((False, "No"), (True, "Yes")) == "Yes"
    with pytest.raises(InputError, match="no finding holds any more of: No; Nor this"):
        finding((False, "No"), (False, "Nor this"))
    with pytest.raises(InputError, match="13 words, expected at most 12"):
        finding((True, "word " * (MOST_WORDS + 1)))


@EVERY
def test_the_canvas_is_a_column_wide(name: str) -> None:
    entry, drawing, _ = drawn(name)
    check_size(drawing.figure, name, entry.width, PROFILE)


@EVERY
def test_text_has_the_size_of_the_journal(name: str) -> None:
    _, _, labels = drawn(name)
    sizes = {label.text: label.size_pt for label in labels}
    assert {t: s for t, s in sizes.items() if not PROFILE.min_font_pt <= s <= PROFILE.max_font_pt} == {}


@EVERY
def test_no_texts_overlap(name: str) -> None:
    _, _, labels = drawn(name)
    assert geometry.overlapping(labels) == []


@EVERY
def test_nothing_is_cut_off(name: str) -> None:
    _, drawing, labels = drawn(name)
    assert geometry.outside(drawing.figure, labels) == []


@EVERY
def test_no_text_or_legend_stands_on_data(name: str) -> None:
    _, drawing, labels = drawn(name)
    assert geometry.on_data(drawing.figure, labels) == []
    assert drawing.figure.findobj(Legend) == []


@EVERY
def test_text_can_be_read_on_its_ground(name: str) -> None:
    _, _, labels = drawn(name)
    poor = [label.text for label in labels if geometry.contrast(label.colour, label.ground) < 4.5]
    assert poor == []


@EVERY
def test_a_picture_that_is_lifted_has_its_finding_unit_and_origin(name: str) -> None:
    with style.context(PROFILE):
        drawing = draw(name)
        drawing.figure.draw_without_rendering()
        drawing.figure.set_layout_engine("none")
        width = drawing.figure.get_size_inches()[0]
        frame(drawing, find(name))
        labels = geometry.drawn_labels(drawing.figure)
    texts = [label.text for label in labels]
    assert {drawing.finding, drawing.subtitle} <= set(texts)
    assert any(text.startswith(ORIGIN) for text in texts)
    assert drawing.figure.get_size_inches()[0] == width
    assert geometry.overlapping(labels) == [] and geometry.outside(drawing.figure, labels) == []


def shapes(artists: Iterable[Artist]) -> Iterator[tuple[str, bool]]:
    """Every marker that is drawn, and whether it is open; strokes and blanks are none."""
    for line in artists:
        marker = line.get_marker() if isinstance(line, Line2D) else None
        if isinstance(line, Line2D) and isinstance(marker, str) and marker not in ("None", "", "|"):
            face = line.get_markerfacecolor()
            yield marker, str(face) == "none" or to_hex(face) == to_hex(style.PAPER)


@EVERY
def test_marks_mean_what_they_mean_everywhere(name: str) -> None:
    """Shapes of the grammar alone; open dots and diamonds where the words are about a publication."""
    _, drawing, labels = drawn(name)
    said = " ".join(label.text for label in labels) + drawing.caption
    found = set(shapes(drawing.figure.findobj(Line2D)))
    assert {shape for shape, _ in found} <= set(MARKERS)
    if ("o", True) in found:
        assert "published lengths" in said
    if "D" in {shape for shape, _ in found}:
        assert ("D", False) not in found
        assert "Open diamond" in drawing.caption or "open diamond" in drawing.caption
    points = [part for part in drawing.figure.findobj(PathCollection) if part.get_gid() == marks.DATA]
    open_dots = [
        part
        for part in points
        if any(
            np.isclose(face[3], 0) or to_hex(face) == to_hex(style.PAPER) for face in part.get_facecolors()
        )
    ]
    assert not [part for part in open_dots if len(part.get_paths()[0].vertices) > 20], "an open circle"


@EVERY
def test_a_bound_is_an_arrow_and_never_a_point(name: str) -> None:
    _, drawing, _ = drawn(name)
    for ax in drawing.figure.axes:
        assert not {">", "<"} & {line.get_marker() for line in ax.lines}


def test_other_marks_would_be_found() -> None:
    assert set(shapes([Line2D([0], [0], marker="P")])) == {("P", False)}
    assert set(shapes([Line2D([0], [0], **marks.dot_look(style.INK, filled=False))])) == {("o", True)}
    assert set(MARKERS.values()) <= set(GRAMMAR)


@EVERY
def test_there_is_plain_text_only(name: str) -> None:
    _, _, labels = drawn(name)
    assert [label.text for label in labels if "$" in label.text] == []


@EVERY
def test_numeric_axes_name_their_unit(name: str) -> None:
    _, drawing, _ = drawn(name)
    for ax in drawing.figure.axes:
        if any(label.get_text() and label.get_visible() for label in ax.get_xticklabels()):
            shared = ax.get_xlabel() or drawing.figure.get_supxlabel()
            lowest = ax.get_subplotspec().is_last_row() if ax.get_subplotspec() else True
            assert shared or not lowest, "an axis with numbers and no label"


@EVERY
def test_the_words_carry_numbers(name: str) -> None:
    _, drawing, _ = drawn(name)
    assert len(drawing.alt) > 60 and re.search(r"\d", drawing.alt)
    assert len(drawing.caption) > 60 and drawing.caption.endswith(".")
    assert "nan" not in (drawing.alt + drawing.caption).lower().split()
