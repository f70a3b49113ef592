"""Marks that mean the same in every figure, and the one-line key that explains them.

Intervals, printed values, direct labels, text beside rows. A key stands above the axes, so that a figure can
travel without its caption.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.offsetbox import AnchoredOffsetbox, DrawingArea, HPacker, TextArea
from matplotlib.patches import Rectangle
from matplotlib.text import Annotation
from matplotlib.transforms import ScaledTranslation, blended_transform_factory

from pipeline.report import style

DATA = "data"  # gid of what shows data; tests let no text stand on it
DOT_PT, PRINTED_PT, EDGE_PT, ARROW_PT = 3.6, 2.8, 0.6, 10.0
ENDS = (5, 50, 95)  # percentiles
BOX_HEIGHT, LIGHT = 0.5, 0.35  # rows, opacity
SEABORN_DOT: dict[str, Any] = {
    "marker": "o",
    "markersize": DOT_PT,
    "markeredgecolor": style.PAPER,
    "markeredgewidth": EDGE_PT,
}
FLAT: dict[str, Any] = {"solid_capstyle": "butt", "gid": DATA}

SIZE_PT = (18.0, 6.0)  # of a sample in the key
MIDDLE_PT = SIZE_PT[1] / 2
ABOVE_PT, LINE_PT, TOP_PT = 14.0, 9.0, 3.0  # room for panel titles, a line of the key, above the key
GAP = 0.05  # between panels, of their width
INTERVAL_WORDS = "median, P25–P75, P5–P95"
PRINTED_WORDS = "paper"
Sample = tuple[list[Artist], str]  # a mark in small, and its words


def dot_look(colour: str, filled: bool = True, marker: str = "o", size_pt: float = DOT_PT) -> dict[str, Any]:
    """A white-rimmed dot, or an open one."""
    face, edge = (colour, style.PAPER) if filled else (style.PAPER, colour)
    look: dict[str, Any] = {"marker": marker, "markersize": size_pt, "linestyle": "none", "color": colour}
    return {**look, "markerfacecolor": face, "markeredgecolor": edge, "markeredgewidth": EDGE_PT}


def intervals(
    ax: Axes, table: pd.DataFrame, ys: Sequence[float], colours: Sequence[str], name: str, thick: bool = True
) -> None:
    """Thin line P5-P95, thick line P25-P75 (if `thick`), dot P50: a row of `table` at each height.

    `name` has {} in the place of the percentile: `p{}_wh`.
    """
    columns = {name.format(percentile): percentile for percentile in ((5, 25, 50, 75, 95) if thick else ENDS)}
    rows = table[[*columns]].rename(columns=columns).assign(y=list(ys))
    long = rows.melt("y", var_name="percentile")
    look: dict[str, Any] = {
        "x": "value",
        "y": "y",
        "hue": "y",
        "palette": dict(zip(ys, colours, strict=True)),
        "orient": "h",
        "native_scale": True,
        "estimator": "median",
        "errorbar": ("pi", 100),
        "linestyle": "none",
        "legend": False,
        "ax": ax,
    }
    thin = {"linewidth": style.LINE_PT, "zorder": 2.0, **FLAT}
    sns.pointplot(long, err_kws=thin, zorder=3, gid=DATA, **SEABORN_DOT, **look)
    if thick:
        wide = {"linewidth": style.THICK_PT, "zorder": 2.1, **FLAT}
        sns.pointplot(long[~long["percentile"].isin(ENDS)], err_kws=wide, marker="", **look)
    ax.set_ylabel("")


def range_marks(
    ax: Axes, y: float, low: float, value: float, high: float, colour: str, filled: bool = True
) -> None:
    """A thin line `low`-`high` and a dot at `value`, where only one interval is known, or none."""
    if np.isfinite(low):
        ax.plot((low, high), (y, y), color=colour, linewidth=style.LINE_PT, zorder=2, **FLAT)
    ax.plot(value, y, zorder=3, gid=DATA, **dot_look(colour, filled))


def bound(ax: Axes, y: float, value: float, upper: bool, colour: str) -> None:
    """Only a bound is known: a bar at it, and an arrow towards where the value may lie."""
    ax.plot([value], [y], "|", markersize=DOT_PT, markeredgewidth=EDGE_PT, color=colour, zorder=3, gid=DATA)
    away = (-ARROW_PT if upper else ARROW_PT, 0)
    look = {"arrowstyle": "<|-", "color": colour, "linewidth": EDGE_PT, "mutation_scale": ARROW_PT / 2}
    look |= {"shrinkA": 0, "shrinkB": 0}
    ax.annotate("", (value, y), away, textcoords="offset points", arrowprops=look, gid=DATA)


def box(ax: Axes, y: float, low: float, high: float, colour: str) -> None:
    """The middle half of queries."""
    place: dict[str, Any] = {"xy": (low, y - BOX_HEIGHT / 2), "width": high - low, "height": BOX_HEIGHT}
    ax.add_patch(Rectangle(**place, facecolor=colour, alpha=LIGHT, linewidth=0, zorder=1.5, gid=DATA))


def light_line(ax: Axes, y: float, low: float, high: float, colour: str) -> None:
    """Where 90 % of single queries lie."""
    ax.plot((low, high), (y, y), color=colour, linewidth=style.HAIR_PT, alpha=0.6, zorder=1.8, **FLAT)


def printed_marks(
    ax: Axes, y: float, value: float, low: float | None = None, high: float | None = None
) -> None:
    """What the paper prints, to be set below ours: an open diamond, and ticks at the ends of its interval."""
    edge: dict[str, Any] = {
        "markeredgecolor": style.INK,
        "markeredgewidth": EDGE_PT,
        "zorder": 4,
        "gid": DATA,
    }
    ax.plot(value, y, "D", markersize=PRINTED_PT, markerfacecolor="none", **edge)
    ends = [end for end in (low, high) if end is not None and np.isfinite(end)]
    ax.plot(ends, [y] * len(ends), "|", markersize=PRINTED_PT + 0.6, **edge)


def reference_line(ax: Axes, value: float, axis: Literal["x", "y"], colour: str = style.MUTED) -> None:
    """A dashed line across the axes at a comparison value; label it beside or above the axes."""
    draw = ax.axvline if axis == "x" else ax.axhline
    draw(value, color=colour, linewidth=0.7, dashes=(3, 2), zorder=0.8, gid="reference")


def label_direct(
    ax: Axes,
    x: float,
    y: float,
    text: str,
    colour: str = style.INK,
    ha: str = "left",
    va: str = "center",
    offset_pt: tuple[float, float] = (4.0, 0.0),
    size: float = style.SMALL_PT,
    weight: str = "normal",
) -> Annotation:
    """A label beside the point (x, y) in data units, moved by `offset_pt` points."""
    where: dict[str, Any] = {"xytext": offset_pt, "textcoords": "offset points", "ha": ha, "va": va}
    return ax.annotate(text, (x, y), color=colour, fontsize=size, fontweight=weight, **where)


def column_head(ax: Axes, x_pt: float, text: str) -> None:
    """The head of a column of `row_cell`, above the axes."""
    place: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "va": "bottom"}
    ax.annotate(text, (1, 1), (x_pt, 1), color=style.MUTED, fontsize=style.SMALL_PT, **place)


def row_cell(ax: Axes, y: float, x_pt: float, text: str, weight: str = "normal") -> None:
    """Small text beside row `y`, `x_pt` points right of the axes."""
    place: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points"}
    ax.annotate(text, (1, y), (x_pt, 0), va="center", fontsize=style.SMALL_PT, fontweight=weight, **place)


def row_heading(ax: Axes, y: float, text: str) -> None:
    """The name of a group of rows among the names of the rows, bold."""
    place: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points"}
    look: dict[str, Any] = {"fontsize": style.SMALL_PT, "fontweight": "bold", "va": "center", "ha": "right"}
    ax.annotate(text, (0, y), (-3, 0), **place, **look)


def row_names(ax: Axes, ys: Sequence[float], names: Sequence[str], notes: Sequence[str]) -> None:
    """Row names on the left, each with a small second line (its value in words); a name may be blank."""
    transform = blended_transform_factory(ax.transAxes, ax.transData)
    place: dict[str, Any] = {"xycoords": transform, "textcoords": "offset points", "ha": "right"}
    small: dict[str, Any] = {"fontsize": style.SMALL_PT, "color": style.MUTED}
    for y, name, note in zip(ys, names, notes, strict=True):
        if name:
            ax.annotate(name, (0, y), xytext=(-5, 0.8), va="bottom", fontsize=style.TEXT_PT, **place)
        at = {"xytext": (-5, -0.8), "va": "top"} if name else {"xytext": (-5, 0), "va": "center"}
        ax.annotate(note, (0, y), **at, **small, **place)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)


def mark_sample(marker: str, size_pt: float, **look: Any) -> list[Artist]:
    """A marker in small; `look` as for Line2D."""
    return [Line2D([SIZE_PT[0] / 2], [MIDDLE_PT], marker=marker, markersize=size_pt, **look)]


def line_sample(colour: str, width_pt: float = 0.7, **look: Any) -> list[Artist]:
    """A line in small; `look` as for Line2D."""
    return [Line2D([0, SIZE_PT[0]], [MIDDLE_PT] * 2, linewidth=width_pt, color=colour, **look)]


def dash_sample() -> list[Artist]:
    """A dashed line in small."""
    return line_sample(style.INK, 0.8, dashes=(3, 1.5))


def patch_sample(colour: str, alpha: float = 1.0) -> list[Artist]:
    """A filled area in small."""
    return [Rectangle((2, 0.5), SIZE_PT[0] - 4, SIZE_PT[1] - 1, facecolor=colour, alpha=alpha, linewidth=0)]


def box_sample(colour: str) -> list[Artist]:
    """`box` with its dot in small."""
    return [*patch_sample(colour, LIGHT), *_centred(dot_look(colour))]


def light_sample(colour: str) -> list[Artist]:
    """`light_line` in small."""
    return line_sample(colour, style.HAIR_PT, alpha=0.6, solid_capstyle="butt")


def range_sample(colour: str, filled: bool = True) -> list[Artist]:
    """`range_marks` in small."""
    return [*line_sample(colour, style.LINE_PT, solid_capstyle="butt"), *_centred(dot_look(colour, filled))]


def interval_sample(colour: str = style.MUTED) -> list[Artist]:
    """`interval_marks` in small."""
    flat: dict[str, Any] = {"color": colour, "solid_capstyle": "butt"}
    return [
        Line2D([0, SIZE_PT[0]], [MIDDLE_PT] * 2, linewidth=style.LINE_PT, **flat),
        Line2D([4, SIZE_PT[0] - 4], [MIDDLE_PT] * 2, linewidth=style.THICK_PT, **flat),
        *_centred(dot_look(colour)),
    ]


def printed_sample(ends: bool = True) -> list[Artist]:
    """`printed_marks` in small, with or without the ends of its interval."""
    edge: dict[str, Any] = {"color": "none", "markeredgecolor": style.INK, "markeredgewidth": EDGE_PT}
    lines = mark_sample("D", PRINTED_PT, **edge)
    if ends:
        ticks: dict[str, Any] = {"marker": "|", "markersize": PRINTED_PT + 0.6, **edge}
        lines.append(Line2D([4, SIZE_PT[0] - 4], [MIDDLE_PT] * 2, **ticks))
    return lines


def bound_sample(colour: str) -> list[Artist]:
    """`bound` in small."""
    line = line_sample(colour, EDGE_PT)
    head = Line2D([SIZE_PT[0] - 1.5], [MIDDLE_PT], marker=">", markersize=2.4, color=colour, linestyle="none")
    bar = Line2D([0], [MIDDLE_PT], marker="|", markersize=DOT_PT, markeredgewidth=EDGE_PT, color=colour)
    return [*line, head, bar]


def _centred(look: Mapping[str, Any]) -> list[Artist]:
    return [Line2D([SIZE_PT[0] / 2], [MIDDLE_PT], **look)]


def interval_key(ax: Axes, printed: bool = True, colour: str = style.MUTED, lift_pt: float = 0.0) -> None:
    """The usual key: how an interval is drawn and, if `printed`, how values of the paper are."""
    entries = [(interval_sample(colour), INTERVAL_WORDS)]
    if printed:
        entries.append((printed_sample(), PRINTED_WORDS))
    key(ax, entries, lift_pt)


def key(ax: Axes, entries: Sequence[Sample], lift_pt: float = 0.0) -> None:
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


def key_above(figure: Figure, ax: Axes, lines: Sequence[Sequence[Sample]]) -> None:
    """A key flush right with `ax`, above the titles of the panels and wider than one of them.

    The layout keeps room for it on top: as a part of `ax` it would push the other panels aside.
    """
    for i, entries in enumerate(reversed(lines)):
        key(ax, entries, lift_pt=ABOVE_PT + i * LINE_PT)
        ax.artists[-1].set_in_layout(False)
    height_pt = 72 * float(figure.get_size_inches()[1])
    engine: Any = figure.get_layout_engine()
    room = (len(lines) * LINE_PT + TOP_PT) / height_pt
    engine.set(rect=(0, 0, 1, 1 - room), wspace=GAP)


def _drawing(artists: list[Artist]) -> DrawingArea:
    area = DrawingArea(*SIZE_PT, clip=False)
    for artist in artists:
        area.add_artist(artist)
    return area


def _words(text: str) -> TextArea:
    return TextArea(text, textprops={"fontsize": style.SMALL_PT, "color": style.MUTED})
