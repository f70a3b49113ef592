"""A forest of distributions: a row for each subject, with density, interval and what the paper prints."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from pipeline.present import axes, marks
from pipeline.present.figures.published.tables import Histogram

RIDGE_HEIGHT = 0.5
PRINTED_BELOW = 0.17
MASS_SHOWN = 5e-3  # a density is drawn between the quantiles that leave this share on either side


@dataclass(frozen=True)
class Row:
    """One subject: name, colour, summary with p5_wh ... p95_wh, density, and a row of the claims."""

    name: str
    colour: str
    summary: pd.Series
    histogram: Histogram | None = None
    printed: pd.Series | None = None
    note: str | None = None


def draw_rows(ax: Axes, rows: Sequence[Row], named: bool = True, quartiles: bool = True) -> None:
    """Draw the rows from top to bottom; values stand on the left, under names if `named`.

    Without `quartiles` the values are medians alone.
    """
    for y, row in enumerate(rows):
        if row.histogram is not None:
            shown = trimmed(row.histogram)
            marks.density_ridge(ax, y, shown.edges, shown.per_decade(), row.colour, height=-RIDGE_HEIGHT)
        marks.summary_marks(ax, y, row.summary, row.colour)
        if row.printed is not None:
            printed = (float(row.printed[name]) for name in ("value", "low", "high"))
            marks.printed_marks(ax, y + PRINTED_BELOW, *printed)
    ax.set_ylim(len(rows) - 1 + 0.42, -0.62)
    names = [row.name if named else "" for row in rows]
    marks.row_names(ax, range(len(rows)), names, [note(row, quartiles) for row in rows])


def note(row: Row, quartiles: bool = True) -> str:
    """The value of a row in words: median (P25–P75) Wh, or the median alone."""
    p50, p25, p75 = (float(row.summary[f"p{p}_wh"]) for p in (50, 25, 75))
    return row.note or f"{axes.interval(p50, p25, p75) if quartiles else axes.significant(p50)} Wh"


def trimmed(histogram: Histogram) -> Histogram:
    """The bins that hold all but MASS_SHOWN of the draws on either side."""
    cumulative = np.cumsum(histogram.shares) / np.sum(histogram.shares)
    first = int(np.searchsorted(cumulative, MASS_SHOWN))
    last = int(np.searchsorted(cumulative, 1 - MASS_SHOWN)) + 1
    return Histogram(histogram.edges[first : last + 1], histogram.shares[first:last])


def limits(rows: Sequence[Row]) -> tuple[float, float]:
    """Round limits of a log axis that hold every interval and every density drawn."""
    values = [float(row.summary[f"p{p}_wh"]) for row in rows for p in (5, 95)]
    shown = [trimmed(row.histogram) for row in rows if row.histogram is not None]
    return axes.decade_span([*values, *(float(h.edges[i]) for h in shown for i in (0, -1))])


def in_words(rows: Sequence[Row]) -> str:
    """`Name 0.31 (0.16–0.60); ...` for alt texts."""
    return "; ".join(f"{row.name} {note(row).removesuffix(' Wh')}" for row in rows)


def histogram_of(row: Row) -> Histogram:
    """The histogram of a row that must have one."""
    if row.histogram is None:
        raise KeyError(f"{row.name}: no histogram")
    return row.histogram
