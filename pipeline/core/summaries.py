"""What is kept of many draws: mean, percentiles, their Monte Carlo errors, and a histogram.

Draws come as (replicates, draws); NaN marks a draw that has been cut. Several replicates are independent
repetitions of the whole estimate: their mean is the value, the standard error of that mean the Monte Carlo
error. One replicate is a plain random sample: the error of a percentile is half the distance between the
order statistics one binomial standard deviation of the rank to either side, and of the mean sd / sqrt(n).

Nested draws come as (replicates, outer, inner): epistemic samples, and the queries in each. What is not
known is the spread over samples of a statistic over queries; the total predictive interval is that of one
query of a service about which we know no more. Each value is the mean over replicates of the replicate's own
value, its Monte Carlo error the standard error of that mean. Nothing is cut.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.core.units import Array, Indices

PERCENTS = (5.0, 25.0, 50.0, 75.0, 95.0)
STATISTICS = ("mean", "p5", "p25", "p50", "p75", "p95")
# Fixed, so that histograms of different quantities, variants and runs can be compared bin by bin.
LOG10_WH_EDGES = np.round(np.arange(-250, 201) * 0.02, 2)


@dataclass(frozen=True)
class Summary:
    """Values and errors in the order of STATISTICS; counts below the first edge, in each bin, and above."""

    value: Array
    error: Array
    counts: Indices
    draws: int

    def columns(self, unit: str) -> dict[str, float | int]:
        """The summary as columns: mean_<unit>, p5_<unit>, ..., mc_error_mean_<unit>, ..., n_draws."""
        values = {f"{name}_{unit}": float(value) for name, value in zip(STATISTICS, self.value, strict=True)}
        errors = {
            f"mc_error_{name}_{unit}": float(error)
            for name, error in zip(STATISTICS, self.error, strict=True)
        }
        return {**values, **errors, "n_draws": self.draws}


def sorted_quantiles(ordered: Array, first: Indices, last: Indices, percents: Sequence[float]) -> Array:
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
    return summarise_ordered(np.sort(draws, axis=1), edges)


def summarise_ordered(ordered: Array, edges: Array) -> Summary:
    """The same of draws that increase along axis 1, NaN last, as np.sort leaves them."""
    kept = np.array([row.searchsorted(np.nan) for row in ordered])
    mean = np.array([row[:n].mean() for row, n in zip(ordered, kept, strict=True)])
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


def _histogram(ordered: Array, kept: Indices, edges: Array) -> Indices:
    rows = [
        np.diff(np.searchsorted(row[:n], edges), prepend=0, append=n)
        for row, n in zip(ordered, kept, strict=True)
    ]
    return np.sum(rows, axis=0).astype(np.int64)


def histogram_table(counts: Indices, edges: Array, low: str, high: str, **keys: str) -> pd.DataFrame:
    """The bins that hold draws: keys, lower and upper edge (infinite outside the edges), count."""
    bounds = np.concatenate([[-np.inf], edges, [np.inf]])
    table = pd.DataFrame({**keys, low: bounds[:-1], high: bounds[1:], "count": counts})
    return table[table["count"] > 0]


SAMPLE_PERCENTS = (5.0, 50.0, 95.0)
COLUMNS = (
    *(f"{statistic}_p{p:.0f}_wh" for statistic in ("median", "mean") for p in SAMPLE_PERCENTS),
    "query_p5_wh",
    "query_p95_wh",
    "total_p5_wh",
    "total_p50_wh",
    "total_p95_wh",
    "total_mean_wh",
)


def split(energy_wh: Array, pooled: Array | None = None) -> dict[str, float]:
    """How queries of one service differ, and how well such a service is known, from nested draws.

    Parameters
    ----------
    energy_wh : (replicates, outer, inner): epistemic samples, and the queries in each.
    pooled : the same, sorted in each replicate, (replicates, outer x inner), where it is at hand.

    Returns
    -------
    COLUMNS, Wh, and mc_error_<column>, the Monte Carlo standard error of each. median_p5 .. p95 and
    mean_p5 .. p95: over epistemic samples, of the median and the mean over queries. query_p5 and query_p95:
    the median over epistemic samples of those percentiles over queries. total: over all queries.

    Examples
    --------
    >>> service = np.array([1.0, 2.0, 4.0])[:, None]  # three that could be, whose queries are alike
    >>> found = split(np.broadcast_to(service, (2, 3, 5)))
    >>> found["median_p50_wh"], found["query_p95_wh"] - found["query_p5_wh"]
    (2.0, 0.0)
    """
    if pooled is None:
        pooled = np.sort(energy_wh.reshape(len(energy_wh), -1), axis=1)
    ordered = np.sort(energy_wh, axis=2)
    low, middle, high = np.moveaxis(hazen_quantiles(ordered), -1, 0)  # (replicates, outer) each
    each = [
        *hazen_quantiles(np.sort(middle, axis=1)).T,
        *hazen_quantiles(np.sort(energy_wh.mean(axis=2), axis=1)).T,
        np.median(low, axis=1),
        np.median(high, axis=1),
        *hazen_quantiles(pooled).T,
        energy_wh.mean(axis=(1, 2)),
    ]
    return with_errors(dict(zip(COLUMNS, each, strict=True)))


def with_errors(each: dict[str, Array]) -> dict[str, float]:
    """Mean over replicates of every value (replicates,), then its standard error as mc_error_<name>."""
    values = {name: float(value.mean()) for name, value in each.items()}
    errors = {f"mc_error_{name}": standard_error(value) for name, value in each.items()}
    return {**values, **errors}


def band(
    values: Array, replicates: int, percents: Sequence[float] = SAMPLE_PERCENTS, prefix: str = ""
) -> dict[str, float]:
    """<prefix>p5, .. of one value a sample, (replicates x outer,), and mc_error_<prefix>p50."""
    # Hazen's positions, as in sorted_quantiles.
    each = np.percentile(values.reshape(replicates, -1), percents, axis=1, method="hazen")
    rows = dict(zip(percents, each, strict=True))
    found = {f"{prefix}p{percent:.0f}": float(row.mean()) for percent, row in rows.items()}
    return {**found, f"mc_error_{prefix}p50": standard_error(rows[50])}


def standard_error(each: Array) -> float:
    """Standard error of the mean of independent replicates."""
    return float(each.std(ddof=1) / np.sqrt(len(each)))


def hazen_quantiles(ordered: Array) -> Array:
    """SAMPLE_PERCENTS along the last, sorted axis, which they replace.

    Hazen's positions: value i of n stands for the share (i + 1/2) / n, as evenly spread points do; numpy's
    usual positions would overstate P5 of 256 log-normal draws by 2.5 %.
    """
    size = ordered.shape[-1]
    position = np.clip(np.array(SAMPLE_PERCENTS) / 100 * size - 0.5, 0, size - 1)
    below = np.floor(position).astype(int)
    above = np.minimum(below + 1, size - 1)
    share = position - below
    return np.asarray((1 - share) * ordered[..., below] + share * ordered[..., above])
