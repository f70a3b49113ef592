"""What a figure is, how it is declared, and how it is saved: PDF, SVG and PNG with a sidecar.

A figure is declared where it is drawn:

    @figure("fig-w3-closed-loop", "What a closed loop saves on site", "double")
    def fig_closed_loop(profile: Figures, water_sites: pd.DataFrame) -> Drawing:
        ...
        found = finding((saved > 0, f"A closed loop saves water at {saved} of {len(sites)} sites"))
        return Drawing(drawn, alt, caption, found)

Its finding stands first in title, caption and alternative text. The build stops where none holds any more.
PDF and SVG stand beside their caption; the PNG travels alone and has finding, unit and origin in the picture.

The sidecar says what a figure was drawn from. The revision of an input is its git blob id: it follows
from the content alone, so it is the same in every clone and before and after a commit, it does not
change when only outputs are committed, and `git log --find-object=<id>` names the commit that brought
the file in.
"""

import base64
import hashlib
import html
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from fontTools import subset
from fontTools.ttLib import TTFont
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from pipeline.core.errors import InputError
from pipeline.core.files import write_atomically, write_json
from pipeline.core.units import MM_PER_INCH
from pipeline.report import FONT, FONTS, style
from pipeline.report.declared import Declared, Function, note
from pipeline.report.settings import Figures, Width

FORMATS = ["pdf", "svg", "png"]
MOST_WORDS = 12  # of a finding
ORIGIN = "perquery, an open re-analysis; CC BY 4.0. Drawn from"
ROW_PT = 8.0  # of the name of a row
AIR_PT = 4.0  # around the lines that a PNG has above and below
TOLERANCE_MM = 0.01
WEIGHTS = {"400": "Roboto-Regular.ttf", "700": "Roboto-Bold.ttf"}
FIRST_SENTENCE = re.compile(r".*?[.](?=\s+[(A-Z]|$)", re.DOTALL)
TEXT = re.compile(r"<text\b([^>]*)>(.*?)</text>", re.DOTALL)
CANVASES: dict[str, Callable[[Figure, Path, dict[str, Any]], None]] = {
    ".pdf": lambda figure, path, options: FigureCanvasPdf(figure).print_pdf(path, **options),
    ".svg": lambda figure, path, options: FigureCanvasSVG(figure).print_svg(path, **options),
    ".png": lambda figure, path, options: FigureCanvasAgg(figure).print_png(path, **options),
}


@dataclass(frozen=True)
class Drawing:
    """A drawn figure and the words that go with it; all of them carry numbers of the results.

    alt: what is seen, in full; caption: how it is to be read, its first sentence naming unit and boundary.
    """

    figure: Figure
    alt: str
    caption: str
    finding: str

    @property
    def short(self) -> str:
        """What is said, and of what: one line for who does not see it."""
        return f"{self.finding}. {self.subtitle}"

    @property
    def subtitle(self) -> str:
        """The first sentence of the caption."""
        return FIRST_SENTENCE.match(self.caption)[0]  # type: ignore[index]


def finding(*said: tuple[bool, str]) -> str:
    """The first text whose condition holds.

    Raises InputError where none does: the figure then says something else than it was drawn to say.
    """
    for holds, text in said:
        if bool(holds):
            if len(text.split()) > MOST_WORDS:
                raise InputError(
                    f"finding {text!r}: {len(text.split())} words, expected at most {MOST_WORDS}"
                )
            return text
    raise InputError(f"no finding holds any more of: {'; '.join(text for _, text in said)}")


@dataclass(frozen=True)
class Entry(Declared):
    """One figure: what it is about, and its column of the journal; drawn inside `style.context()`."""

    title: str
    width: Width


def figure(name: str, title: str, width: Width, **options: Any) -> Callable[[Function], Function]:
    """Declare a figure: the function below draws it, with these options; it may draw others, with others."""
    return lambda draw: note(draw, Entry(name, draw, options, title, width))


def by_number(entry: Entry) -> list[tuple[int, str]]:
    """A key that sorts fig-r9 before fig-r10."""
    parts = re.split(r"(\d+)", entry.name)
    return [(int(part), "") if part.isdigit() else (0, part) for part in parts]


def save_figure(
    drawing: Drawing, folder: Path | str, entry: Entry, profile: Figures, inputs: Sequence[Path]
) -> None:
    """Write `<name>.pdf`, `.svg`, `.png` and `.json` into `folder`, the same bytes on every run.

    `inputs`: the files of its tables. Call it inside `style.context()`. Raises InputError when the
    canvas is not as wide as the column, is too high, or an input is missing.
    """
    folder = Path(folder)
    check_size(drawing.figure, entry.name, entry.width, profile)
    _fix_layout(drawing.figure)
    sidecar = describe(drawing, entry, inputs)
    for suffix in FORMATS:
        if suffix == "png":
            frame(drawing, entry)
        options = _options(suffix, drawing.finding, drawing.short)
        target = folder / f"{entry.name}.{suffix}"
        write_atomically(target, partial(_write, drawing, profile.png_dpi, options))
    write_json(sidecar, folder / f"{entry.name}.json")


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


def describe(drawing: Drawing, entry: Entry, inputs: Sequence[Path]) -> dict[str, Any]:
    """The sidecar: what is seen, in words, and what it was drawn from."""
    width_mm, height_mm = (float(side) * MM_PER_INCH for side in drawing.figure.get_size_inches())
    return {
        "name": entry.name,
        "title": drawing.finding,
        "topic": entry.title,
        "subtitle": drawing.subtitle,
        "alt": drawing.short,
        "description": drawing.alt,
        "caption": f"{drawing.finding}. {drawing.caption}",
        "column": entry.width,
        "width_mm": round(width_mm, 2),
        "height_mm": round(height_mm, 2),
        "panels_pt": panels_pt(drawing.figure),
        "files": [f"{entry.name}.{suffix}" for suffix in FORMATS],
        "inputs": [fingerprint(path) for path in sorted(inputs)],
        "sections": entry.sections,
    }


def panels_pt(figure: Figure) -> list[list[list[float]]]:
    """What a phone shows of a figure under one another: the key, then panels that stand beside one another.

    Each is one or two parts side by side, as left, top, width and height: a panel that shares its rows with
    the first has their names before it. Empty for a figure of one column.
    """
    scale, (width, height) = 72 / figure.dpi, figure.get_size_inches() * 72
    columns: list[tuple[Bbox, Axes]] = []
    for ax in sorted(figure.axes, key=lambda ax: ax.get_position().x0):
        box = Bbox(ax.get_tightbbox().get_points() * scale)  # type: ignore[union-attr]
        if columns and ax.get_position().x0 < columns[-1][1].get_position().x1:
            columns[-1] = Bbox.union([columns[-1][0], box]), columns[-1][1]
        else:
            columns.append((box, ax))
    keys = [a.get_window_extent() for ax in figure.axes for a in ax.artists if not a.get_in_layout()]
    key = Bbox(Bbox.union(keys).get_points() * scale) if keys else None
    top = height - key.y0 if key else 0.0
    cuts = [0.0, *((left.x1 + right.x0) / 2 for (left, _), (right, _) in pairwise(columns)), width]
    first = columns[0][1].get_position()
    lowest = min(ax.get_position().y0 for ax in figure.axes) * height - ROW_PT / 2
    found = [[[key.x0, height - key.y1, key.width, key.height]]] if key else []
    for (_, ax), start, end in zip(columns, cuts[:-1], cuts[1:], strict=True):
        shares = start > 0 and ax.get_shared_y_axes().joined(ax, columns[0][1])
        names = [[0.0, top, first.x0 * width, height - lowest - top]] if shares else []
        found.append([*names, [start, top, end - start, height - top]])
    return [[[round(x, 1) for x in part] for part in panel] for panel in found] if len(columns) > 1 else []


def fingerprint(path: Path | str) -> dict[str, str]:
    """Path, SHA-256 and git blob id (SHA-1 of header and content) of an input file."""
    try:
        content = Path(path).read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file, expected an input of a figure") from None
    blob = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False)
    return {
        "path": Path(path).as_posix(),
        "sha256": hashlib.sha256(content).hexdigest(),
        "git_blob": blob.hexdigest(),
    }


def _fix_layout(figure: Figure) -> None:
    """Place everything once, so that all formats agree (and to save the time of doing it for each)."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")


def frame(drawing: Drawing, entry: Entry) -> None:
    """Add finding and subtitle above and the origin below, on a canvas that is as wide; call it once."""
    figure, (width, height) = drawing.figure, drawing.figure.get_size_inches()
    inside, drawn = list(figure.axes), list(figure.texts)
    air = AIR_PT / 72
    look: dict[str, Any] = {"ha": "left", "va": "top", "wrap": True, "fontsize": style.SMALL_PT}
    origin = f"{ORIGIN} {', '.join(table.split('/')[-1] for table in entry.tables)}."
    lines = [
        figure.text(0, 0, drawing.finding, **look | {"fontsize": style.TITLE_PT, "fontweight": "bold"}),
        figure.text(0, 0, drawing.subtitle, color=style.MUTED, **look),
        figure.text(0, 0, origin, color=style.MUTED, **look),
    ]
    for line in lines:
        line.set_x(air / width)
    title, subtitle, source = (line.get_window_extent().height / figure.dpi for line in lines)
    above, below = title + subtitle + 3.5 * air, source + 2 * air
    total = height + above + below
    figure.set_size_inches(width, total)
    for ax in inside:
        x, y, wide, high = ax.get_position(original=True).bounds
        ax.set_position((x, (y * height + below) / total, wide, high * height / total))
    for text in drawn:
        text.set_y((text.get_position()[1] * height + below) / total)
    for line, top in zip(lines, (total - air, total - title - 2 * air, below - air), strict=True):
        line.set_y(top / total)


def _options(suffix: str, title: str, alt: str) -> dict[str, Any]:
    """Metadata without clock, program version or machine; title and alt text travel with the file."""
    if suffix == "pdf":
        blank = dict.fromkeys(["CreationDate", "ModDate", "Creator", "Producer"])
        return {"metadata": {**blank, "Title": title, "Subject": alt}}
    if suffix == "svg":
        blank = dict.fromkeys(["Date", "Creator", "Format", "Type"])
        return {"metadata": blank}
    return {"metadata": {"Software": None, "Title": title, "Description": alt}}


def _write(drawing: Drawing, dpi: int, options: dict[str, Any], path: Path) -> None:
    """Print through the format's own canvas: `savefig` would draw all twice, for a layout that is fixed."""
    drawing.figure.set_dpi(dpi)  # the PDF and SVG canvases leave 72 behind
    CANVASES[path.suffix](drawing.figure, path, options)
    if path.suffix == ".svg":
        text = _self_contained(path.read_text(encoding="utf-8"), drawing.finding, drawing.alt)
        path.write_text(text, encoding="utf-8", newline="\n")


def _self_contained(svg: str, title: str, alt: str) -> str:
    """An SVG with title and description for readers who do not see it, and with the glyphs it uses."""
    start = svg.index(">", svg.index("<svg")) + 1
    head = svg[:start].replace("<svg", '<svg role="img"', 1)
    words = f"\n <title>{escape(title)}</title>\n <desc>{escape(alt)}</desc>"
    return f"{head}{words}\n <style>{font_faces(svg)}</style>{svg[start:]}"


def font_faces(svg: str) -> str:
    """CSS `@font-face` rules with the glyphs of every text element of `svg`, one a weight in use."""
    rules = []
    for weight, characters in sorted(used_characters(svg).items()):
        data = base64.b64encode(glyphs(FONTS / WEIGHTS[weight], characters)).decode("ascii")
        source = f"src:url(data:font/ttf;base64,{data})"
        rules.append(f"@font-face{{font-family:'{FONT}';font-weight:{weight};{source}}}")
    return "".join(rules)


def used_characters(svg: str) -> dict[str, str]:
    """The characters that are drawn in regular (400) and bold (700), sorted."""
    used: dict[str, set[str]] = {}
    for attributes, content in TEXT.findall(svg):
        weight = "700" if re.search(r"font(-weight)?:\s*(bold|[67]00)\b", attributes) else "400"
        used.setdefault(weight, set()).update(html.unescape(re.sub(r"<[^>]+>", "", content)))
    return {weight: "".join(sorted(characters - {"\n"})) for weight, characters in used.items()}


def glyphs(path: Path, characters: str) -> bytes:
    """A TrueType font with only the given characters, without hints; the same bytes on every run."""
    options = subset.Options(hinting=False, layout_features=["kern"], name_IDs=[0, 1, 2, 13, 14])
    options.recalc_timestamp = False
    font = TTFont(path, recalcTimestamp=False)
    subsetter = subset.Subsetter(options)
    subsetter.populate(text=characters)
    subsetter.subset(font)
    buffer = io.BytesIO()
    font.save(buffer)
    return buffer.getvalue()
