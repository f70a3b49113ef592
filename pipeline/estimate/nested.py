"""What is kept of nested draws: how queries vary, and how well we know it.

Draws come as (replicates, outer, inner): worlds of what we do not know, and the queries in each. Ignorance is
the spread over worlds of a statistic over queries; the total predictive interval is that of one query of a
service about which we know no more. Each value is the mean over replicates of the replicate's own value, its
Monte Carlo error the standard error of that mean. Nothing is cut.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
WORLD_PERCENTS = (5.0, 50.0, 95.0)
COLUMNS = (
    *(f"{statistic}_p{p:.0f}_wh" for statistic in ("median", "mean") for p in WORLD_PERCENTS),
    "query_p5_wh",
    "query_p95_wh",
    "total_p5_wh",
    "total_p50_wh",
    "total_p95_wh",
    "total_mean_wh",
)


def split(energy_wh: Array) -> dict[str, float]:
    """COLUMNS and mc_error_<column> of energies (replicates, outer, inner).

    median_p5 .. p95 and mean_p5 .. p95: over worlds, of the median and the mean over queries. query_p5 and
    query_p95: the median over worlds of those percentiles over queries. total: over all queries.
    """
    ordered = np.sort(energy_wh, axis=2)
    low, middle, high = np.moveaxis(sorted_quantiles(ordered), -1, 0)  # (replicates, outer) each
    each = [
        *sorted_quantiles(np.sort(middle, axis=1)).T,
        *sorted_quantiles(np.sort(energy_wh.mean(axis=2), axis=1)).T,
        np.median(low, axis=1),
        np.median(high, axis=1),
        *sorted_quantiles(np.sort(energy_wh.reshape(len(energy_wh), -1), axis=1)).T,
        energy_wh.mean(axis=(1, 2)),
    ]
    return with_errors(dict(zip(COLUMNS, each, strict=True)))


def with_errors(each: dict[str, Array]) -> dict[str, float]:
    """Mean over replicates of every value (replicates,), then its standard error as mc_error_<name>."""
    values = {name: float(value.mean()) for name, value in each.items()}
    errors = {f"mc_error_{name}": standard_error(value) for name, value in each.items()}
    return {**values, **errors}


def band(
    values: Array, replicates: int, percents: Sequence[float] = WORLD_PERCENTS, prefix: str = ""
) -> dict[str, float]:
    """<prefix>p5, .. of one value a world, (replicates x outer,), and mc_error_<prefix>p50."""
    # Hazen's positions, as in sorted_quantiles.
    each = np.percentile(values.reshape(replicates, -1), percents, axis=1, method="hazen")
    rows = dict(zip(percents, each, strict=True))
    found = {f"{prefix}p{percent:.0f}": float(row.mean()) for percent, row in rows.items()}
    return {**found, f"mc_error_{prefix}p50": standard_error(rows[50])}


def standard_error(each: Array) -> float:
    """Standard error of the mean of independent replicates."""
    return float(each.std(ddof=1) / np.sqrt(len(each)))


def sorted_quantiles(ordered: Array) -> Array:
    """WORLD_PERCENTS along the last, sorted axis, which they replace.

    Hazen's positions: value i of n stands for the share (i + 1/2) / n, as evenly spread points do; numpy's
    usual positions would overstate P5 of 256 log-normal draws by 2.5 %.
    """
    size = ordered.shape[-1]
    position = np.clip(np.array(WORLD_PERCENTS) / 100 * size - 0.5, 0, size - 1)
    below = np.floor(position).astype(int)
    above = np.minimum(below + 1, size - 1)
    share = position - below
    return np.asarray((1 - share) * ordered[..., below] + share * ordered[..., above])
