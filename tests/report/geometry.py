"""A drawn figure in points: its text boxes, its data marks, what overlaps, what is cut off."""

from dataclasses import dataclass
from itertools import combinations, pairwise
from unittest.mock import patch

import matplotlib.colors
import numpy as np
from matplotlib.artist import Artist
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import Collection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from pipeline.report.marks import DATA

DPI = 300
ON_PAPER = "on #FFFFFF"
SLACK_PT = 0.3  # text boxes include a little air above and below the letters


@dataclass(frozen=True)
class Label:
    """One piece of text that was really drawn, with its box in points from the lower left corner."""

    text: str
    box: Bbox
    size_pt: float
    colour: tuple[float, float, float]
    ground: tuple[float, float, float]  # what it stands on: white, or the bar named in its gid


def drawn_labels(figure: Figure) -> list[Label]:
    """Draw the figure and return every text on the canvas: not hidden ticks, not empty labels."""
    figure.set_dpi(DPI)
    renderer = FigureCanvasAgg(figure).get_renderer()
    drawn: dict[int, Text] = {}
    draw = Text.draw

    def recording(text: Text, target: RendererBase) -> None:
        draw(text, target)
        if text.get_visible() and text.get_text().strip():
            drawn[id(text)] = text

    with patch.object(Text, "draw", recording):
        figure.draw(renderer)
    return [_label(text, renderer) for text in drawn.values()]


def _label(text: Text, renderer: RendererBase) -> Label:
    box = Bbox(Text.get_window_extent(text, renderer).get_points() * 72 / DPI)
    colour = matplotlib.colors.to_rgb(text.get_color())
    ground = matplotlib.colors.to_rgb((text.get_gid() or ON_PAPER).removeprefix("on "))
    return Label(text.get_text(), box, float(text.get_fontsize()), colour, ground)


def overlapping(labels: list[Label]) -> list[tuple[str, str]]:
    """Pairs of texts whose boxes overlap by more than the air around letters."""
    return [(a.text, b.text) for a, b in combinations(labels, 2) if _overlap(a.box, b.box)]


def _overlap(a: Bbox, b: Bbox) -> bool:
    shared = Bbox.intersection(a, b)
    return shared is not None and min(shared.width, shared.height) > SLACK_PT


def outside(figure: Figure, labels: list[Label]) -> list[str]:
    """Texts that leave the canvas."""
    width, height = figure.get_size_inches() * 72
    canvas = Bbox([[-0.01, -0.01], [width + 0.01, height + 0.01]])
    corners = [(label.text, label.box.get_points()) for label in labels]
    return [text for text, points in corners if not all(canvas.contains(*p) for p in points)]


def on_data(figure: Figure, labels: list[Label]) -> list[str]:
    """Texts that stand on a mark that shows data (artists with the gid of `marks.DATA`)."""
    marks = [(*_path_in_points(artist), _joined(artist)) for artist in figure.findobj(_shows_data)]
    inner = [(label.text, label.box.padded(-SLACK_PT)) for label in labels]
    return [text for text, box in inner if any(_hits(*mark, box) for mark in marks)]


def _shows_data(artist: Artist) -> bool:
    return artist.get_gid() == DATA and isinstance(artist, Line2D | Patch | Collection)


def _path_in_points(artist: Artist) -> tuple[np.ndarray, float]:
    """The outline of a mark as (n, 2) points on the canvas, and half the width of its line or marker."""
    if isinstance(artist, Collection):
        points = np.vstack([p.vertices for p in artist.get_paths()])
        pad = 0.0
    else:
        points = artist.get_path().vertices
        pad = _half_width(artist)
    return artist.get_transform().transform(points) * 72 / DPI, pad


def _joined(artist: Artist) -> bool:
    """Whether the points of a mark are joined, as those of a line are and those of dots are not."""
    return not (isinstance(artist, Line2D) and artist.get_linestyle() == "None")


def _half_width(artist: Line2D | Patch) -> float:
    if isinstance(artist, Line2D):
        marker = 0.0 if artist.get_marker() in ("None", None, "") else artist.get_markersize()
        return max(artist.get_linewidth() if artist.get_linestyle() != "None" else 0.0, marker) / 2
    return 0.0


def _hits(points: np.ndarray, pad: float, joined: bool, box: Bbox) -> bool:
    grown = box.padded(pad)
    between = [np.linspace(a, b, 60) for a, b in pairwise(points)] if joined else []
    dense = np.vstack([points, *between])
    inside = (dense >= grown.min).all(axis=1) & (dense <= grown.max).all(axis=1)
    return bool(inside.any())


def contrast(colour: tuple[float, float, float], ground: tuple[float, float, float] = (1, 1, 1)) -> float:
    """WCAG 2.2 contrast ratio of two sRGB colours (https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio)."""
    light, dark = sorted((_luminance(colour), _luminance(ground)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: tuple[float, float, float]) -> float:
    channels = np.asarray(colour)
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])
