"""Token lengths as quantiles and histograms, from exact counts or from a source's own bins."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.contracts.telemetry import PERCENTILES, TOKEN_LENGTH_HISTOGRAMS, TOKEN_LENGTHS

Array = NDArray[np.float64]
BINS_PER_DECADE = 24
# Whole tokens, evenly spaced on a log axis once a bin is wider than one token; up to 10^6.
EDGES = np.unique(np.r_[0, np.round(10 ** (np.arange(6 * BINS_PER_DECADE + 1) / BINS_PER_DECADE))])


def from_counts(values: Array, weights: Array) -> tuple[dict[str, Any], pd.DataFrame]:
    """Summary and histogram of whole token counts; `weights` are requests per value (shape as `values`).

    A percentile is the smallest value that at least that share of the requests does not exceed.
    """
    order = np.argsort(values, kind="stable")
    values, weights = np.asarray(values, float)[order], np.asarray(weights, float)[order]
    below = np.cumsum(weights) / weights.sum()
    # A share that equals the percentile must count as reached, whatever the last bit of the sum.
    at = np.searchsorted(below, np.array(PERCENTILES) / 100 - 1e-12)
    summary = _summary(weights, np.average(values, weights=weights), values[at], "exact")
    counts, _ = np.histogram(values, bins=EDGES, weights=weights)
    return summary, _histogram(EDGES[:-1], EDGES[1:], counts)


def from_bins(low: Array, high: Array, counts: Array) -> tuple[dict[str, Any], pd.DataFrame]:
    """Summary and histogram of a source's own adjoining bins; lengths spread evenly inside a bin."""
    low, high, counts = (np.asarray(values, float) for values in (low, high, counts))
    reached = np.r_[0, np.cumsum(counts)] / counts.sum()
    percentiles = np.interp(np.array(PERCENTILES) / 100, reached, np.r_[low[0], high])
    mean = np.average((low + high) / 2, weights=counts)
    return _summary(counts, mean, percentiles, "binned"), _histogram(low, high, counts)


def tables(entries: list[dict[str, Any]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """TOKEN_LENGTHS and TOKEN_LENGTH_HISTOGRAMS from entries with labels, `summary` and `histogram`."""
    labels = [{k: v for k, v in entry.items() if k not in ("summary", "histogram")} for entry in entries]
    rows = [label | entry["summary"] for label, entry in zip(labels, entries, strict=True)]
    lengths = pd.DataFrame(rows).reindex(columns=list(TOKEN_LENGTHS.columns))
    lengths["note"] = lengths["note"].astype("str")
    lengths["spearman_input_output"] = lengths["spearman_input_output"].astype("float64")
    parts = [entry["histogram"].assign(key=entry["key"], quantity=entry["quantity"]) for entry in entries]
    histograms = pd.concat(parts, ignore_index=True)[list(TOKEN_LENGTH_HISTOGRAMS.columns)]
    by = ["key", "quantity"]
    return (
        lengths.sort_values(by, kind="stable", ignore_index=True),
        histograms.sort_values([*by, "from_tokens"], kind="stable", ignore_index=True),
    )


def _summary(weights: Array, mean: float, percentiles: Array, resolution: str) -> dict[str, Any]:
    named = {f"p{q}": float(value) for q, value in zip(PERCENTILES, percentiles, strict=True)}
    return {"requests": float(weights.sum()), "mean": float(mean), **named, "resolution": resolution}


def _histogram(low: Array, high: Array, counts: Array) -> pd.DataFrame:
    used = counts > 0
    share = counts[used] / counts.sum()
    return pd.DataFrame({"from_tokens": low[used], "to_tokens": high[used], "share": share})
