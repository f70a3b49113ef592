"""Predicted against measured: points on a line of equality, one kind of mark for each set."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from pipeline.present import axes, key, marks, style

POINT_PT2 = 5.0
ROOM_BELOW = 0.9  # of the least value, so that its mark is whole


@dataclass(frozen=True)
class Points:
    """One set: name, measured and predicted values, marker, colour, filled or open."""

    name: str
    measured: np.ndarray
    predicted: np.ndarray
    marker: str
    colour: str
    filled: bool = True
    alpha: float = 1.0
    size_pt2: float = POINT_PT2

    @property
    def median_error(self) -> float:
        """Median of |ln(measured / predicted)|."""
        return float(np.median(np.abs(np.log(self.measured / self.predicted))))

    def sample(self) -> list[Artist]:
        """The mark in small, for the key."""
        face = self.colour if self.filled else "none"
        edge: dict[str, Any] = {
            "markeredgecolor": self.colour,
            "markeredgewidth": 0.6,
            "markerfacecolor": face,
        }
        x, y = key.SIZE_PT[0] / 2, key.MIDDLE_PT
        return [Line2D([x], [y], marker=self.marker, markersize=self.size_pt2**0.5 + 1, color="none", **edge)]


def draw(ax: Axes, sets: Sequence[Points], label: str) -> None:
    """All sets, the line of equality and, dashed, factors of 1.5 on either side."""
    values = np.concatenate([np.r_[s.measured, s.predicted] for s in sets])
    low, high = axes.decade_span([float(values.min()) * ROOM_BELOW, float(values.max()) / ROOM_BELOW])
    ends = np.array([low, high])
    ax.plot(ends, ends, color=style.MUTED, linewidth=0.7, zorder=0.8, gid="reference")
    for factor in (1.5, 1 / 1.5):
        ax.plot(
            ends, ends * factor, color=style.RULE, linewidth=0.6, dashes=(3, 2), zorder=0.7, gid="reference"
        )
    for points in sets:
        ax.scatter(
            points.measured,
            points.predicted,
            s=points.size_pt2,
            marker=points.marker,
            facecolors=points.colour if points.filled else "none",
            edgecolors="none" if points.filled else points.colour,
            linewidths=0.6,
            alpha=points.alpha,
            zorder=2,
            gid=marks.DATA,
        )
    axes.log_axis(ax, "x", low, high, f"Measured {label}")
    axes.log_axis(ax, "y", low, high, f"Predicted {label}")
    ax.set_aspect("equal")


def in_words(sets: Sequence[Points]) -> str:
    """`Name 0.12 (328 rows); ...`: median errors for alt texts and captions."""
    return "; ".join(f"{s.name} {s.median_error:.2f} ({len(s.measured):,} rows)" for s in sets)
