"""Save a figure as PDF, SVG and PNG with a sidecar, the same bytes on every run, or refuse.

The sidecar says what a figure was drawn from. The revision of an input is its git blob id: it follows
from the content alone, so it is the same in every clone and before and after a commit, it does not
change when only outputs are committed, and `git log --find-object=<id>` names the commit that brought
the file in.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from pipeline.assumptions.figures import Figures, Width
from pipeline.errors import InputError
from pipeline.files import write_atomically, write_json
from pipeline.present.fontface import font_faces
from pipeline.units import MM_PER_INCH

FORMATS = ["pdf", "svg", "png"]
TOLERANCE_MM = 0.01
CANVASES: dict[str, Callable[[Figure, Path, dict[str, Any]], None]] = {
    ".pdf": lambda figure, path, options: FigureCanvasPdf(figure).print_pdf(path, **options),
    ".svg": lambda figure, path, options: FigureCanvasSVG(figure).print_svg(path, **options),
    ".png": lambda figure, path, options: FigureCanvasAgg(figure).print_png(path, **options),
}


@dataclass(frozen=True)
class Drawing:
    """A drawn figure and the words that go with it; alt text and caption carry numbers of the results."""

    figure: Figure
    alt: str
    caption: str


@dataclass(frozen=True)
class Provenance:
    """What a figure was drawn from: files relative to the repository, settings, seed (None: no draws)."""

    inputs: Sequence[str]
    parameters: Mapping[str, Any]
    seed: int | None


def save_figure(
    drawing: Drawing,
    folder: Path | str,
    name: str,
    title: str,
    width: Width,
    profile: Figures,
    provenance: Provenance,
) -> None:
    """Write `<name>.pdf`, `.svg`, `.png` and `.json` into `folder`.

    Call it inside `style.context()`. Raises InputError when the canvas is not as wide as the column,
    is too high, or an input is missing.
    """
    folder = Path(folder)
    check_size(drawing.figure, name, width, profile)
    sidecar = describe(drawing, name, title, width, provenance)
    _fix_layout(drawing.figure)
    for suffix in FORMATS:
        options = _options(suffix, title, drawing.alt)
        target = folder / f"{name}.{suffix}"
        write_atomically(target, partial(_write, drawing, title, profile.png_dpi, options))
    write_json(sidecar, folder / f"{name}.json")


def check_size(figure: Figure, name: str, width: Width, profile: Figures) -> None:
    """Refuse a canvas whose width is not exactly that of the column, or that is too high."""
    width_mm, height_mm = (float(side) * MM_PER_INCH for side in figure.get_size_inches())
    wanted = profile.width_mm(width)
    if abs(width_mm - wanted) > TOLERANCE_MM:
        raise InputError(f"figure {name}: {width_mm:.2f} mm wide, expected {wanted:g} mm ({width} column)")
    if height_mm > profile.max_height_mm + TOLERANCE_MM:
        raise InputError(
            f"figure {name}: {height_mm:.2f} mm high, expected at most {profile.max_height_mm:g}"
        )


def describe(drawing: Drawing, name: str, title: str, width: Width, provenance: Provenance) -> dict[str, Any]:
    """The sidecar: what is seen, in words, and what it was drawn from."""
    width_mm, height_mm = (float(side) * MM_PER_INCH for side in drawing.figure.get_size_inches())
    return {
        "name": name,
        "title": title,
        "alt": drawing.alt,
        "caption": drawing.caption,
        "column": width,
        "width_mm": round(width_mm, 2),
        "height_mm": round(height_mm, 2),
        "files": [f"{name}.{suffix}" for suffix in FORMATS],
        "inputs": [fingerprint(path) for path in sorted(provenance.inputs)],
        "parameters": dict(provenance.parameters),
        "seed": provenance.seed,
    }


def fingerprint(path: str) -> dict[str, str]:
    """Path, SHA-256 and git blob id (SHA-1 of header and content) of an input file."""
    try:
        content = Path(path).read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file, expected an input of a figure") from None
    blob = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False)
    return {"path": path, "sha256": hashlib.sha256(content).hexdigest(), "git_blob": blob.hexdigest()}


def _fix_layout(figure: Figure) -> None:
    """Place everything once, so that all formats agree (and to save the time of doing it for each)."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")


def _options(suffix: str, title: str, alt: str) -> dict[str, Any]:
    """Metadata without clock, program version or machine; title and alt text travel with the file."""
    if suffix == "pdf":
        blank = dict.fromkeys(["CreationDate", "ModDate", "Creator", "Producer"])
        return {"metadata": {**blank, "Title": title, "Subject": alt}}
    if suffix == "svg":
        blank = dict.fromkeys(["Date", "Creator", "Format", "Type"])
        return {"metadata": blank}
    return {"metadata": {"Software": None, "Title": title, "Description": alt}}


def _write(drawing: Drawing, title: str, dpi: int, options: dict[str, Any], path: Path) -> None:
    """Print through the format's own canvas: `savefig` would draw all twice, for a layout that is fixed."""
    drawing.figure.set_dpi(dpi)  # the PDF and SVG canvases leave 72 behind
    CANVASES[path.suffix](drawing.figure, path, options)
    if path.suffix == ".svg":
        text = _self_contained(path.read_text(encoding="utf-8"), title, drawing.alt)
        path.write_text(text, encoding="utf-8", newline="\n")


def _self_contained(svg: str, title: str, alt: str) -> str:
    """An SVG with title and description for readers who do not see it, and with the glyphs it uses."""
    start = svg.index(">", svg.index("<svg")) + 1
    head = svg[:start].replace("<svg", '<svg role="img"', 1)
    words = f"\n <title>{escape(title)}</title>\n <desc>{escape(alt)}</desc>"
    return f"{head}{words}\n <style>{font_faces(svg)}</style>{svg[start:]}"
