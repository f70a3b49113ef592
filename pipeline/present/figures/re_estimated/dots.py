"""Dots of the re-estimate: filled with production lengths, open with those of the published analysis."""

from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from pipeline.present import key, marks, style
from pipeline.present.figures.re_estimated.tables import PRODUCTION

COLOUR = style.MEANING["re_estimated"]
BAND_PT, BAND_ALPHA = 5.0, 0.28  # of an interval of ignorance; the line of queries shows through
FLAT: dict[str, Any] = {"color": COLOUR, "solid_capstyle": "butt"}


def options(variant: str) -> dict[str, Any]:
    """How a dot of one length scenario looks."""
    filled = variant == PRODUCTION
    look: dict[str, Any] = {"marker": "o", "markersize": marks.DOT_PT, "color": COLOUR}
    edge = style.PAPER if filled else COLOUR
    face = COLOUR if filled else style.PAPER
    return {**look, "markerfacecolor": face, "markeredgecolor": edge, "markeredgewidth": 0.6}


def dot(ax: Axes, x: float, y: float, variant: str) -> None:
    """A dot at (x, y) that shows data."""
    ax.plot([x], [y], linestyle="none", zorder=3, gid=marks.DATA, **options(variant))


def line(ax: Axes, low: float, high: float, y: float) -> None:
    """A thin horizontal line that shows data."""
    ax.plot([low, high], [y, y], linewidth=style.LINE_PT, zorder=2, gid=marks.DATA, **FLAT)


def band(ax: Axes, low: float, high: float, y: float) -> None:
    """A light thick horizontal line that shows an interval of ignorance."""
    ax.plot([low, high], [y, y], linewidth=BAND_PT, alpha=BAND_ALPHA, zorder=1.5, gid=marks.DATA, **FLAT)


def sample(variant: str, banded: bool) -> list[Artist]:
    """The dot on its line in small, with the band behind it if `banded`."""
    ends = [0, key.SIZE_PT[0]]
    lines: list[Artist] = [Line2D(ends, [key.MIDDLE_PT] * 2, linewidth=style.LINE_PT, **FLAT)]
    if banded:
        inner = [ends[0] + 4, ends[1] - 4]
        look: dict[str, Any] = {"linewidth": BAND_PT, "alpha": BAND_ALPHA}
        lines.insert(0, Line2D(inner, [key.MIDDLE_PT] * 2, **look, **FLAT))
    return [*lines, Line2D([key.SIZE_PT[0] / 2], [key.MIDDLE_PT], **options(variant))]
