"""Marks that mean the same in every figure: intervals, densities, printed values, direct labels."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.text import Annotation
from matplotlib.transforms import blended_transform_factory

from pipeline.present import style

DATA = "data"  # gid of what shows data; tests let no text stand on it
DOT_PT, PRINTED_PT = 3.6, 2.8
RIDGE_ALPHA = 0.30


def interval_marks(
    ax: Axes,
    y: float,
    p5: float,
    p25: float,
    p50: float,
    p75: float,
    p95: float,
    colour: str,
    orientation: Literal["h", "v"] = "h",
) -> None:
    """Thin line P5-P95, thick line P25-P75, dot P50, at position `y` across the value axis."""
    spans = [((p5, p95), style.LINE_PT, 2.0), ((p25, p75), style.THICK_PT, 2.1)]
    for ends, width, order in spans:
        line = (ends, (y, y)) if orientation == "h" else ((y, y), ends)
        ax.plot(*line, color=colour, linewidth=width, solid_capstyle="butt", zorder=order, gid=DATA)
    at = (p50, y) if orientation == "h" else (y, p50)
    dot: dict[str, Any] = {"markersize": DOT_PT, "markeredgecolor": style.PAPER, "markeredgewidth": 0.6}
    ax.plot(*at, "o", color=colour, zorder=3, gid=DATA, **dot)


def summary_marks(
    ax: Axes, y: float, summary: Mapping[str, Any] | pd.Series, colour: str, unit: str = "wh"
) -> None:
    """`interval_marks` from a row with p5_<unit> ... p95_<unit>."""
    p5, p25, p50, p75, p95 = (float(summary[f"p{p}_{unit}"]) for p in (5, 25, 50, 75, 95))
    interval_marks(ax, y, p5, p25, p50, p75, p95, colour)


def range_marks(
    ax: Axes, y: float, low: float, value: float, high: float, colour: str, orientation: str = "h"
) -> None:
    """A thin line `low`-`high` and a dot at `value`, where only one interval is known."""
    line = ((low, high), (y, y)) if orientation == "h" else ((y, y), (low, high))
    at = (value, y) if orientation == "h" else (y, value)
    ax.plot(*line, color=colour, linewidth=style.LINE_PT, solid_capstyle="butt", zorder=2, gid=DATA)
    dot: dict[str, Any] = {"markersize": DOT_PT, "markeredgecolor": style.PAPER, "markeredgewidth": 0.6}
    ax.plot(*at, "o", color=colour, zorder=3, gid=DATA, **dot)


def printed_marks(
    ax: Axes, y: float, value: float, low: float | None = None, high: float | None = None
) -> None:
    """What the paper prints, to be set below ours: an open diamond, and ticks at the ends of its interval."""
    edge: dict[str, Any] = {"markeredgecolor": style.INK, "markeredgewidth": 0.6, "zorder": 4, "gid": DATA}
    ax.plot(value, y, "D", markersize=PRINTED_PT, markerfacecolor="none", **edge)
    ends = [end for end in (low, high) if end is not None and np.isfinite(end)]
    ax.plot(ends, [y] * len(ends), "|", markersize=PRINTED_PT + 0.6, **edge)


def density_ridge(
    ax: Axes,
    base: float,
    edges: np.ndarray,
    density: np.ndarray,
    colour: str,
    height: float = 0.7,
) -> None:
    """A filled density standing on `base`, scaled so that its peak is `height` axis units high.

    edges: (n+1,) bin edges on the value axis; density: (n,) per bin, any unit.
    """
    top = base + height * np.asarray(density) / np.max(density)
    options: dict[str, Any] = {
        "color": colour,
        "alpha": RIDGE_ALPHA,
        "linewidth": 0,
        "zorder": 1,
        "gid": "density",
    }
    ax.stairs(top, edges, baseline=base, fill=True, **options)


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


def row_texts(ax: Axes, ys: Sequence[float], texts: Sequence[str], x: float = 1.02, ha: str = "left") -> None:
    """A column of small text at axes fraction `x`, one a row: numbers beside a forest of intervals."""
    transform = blended_transform_factory(ax.transAxes, ax.transData)
    for y, text in zip(ys, texts, strict=True):
        ax.text(x, y, text, transform=transform, ha=ha, va="center", fontsize=style.SMALL_PT)


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


def reference_line(ax: Axes, value: float, axis: Literal["x", "y"], colour: str = style.MUTED) -> None:
    """A dashed line across the axes at a comparison value; label it beside or above the axes."""
    draw = ax.axvline if axis == "x" else ax.axhline
    draw(value, color=colour, linewidth=0.7, dashes=(3, 2), zorder=0.8, gid="reference")
