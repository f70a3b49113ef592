"""What is kept of many draws: mean, percentiles, their Monte Carlo errors, and a histogram.

Draws come as (replicates, draws); NaN marks a draw that has been cut. Several replicates are independent
repetitions of the whole estimate: their mean is the value, the standard error of that mean the Monte Carlo
error. One replicate is a plain random sample: the error of a percentile is half the distance between the
order statistics one binomial standard deviation of the rank to either side, and of the mean sd / sqrt(n).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.float64]
Counts = NDArray[np.int64]
PERCENTS = (5.0, 25.0, 50.0, 75.0, 95.0)
STATISTICS = ("mean", "p5", "p25", "p50", "p75", "p95")
# Fixed, so that histograms of different quantities, variants and runs can be compared bin by bin.
LOG10_WH_EDGES = np.round(np.arange(-250, 201) * 0.02, 2)


@dataclass(frozen=True)
class Summary:
    """Values and errors in the order of STATISTICS; counts below the first edge, in each bin, and above."""

    value: Array
    error: Array
    counts: Counts
    draws: int

    def columns(self, unit: str) -> dict[str, float | int]:
        """The summary as columns: mean_<unit>, p5_<unit>, ..., mc_error_mean_<unit>, ..., n_draws."""
        values = {f"{name}_{unit}": float(value) for name, value in zip(STATISTICS, self.value, strict=True)}
        errors = {
            f"mc_error_{name}_{unit}": float(error)
            for name, error in zip(STATISTICS, self.error, strict=True)
        }
        return {**values, **errors, "n_draws": self.draws}


def sorted_quantiles(ordered: Array, first: Counts, last: Counts, percents: Sequence[float]) -> Array:
    """Percentiles, (replicates, percents), of ordered[r, first[r] : last[r] + 1], interpolated linearly."""
    position = np.asarray(percents) / 100 * (last - first)[:, None]
    whole = np.floor(position)
    weight = position - whole
    below = first[:, None] + whole.astype(np.int64)
    above = np.minimum(below + 1, last[:, None])
    low, high = np.take_along_axis(ordered, below, axis=1), np.take_along_axis(ordered, above, axis=1)
    # From the nearer side, as numpy does, so that a trim keeps the very draws that numpy.percentile keeps.
    step = high - low
    return np.where(weight < 0.5, low + step * weight, high - step * (1 - weight))


def summarise(draws: Array, edges: Array) -> Summary:
    """Summary of draws (replicates, draws) with a histogram of all of them on the given edges."""
    ordered = np.sort(draws, axis=1)  # NaN stands last
    kept = (~np.isnan(ordered)).sum(axis=1)
    mean = np.nansum(ordered, axis=1) / kept
    quantiles = sorted_quantiles(ordered, np.zeros_like(kept), kept - 1, PERCENTS)
    each = np.column_stack([mean, quantiles])
    several = len(each) > 1
    error = (
        each.std(axis=0, ddof=1) / np.sqrt(len(each)) if several else _sampling_error(ordered[0, : kept[0]])
    )
    return Summary(each.mean(axis=0), error, _histogram(ordered, kept, edges), int(kept.sum()))


def _sampling_error(ordered: Array) -> Array:
    n = len(ordered)
    share = np.asarray(PERCENTS) / 100
    spread = np.sqrt(n * share * (1 - share))
    low = np.clip(np.floor(n * share - spread).astype(int), 0, n - 1)
    high = np.clip(np.ceil(n * share + spread).astype(int), 0, n - 1)
    return np.array([ordered.std(ddof=1) / np.sqrt(n), *((ordered[high] - ordered[low]) / 2)])


def _histogram(ordered: Array, kept: Counts, edges: Array) -> Counts:
    rows = [
        np.diff(np.searchsorted(row[:n], edges), prepend=0, append=n)
        for row, n in zip(ordered, kept, strict=True)
    ]
    return np.sum(rows, axis=0).astype(np.int64)


def histogram_table(counts: Counts, edges: Array, low: str, high: str, **keys: str) -> pd.DataFrame:
    """The bins that hold draws: keys, lower and upper edge (infinite outside the edges), count."""
    bounds = np.concatenate([[-np.inf], edges, [np.inf]])
    table = pd.DataFrame({**keys, low: bounds[:-1], high: bounds[1:], "count": counts})
    return table[table["count"] > 0]
