"""The figures as a journal takes them: named by their number in the paper, checked, and as line art in TIFF.

A figure's number is the one that the paper gives it; a figure that the paper does not show keeps its name.
"""

import io
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typst
from PIL import Image
from pypdf import PdfReader

from pipeline.core.errors import InputError
from pipeline.core.files import read_json, write_atomically, write_json
from pipeline.core.units import MM_PER_INCH
from pipeline.report import FONTS
from pipeline.report.settings import Figures

FORMATS = ("pdf", "svg", "png")
SHOWN = re.compile(r'\bpicture\(\s*"(?P<name>[^"]+)",\s*"(?P<number>[^"]+)"')
SIZE = re.compile(r"font(?:-size)?:\s*(?:\w+ )*?(?P<size>[\d.]+)px")  # a px of these files is a point
POINTS_PER_MM = 72 / MM_PER_INCH
TOLERANCE_MM = 0.02


@dataclass(frozen=True)
class Numbered:
    """A figure of the project and the file name under which it is handed on; the paper's number, if any."""

    name: str
    file: str
    number: str

    @property
    def label(self) -> str:
        """`Figure 4`, or nothing for a figure that the paper does not show."""
        return f"Figure {self.number}" if self.number else ""


def numbered(sections: Path, folder: Path) -> list[Numbered]:
    """Every figure of `folder`, those of the paper first; raises InputError for one that is missing."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted(sections.glob("*.typ")))
    shown = {match["name"]: match["number"] for match in SHOWN.finditer(text)}
    there = {path.stem for path in folder.glob("*.svg")}
    for name in shown:
        if name not in there:
            raise InputError(f"{sections}: picture {name!r}, expected one of {folder}/")
    first = [Numbered(name, f"figure-{shown[name]}", shown[name]) for name in shown]
    others = [Numbered(name, name, "") for name in sorted(there - set(shown))]
    return sorted(first, key=_order) + others


def _order(figure: Numbered) -> tuple[str, int, str]:
    """4 before 10, the supplement after the paper."""
    letters, digits, panel = re.fullmatch(r"(\D*)(\d+)(.*)", figure.number).groups()  # type: ignore[union-attr]
    return str(letters), int(digits), str(panel)


def check(folder: Path, name: str, profile: Figures) -> None:
    """Refuse a figure that does not keep the journal's profile: width, height, size of text, fonts inside."""
    _check_pdf(folder / f"{name}.pdf", profile)
    svg = folder / f"{name}.svg"
    for match in SIZE.finditer(svg.read_text(encoding="utf-8")):
        size = float(match["size"])
        if not profile.min_font_pt <= size <= profile.max_font_pt:
            bounds = f"{profile.min_font_pt:g} to {profile.max_font_pt:g} pt"
            raise InputError(f"{svg}: text of {size:g} pt, expected {bounds}")


def _check_pdf(path: Path, profile: Figures) -> None:
    page = PdfReader(path).pages[0]
    width_mm, height_mm = (
        float(side) / POINTS_PER_MM for side in (page.mediabox.width, page.mediabox.height)
    )
    widths = [profile.width_mm(width) for width in ("single", "middle", "double")]
    if min(abs(width_mm - width) for width in widths) > TOLERANCE_MM:
        raise InputError(f"{path}: {width_mm:.2f} mm wide, expected one of {widths}")
    if height_mm > profile.max_height_mm + TOLERANCE_MM:
        raise InputError(f"{path}: {height_mm:.2f} mm high, expected at most {profile.max_height_mm:g}")
    for font in page["/Resources"].get("/Font", {}).values():  # type: ignore[attr-defined]
        if not _embedded(font.get_object()):
            raise InputError(f"{path}: font {font.get_object()['/BaseFont']} is not embedded")


def _embedded(font: Any) -> bool:
    """Whether the PDF carries the outlines of a font (of its descendants, if it is a composite one)."""
    parts = [part.get_object() for part in font.get("/DescendantFonts", [])] or [font]
    descriptors = [
        part.get("/FontDescriptor", {}).get_object() for part in parts if "/FontDescriptor" in part
    ]
    return len(descriptors) == len(parts) and all(
        any(f"/FontFile{kind}" in descriptor for kind in ("", "2", "3")) for descriptor in descriptors
    )


def save(figure: Numbered, folder: Path, target: Path, profile: Figures) -> dict[str, Any]:
    """Check one figure and write all its formats into `target`; returns its sidecar under the new name."""
    check(folder, figure.name, profile)
    target.mkdir(parents=True, exist_ok=True)
    for suffix in FORMATS:
        shutil.copyfile(folder / f"{figure.name}.{suffix}", target / f"{figure.file}.{suffix}")
    line_art(folder / f"{figure.name}.svg", target / f"{figure.file}.tiff", profile.tiff_dpi)
    about: dict[str, Any] = read_json(folder / f"{figure.name}.json")
    files = [f"{figure.file}.{suffix}" for suffix in (*FORMATS, "tiff")]
    sidecar = {**about, "number": figure.number, "file": figure.file, "files": files}
    write_json(sidecar, target / f"{figure.file}.json")
    return sidecar


def line_art(svg: Path, target: Path, dpi: int) -> None:
    """Draw an SVG as an RGB TIFF at `dpi`, the same bytes each time."""
    page = f'#set page(width: auto, height: auto, margin: 0pt)\n#image("{svg.name}")'
    png = typst.compile(  # type: ignore[call-overload]  # its types want all paths as bytes
        page.encode(),
        root=svg.parent,
        format="png",
        ppi=dpi,
        ignore_system_fonts=True,
        font_paths=[FONTS],
    )
    image = Image.open(io.BytesIO(png)).convert("RGB")
    write_atomically(
        target, lambda path: image.save(path, "TIFF", compression="tiff_adobe_deflate", dpi=(dpi, dpi))
    )
