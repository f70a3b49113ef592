"""Axes set up the same way in every figure: log energy axes with plain numbers, rows with names."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FixedFormatter, FixedLocator, NullFormatter

from pipeline.present import style

ENERGY_LABEL = "Energy per query (Wh, log scale)"


def plain(value: float) -> str:
    """A tick as people read it: 0.001, 0.1, 1, 10, 1,000."""
    return f"{value:,.0f}" if value >= 1 else f"{value:.6f}".rstrip("0")


def significant(value: float, digits: int = 2) -> str:
    """A number with that many significant digits, one more from 10 on: 0.064, 3.9, 10.6."""
    if value == 0:
        return "0"
    exponent = math.floor(math.log10(abs(float(f"{value:.{digits - 1}e}"))))
    decimals = max(0, digits - (0 if exponent >= 1 else 1) - exponent)
    return f"{value:,.{decimals}f}"


def interval(value: float, low: float, high: float) -> str:
    """A value with its interval: 0.31 (0.16–0.60)."""
    return f"{significant(value)} ({significant(low)}–{significant(high)})"


def band_text(row: Mapping[Any, Any] | pd.Series, prefix: str = "") -> str:
    """`2.8 (1.6–6.6)` of <prefix>p50, p5 and p95; without ends, or where they agree, the median alone.

    A bound, which has no median, is `up to 3.7` or `at least 1.2`.
    """
    middle, low, high = (float(row[f"{prefix}{name}"]) for name in ("p50", "p5", "p95"))
    if math.isnan(middle):
        return f"at least {significant(low)}" if math.isnan(high) else f"up to {significant(high)}"
    return interval(middle, low, high) if low < high else significant(middle)


def log_axis(
    ax: Axes, which: Literal["x", "y"], low: float, high: float, label: str, grid: bool = True
) -> None:
    """A log axis with one plainly written tick a decade and small ticks at 2 to 9."""
    axis: Axis = ax.xaxis if which == "x" else ax.yaxis
    ax.set(**{f"{which}scale": "log", f"{which}lim": (low, high), f"{which}label": label})
    decades = 10.0 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    shown = [d for d in decades if low * 0.999 <= d <= high * 1.001]
    minor = [m * d for d in decades for m in range(2, 10) if low <= m * d <= high]
    axis.set_major_locator(FixedLocator(shown))
    axis.set_major_formatter(FixedFormatter([plain(d) for d in shown]))
    axis.set_minor_locator(FixedLocator(minor))
    axis.set_minor_formatter(NullFormatter())
    if grid:
        ax.grid(axis=which, which="major")


def log_axis_wh(ax: Axes, low: float, high: float, label: str = ENERGY_LABEL) -> None:
    """The horizontal axis of energy per query in Wh."""
    log_axis(ax, "x", low, high, label)


def name_rows(ax: Axes, names: Sequence[str], room: tuple[float, float] = (0.6, 0.6)) -> np.ndarray:
    """Rows from top to bottom, named on the left; returns the y of each row, 0 for the first, downwards.

    `room` is the space above the first and below the last row, in rows.
    """
    ys = np.arange(len(names), dtype=float)
    ax.set_yticks(ys, labels=list(names))
    ax.set_ylim(len(names) - 1 + room[1], -room[0])
    ax.tick_params(axis="y", length=0, labelsize=style.TEXT_PT)
    for label in ax.get_yticklabels():
        label.set_verticalalignment("center")
    ax.spines["left"].set_visible(False)
    return ys


def decade_span(values: Sequence[float], step: tuple[float, ...] = (1, 2, 5)) -> tuple[float, float]:
    """Limits of a log axis around positive values: the next 1, 2 or 5 below and above."""
    low, high = min(values), max(values)
    grid = [s * 10.0**e for e in range(-9, 13) for s in step]
    return max(g for g in grid if g <= low), min(g for g in grid if g >= high)
