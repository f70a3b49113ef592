"""Every figure: its size in print, its text, what overlaps, and words that say what is drawn."""

import re
from functools import cache
from itertools import product
from pathlib import Path

import pytest
from matplotlib.legend import Legend
from ruamel.yaml import YAML

from pipeline.present import style
from pipeline.present.figures.catalogue import ALL, GROUPS
from pipeline.present.figures.registry import Entry
from pipeline.present.save import Drawing, check_size
from pipeline.present.site.pictures import group_of
from tests.present import geometry
from tests.present.synthetic import PROFILE, tables_of

NAMES = [entry.name for entry in ALL]
ENTRIES = {entry.name: entry for entry in ALL}
EVERY = pytest.mark.parametrize("name", NAMES)


@cache
def drawn(name: str) -> tuple[Entry, Drawing, list[geometry.Label]]:
    entry = ENTRIES[name]
    with style.context():
        drawing = entry.draw(tables_of(name), PROFILE)
        return entry, drawing, geometry.drawn_labels(drawing.figure)


def test_names_are_unique() -> None:
    assert len(set(NAMES)) == len(NAMES)


def test_the_folder_holds_what_the_list_of_figures_writes() -> None:
    written = {f"{name}.{suffix}" for name, suffix in product(NAMES, ["json", "pdf", "png", "svg"])}
    assert {path.name for path in Path("figures").iterdir()} == written


def test_the_stage_depends_on_every_file_that_a_figure_is_drawn_from() -> None:
    deps = YAML(typ="safe").load(Path("dvc.yaml"))["stages"]["draw_figures"]["deps"]
    data = {dep for dep in deps if dep.startswith(("data/", "build/results/"))}
    assert {path for entry in ALL for path in entry.inputs} == data


def test_the_site_groups_figures_as_the_catalogue_does() -> None:
    for group, entries in GROUPS.items():
        assert {group_of(entry.name) for entry in entries} == {group}


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
