"""A one-line key above the axes that explains the marks, so that a figure can travel without its caption."""

from collections.abc import Sequence
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.offsetbox import AnchoredOffsetbox, DrawingArea, HPacker, TextArea
from matplotlib.patches import Rectangle
from matplotlib.transforms import ScaledTranslation

from pipeline.present import marks, style

SIZE_PT = (18.0, 6.0)
MIDDLE_PT = SIZE_PT[1] / 2
ABOVE_PT, LINE_PT = 14.0, 9.0  # room for panel titles; height of a line of the key
EDGE_PT, GAP = 3.0, 0.05  # above the key; between panels, of their width


def interval_sample(colour: str = style.MUTED) -> list[Artist]:
    """The interval marks in small."""
    flat: dict[str, Any] = {"color": colour, "solid_capstyle": "butt"}
    dot: dict[str, Any] = {"markersize": marks.DOT_PT, "markeredgecolor": style.PAPER, "markeredgewidth": 0.6}
    return [
        Line2D([0, SIZE_PT[0]], [MIDDLE_PT] * 2, linewidth=style.LINE_PT, **flat),
        Line2D([4, SIZE_PT[0] - 4], [MIDDLE_PT] * 2, linewidth=style.THICK_PT, **flat),
        Line2D([SIZE_PT[0] / 2], [MIDDLE_PT], marker="o", color=colour, **dot),
    ]


def printed_sample(ends: bool = True) -> list[Artist]:
    """The mark of a printed value in small, with or without the ends of its interval."""
    edge: dict[str, Any] = {"color": "none", "markeredgecolor": style.INK, "markeredgewidth": 0.6}
    diamond: dict[str, Any] = {"marker": "D", "markersize": marks.PRINTED_PT, **edge}
    ticks: dict[str, Any] = {"marker": "|", "markersize": marks.PRINTED_PT + 0.6, **edge}
    lines: list[Artist] = [Line2D([SIZE_PT[0] / 2], [MIDDLE_PT], **diamond)]
    if ends:
        lines.append(Line2D([4, SIZE_PT[0] - 4], [MIDDLE_PT] * 2, **ticks))
    return lines


def patch_sample(colour: str, alpha: float = 1.0) -> list[Artist]:
    """A filled area in small."""
    return [Rectangle((2, 0.5), SIZE_PT[0] - 4, SIZE_PT[1] - 1, facecolor=colour, alpha=alpha, linewidth=0)]


def outline_sample(colour: str) -> list[Artist]:
    """A line in small."""
    return [Line2D([0, SIZE_PT[0]], [MIDDLE_PT] * 2, linewidth=0.7, color=colour)]


def dash_sample() -> list[Artist]:
    """A dashed line in small."""
    return [Line2D([0, SIZE_PT[0]], [MIDDLE_PT] * 2, linewidth=0.8, color=style.INK, dashes=(3, 1.5))]


INTERVAL_WORDS = "median, P25–P75, P5–P95"
PRINTED_WORDS = "paper"


def interval_key(ax: Axes, printed: bool = True, colour: str = style.MUTED, lift_pt: float = 0.0) -> None:
    """The usual key: how an interval is drawn and, if `printed`, how values of the paper are."""
    entries = [(interval_sample(colour), INTERVAL_WORDS)]
    if printed:
        entries.append((printed_sample(), PRINTED_WORDS))
    key(ax, entries, lift_pt)


def key(ax: Axes, entries: Sequence[tuple[list[Artist], str]], lift_pt: float = 0.0) -> None:
    """Samples with their words in one line above the axes, flush right; `lift_pt` leaves room for a title."""
    boxes: list[Artist] = [
        HPacker(children=[_drawing(sample), _words(text)], align="center", pad=0, sep=3)
        for sample, text in entries
    ]
    line = HPacker(children=boxes, align="center", pad=0, sep=8)
    points = ax.figure.dpi_scale_trans
    above = ax.transAxes + ScaledTranslation(0, lift_pt / 72, points)
    place: dict[str, Any] = {"bbox_to_anchor": (1, 1), "bbox_transform": above}
    box = AnchoredOffsetbox("lower right", child=line, frameon=False, pad=0, borderpad=0.15, **place)
    box.set_clip_on(False)
    ax.add_artist(box)


def above(figure: Figure, ax: Axes, lines: Sequence[Sequence[tuple[list[Artist], str]]]) -> None:
    """A key flush right with `ax`, above the titles of the panels and wider than one of them.

    The layout keeps room for it on top: as a part of `ax` it would push the other panels aside.
    """
    for i, entries in enumerate(reversed(lines)):
        key(ax, entries, lift_pt=ABOVE_PT + i * LINE_PT)
        ax.artists[-1].set_in_layout(False)
    height_pt = 72 * float(figure.get_size_inches()[1])
    engine: Any = figure.get_layout_engine()
    room = (len(lines) * LINE_PT + EDGE_PT) / height_pt
    engine.set(rect=(0, 0, 1, 1 - room), wspace=GAP)


def _drawing(artists: list[Artist]) -> DrawingArea:
    area = DrawingArea(*SIZE_PT, clip=False)
    for artist in artists:
        area.add_artist(artist)
    return area


def _words(text: str) -> TextArea:
    return TextArea(text, textprops={"fontsize": style.SMALL_PT, "color": style.MUTED})
