"""Saved figures: exact width, text kept as text, the same bytes in another process, a complete sidecar."""

import hashlib
import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont
from matplotlib.image import imread
from pypdf import PdfReader

from pipeline.core.errors import InputError
from pipeline.report import FONTS, style
from pipeline.report.figures import (
    Drawing,
    Entry,
    fingerprint,
    font_faces,
    glyphs,
    panels_pt,
    save_figure,
    used_characters,
)
from tests.report.synthetic import PROFILE

PT_PER_MM = 72 / 25.4
ALT = "Two points, at 0.3 and 0.6 Wh – a test."
LABEL = "Energy per query (Wh)"


def save(folder: Path, width: str = "single", height_mm: float = 40.0, declared: str = "single") -> Path:
    source = folder / "source.csv"
    source.write_text("a\n1\n", encoding="utf-8")
    with style.context(PROFILE):
        figure, ax = style.new_figure(PROFILE, width, height_mm)
        ax.plot([0.3, 0.6], [1, 2], "o")
        ax.set_xlabel(LABEL)
        style.panel_title(ax, "Bold × head")
        drawing = Drawing(figure, ALT, "A caption.", "It is found")
        entry = Entry("fig-x", lambda profile, *, section: drawing, {}, "A title", declared)
        save_figure(drawing, folder / "figures", entry, PROFILE, [source])
    return folder / "figures"


@pytest.mark.parametrize("width", ["single", "middle", "double"])
def test_every_format_has_the_exact_width(tmp_path: Path, width: str) -> None:
    folder = save(tmp_path, width=width, declared=width)
    mm = PROFILE.width_mm(width)
    assert float(PdfReader(folder / "fig-x.pdf").pages[0].mediabox.width) == pytest.approx(
        mm * PT_PER_MM, abs=0.01
    )
    root = ET.parse(folder / "fig-x.svg").getroot()
    assert float(root.attrib["width"].removesuffix("pt")) == pytest.approx(mm * PT_PER_MM, abs=0.01)
    pixels = imread(folder / "fig-x.png").shape[1]
    assert pixels == pytest.approx(mm / 25.4 * PROFILE.png_dpi, abs=1)


def test_a_wrong_width_is_refused_and_nothing_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"fig-x: 85\.00 mm wide, expected 114 mm \(middle column\)"):
        save(tmp_path, declared="middle")
    assert not (tmp_path / "figures").exists()


def test_too_high_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"230\.00 mm high, expected at most 225"):
        save(tmp_path, height_mm=230)


def test_text_is_text(tmp_path: Path) -> None:
    folder = save(tmp_path)
    page = PdfReader(folder / "fig-x.pdf").pages[0]
    assert LABEL in page.extract_text()
    fonts = [font.get_object()["/Subtype"] for font in page["/Resources"]["/Font"].values()]
    assert fonts and "/Type3" not in fonts
    texts = [t.text for t in ET.parse(folder / "fig-x.svg").iter("{http://www.w3.org/2000/svg}text")]
    assert LABEL in texts and "Bold × head" in texts


def test_an_svg_carries_its_words_and_the_glyphs_it_uses(tmp_path: Path) -> None:
    svg = (save(tmp_path) / "fig-x.svg").read_text(encoding="utf-8")
    assert "<title>It is found</title>" in svg and f"<desc>{ALT}</desc>" in svg
    assert font_faces(svg).count("@font-face") == 2
    assert set(used_characters(svg)["700"]) == set("Bold × head")
    subset_path = tmp_path / "subset.ttf"
    subset_path.write_bytes(glyphs(FONTS / "Roboto-Regular.ttf", "Wh×"))
    assert set(TTFont(subset_path).getBestCmap()) == {ord(c) for c in "Wh×"}


def test_the_sidecar_is_complete(tmp_path: Path) -> None:
    sidecar = json.loads((save(tmp_path) / "fig-x.json").read_text(encoding="utf-8"))
    source = tmp_path / "source.csv"
    assert sidecar["inputs"] == [fingerprint(str(source))]
    assert sidecar["inputs"][0]["sha256"] == hashlib.sha256(source.read_bytes()).hexdigest()
    keys = ("title", "topic", "subtitle", "alt", "description", "caption", "column", "sections")
    words = {key: sidecar[key] for key in keys}
    assert words == {
        "title": "It is found",
        "topic": "A title",
        "subtitle": "A caption.",
        "alt": "It is found. A caption.",
        "description": ALT,
        "caption": "It is found. A caption.",
        "column": "single",
        "sections": ["section"],
    }
    assert (sidecar["width_mm"], sidecar["height_mm"]) == (85.0, 40.0)


def test_the_revision_is_the_blob_id_of_git(tmp_path: Path) -> None:
    source = tmp_path / "a.csv"
    source.write_bytes(b"x,y\n1,2\n")
    command = ["git", "hash-object", "--no-filters", str(source)]
    known = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    assert fingerprint(str(source))["git_blob"] == known


def test_a_missing_input_is_named() -> None:
    with pytest.raises(InputError, match=r"nowhere\.csv: no such file"):
        fingerprint("nowhere.csv")


def test_two_processes_write_the_same_bytes(tmp_path: Path) -> None:
    digests = []
    code = "import sys, pathlib, tests.report.test_save as t; t.save(pathlib.Path(sys.argv[1]))"
    (tmp_path / "run").mkdir()
    for _ in range(2):
        subprocess.run([sys.executable, "-c", code, str(tmp_path / "run")], check=True)
        files = sorted((tmp_path / "run" / "figures").iterdir())
        digests.append({f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in files})
    assert len(digests[0]) == 4
    assert digests[0] == digests[1]


@pytest.mark.parametrize(("shared", "parts"), [(True, 2), (False, 1)])
def test_panels_beside_one_another_are_cut_for_phones_with_the_names_of_their_rows(
    shared: bool, parts: int
) -> None:
    with style.context(PROFILE):
        drawn, (left, right) = style.new_figure(PROFILE, "double", 40, columns=2, sharey=shared)
        style.name_rows(left, ["One row", "Another"])
        drawn.draw_without_rendering()
        first, second = panels_pt(drawn)
    width, height = drawn.get_size_inches() * 72
    assert len(first) == 1 and len(second) == parts
    assert first[0][2] + second[-1][2] == pytest.approx(width, abs=0.2)
    assert first[0][2] < right.get_position().x0 * width, "the cut stands before the second panel"
    assert second[0][2] < width / 2 and second[0][3] <= height + 0.1
    if shared:
        assert second[0][2] == pytest.approx(left.get_position().x0 * width, abs=0.1)


def test_a_figure_of_one_column_of_panels_is_not_cut() -> None:
    drawn, _ = style.new_figure(PROFILE, "double", 40, rows=2)
    assert panels_pt(drawn) == []
