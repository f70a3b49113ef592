from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.figure import Figure
from PIL import Image

from pipeline.core.errors import InputError
from pipeline.core.settings import from_params
from pipeline.present.release.figures import Numbered, check, line_art, numbered
from tests.report.synthetic import PROFILE

FIGURES, SECTIONS = Path("figures"), Path("paper/sections")
JOURNAL = from_params("figures")
NAMES = sorted(path.stem for path in FIGURES.glob("*.svg"))
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="72pt" height="36pt" viewBox="0 0 72 36">'
    '<text x="4" y="20" style="font: 7px \'Roboto\'">Energy</text></svg>'
)


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_keeps_the_profile_of_the_journal(name):
    check(FIGURES, name, JOURNAL)


def test_every_figure_has_one_file_name_and_the_paper_comes_first_by_number():
    found = numbered(SECTIONS, FIGURES)
    assert sorted(one.name for one in found) == NAMES
    assert len({one.file for one in found}) == len(found)
    labels = [one.label for one in found if one.label]
    assert labels.index("Figure 4") < labels.index("Figure P1A") < labels.index("Figure S2")
    assert labels.index("Figure S2") < labels.index("Figure S10")
    assert all(one.label for one in found[: len(labels)])


def test_a_picture_that_is_not_there_is_refused(tmp_path):
    (tmp_path / "results.typ").write_text('#picture("fig-9-lost", "9")', encoding="utf-8")
    with pytest.raises(InputError, match="'fig-9-lost', expected one of"):
        numbered(tmp_path, FIGURES)


def drawn(folder, width_mm, height_mm=40.0, **settings):
    """A PDF of the given size with one word, beside an SVG with text of 7 pt."""
    with mpl.rc_context({"pdf.fonttype": 42, **settings}):
        figure = Figure(figsize=(width_mm / 25.4, height_mm / 25.4))
        figure.text(0.5, 0.5, "word")
        FigureCanvasPdf(figure).print_pdf(folder / "fig.pdf")
    (folder / "fig.svg").write_text(SVG, encoding="utf-8")


def test_what_does_not_fit_is_refused(tmp_path):
    drawn(tmp_path, 85)
    check(tmp_path, "fig", PROFILE)
    drawn(tmp_path, 90)
    with pytest.raises(InputError, match=r"90\.00 mm wide, expected one of"):
        check(tmp_path, "fig", PROFILE)
    drawn(tmp_path, 85, 230)
    with pytest.raises(InputError, match=r"230\.00 mm high, expected at most 225"):
        check(tmp_path, "fig", PROFILE)
    drawn(tmp_path, 85, **{"pdf.use14corefonts": True, "font.family": "sans-serif"})
    with pytest.raises(InputError, match="is not embedded"):
        check(tmp_path, "fig", PROFILE)


@pytest.mark.parametrize("style", ["font: 5px 'Roboto'", "font-size: 9.5px", "font: 700 4.5px 'Roboto'"])
def test_text_of_another_size_is_refused(tmp_path, style):
    drawn(tmp_path, 85)
    (tmp_path / "fig.svg").write_text(SVG.replace("font: 7px 'Roboto'", style), encoding="utf-8")
    with pytest.raises(InputError, match="expected 6 to 8 pt"):
        check(tmp_path, "fig", PROFILE)


def test_line_art_has_the_resolution_and_the_same_bytes_twice(tmp_path):
    (tmp_path / "one.svg").write_text(SVG, encoding="utf-8")
    for name in ("a.tiff", "b.tiff"):
        line_art(tmp_path / "one.svg", tmp_path / name, 1000)
    image = Image.open(tmp_path / "a.tiff")
    assert image.size == (1000, 500) and image.mode == "RGB"
    assert [float(side) for side in image.info["dpi"]] == [1000, 1000]
    assert image.convert("L").getextrema()[0] < 40  # the word is drawn
    assert (tmp_path / "a.tiff").read_bytes() == (tmp_path / "b.tiff").read_bytes()


def test_a_figure_outside_the_paper_has_no_label():
    assert Numbered("fig-x", "fig-x", "").label == ""
