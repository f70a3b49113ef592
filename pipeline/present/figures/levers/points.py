"""Gains as they are drawn: ours a dot on its band, what others found a square on its range."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from pipeline.contracts.levers import BOUNDS
from pipeline.present import key, marks, style
from pipeline.present.figures.levers.tables import MEASURED

BLUE = style.MEANING["re_estimated"]
COLOURS = {MEASURED: style.MEANING["measured"]}
OTHERWISE = style.MEANING["modelled"]  # throughput at rated power, simulation
SQUARE_PT = 2.4
ARROW_PT = 3.4
SHADE = "#E3E7EC"  # behind the rows: what was published
LABEL = "Times less energy (log scale)"


def ours(ax: Axes, y: float, row: Mapping[str, Any], filled: bool = True) -> None:
    """Median and 90 % interval of a gain of the fitted model; open: the other of two cases."""
    flat: dict[str, Any] = {"color": BLUE, "solid_capstyle": "butt", "gid": marks.DATA}
    if np.isfinite(row["p5"]):
        ax.plot([row["p5"], row["p95"]], [y, y], linewidth=style.LINE_PT, zorder=2, **flat)
    ax.plot([row["p50"]], [y], linestyle="none", zorder=3, gid=marks.DATA, **_dot(filled))


def others(ax: Axes, y: float, row: Mapping[str, Any]) -> None:
    """What others found: the middle of their values, with the least and the most where there are several.

    A bound is an open arrow head at its end that points to where the value may lie.
    """
    colour = COLOURS.get(str(row["basis"]), OTHERWISE)
    if isinstance(row["bound"], str):
        end, marker = (row["p95"], "<") if row["bound"] == BOUNDS[0] else (row["p5"], ">")
        ax.plot([end], [y], zorder=2.5, gid=marks.DATA, **_arrow(marker, colour))
        return
    if np.isfinite(row["p5"]):
        ends = [row["p5"], row["p95"]]
        ax.plot(ends, [y, y], color=colour, linewidth=style.HAIR_PT, zorder=1.8, gid=marks.DATA)
    look: dict[str, Any] = {"marker": "s", "markersize": SQUARE_PT, "markeredgewidth": 0}
    ax.plot([row["p50"]], [y], linestyle="none", color=colour, zorder=2.5, gid=marks.DATA, **look)


def sample(filled: bool) -> list[Artist]:
    """The dot on its band in small."""
    line = Line2D([0, key.SIZE_PT[0]], [key.MIDDLE_PT] * 2, linewidth=style.LINE_PT, color=BLUE)
    return [line, Line2D([key.SIZE_PT[0] / 2], [key.MIDDLE_PT], **_dot(filled))]


def price(ax: Axes, y: float, row: Mapping[str, Any]) -> None:
    """A comparison of list prices: an open diamond, on its range where there are several."""
    if np.isfinite(row["p5"]):
        ends = [row["p5"], row["p95"]]
        ax.plot(ends, [y, y], color=style.MUTED, linewidth=style.HAIR_PT, zorder=1.8, gid=marks.DATA)
    ax.plot([row["p50"]], [y], zorder=2.5, gid=marks.DATA, **_open("D", style.MUTED, 2.6))


def arrow_sample() -> list[Artist]:
    """The arrow head of an upper bound."""
    return [Line2D([key.SIZE_PT[0] / 2], [key.MIDDLE_PT], **_arrow("<", style.INK))]


def price_sample() -> list[Artist]:
    """The diamond of a price."""
    return [Line2D([key.SIZE_PT[0] / 2], [key.MIDDLE_PT], **_open("D", style.MUTED, 2.6))]


def _arrow(marker: str, colour: str) -> dict[str, Any]:
    return _open(marker, colour, ARROW_PT)


def _open(marker: str, colour: str, size_pt: float) -> dict[str, Any]:
    look: dict[str, Any] = {"marker": marker, "markersize": size_pt, "markeredgewidth": 0.6}
    return {**look, "linestyle": "none", "markerfacecolor": style.PAPER, "markeredgecolor": colour}


def square_sample(colour: str) -> list[Artist]:
    """The square on its range in small."""
    line = Line2D([0, key.SIZE_PT[0]], [key.MIDDLE_PT] * 2, linewidth=style.HAIR_PT, color=colour)
    look: dict[str, Any] = {"marker": "s", "markersize": SQUARE_PT, "markeredgewidth": 0, "color": colour}
    return [line, Line2D([key.SIZE_PT[0] / 2], [key.MIDDLE_PT], **look)]


def _dot(filled: bool) -> dict[str, Any]:
    face, edge = (BLUE, style.PAPER) if filled else (style.PAPER, BLUE)
    look: dict[str, Any] = {"marker": "o", "markersize": marks.DOT_PT, "markeredgewidth": 0.6}
    return {**look, "color": BLUE, "markerfacecolor": face, "markeredgecolor": edge}
