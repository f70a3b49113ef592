"""Supplement: how long the answers are that the analysis assumes."""

import numpy as np

from pipeline.assumptions.figures import Figures
from pipeline.present import key, marks, style
from pipeline.present.figures.published.tables import REGIME_NAMES, Histogram, PublishedTables
from pipeline.present.save import Drawing

BINS = 50
SHOWN = 0.99  # share of the draws on the axis


def fig_token_lengths_short(tables: PublishedTables, profile: Figures) -> Drawing:
    """Traditional queries."""
    return _token_lengths(tables, profile, "short")


def fig_token_lengths_long(tables: PublishedTables, profile: Figures) -> Drawing:
    """Queries with test-time scaling."""
    return _token_lengths(tables, profile, "long")


def _token_lengths(tables: PublishedTables, profile: Figures, regime: str) -> Drawing:
    histogram = tables.token_histogram(regime)
    colour = style.MEANING["as_published"]
    p5, p25, p50, p75, p95, end = quantiles(histogram, [0.05, 0.25, 0.5, 0.75, 0.95, SHOWN])
    edges = np.linspace(0, end, BINS + 1)
    figure, ax = style.new_figure(profile, "single", height_mm=46)
    shares = 100 * histogram.rebinned(edges)
    ax.stairs(shares, edges, fill=True, color=colour, alpha=0.45, linewidth=0, gid="density")
    top = float(shares.max())
    below = -0.13 * top
    marks.interval_marks(ax, below, p5, p25, p50, p75, p95, colour)
    claim = tables.claim(f"v2.tokens.{regime}")
    marks.printed_marks(ax, below * 1.9, *(float(claim[name]) for name in ("value", "low", "high")))
    ax.set(xlim=(0, end), ylim=(below * 2.6, top * 1.05), xlabel="Output tokens per query")
    ax.set_ylabel("Share of queries (% a bin)")
    ax.set_yticks([tick for tick in ax.get_yticks() if 0 <= tick <= top])
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    words = f"median {p50:,.0f}\nP25–P75 {p25:,.0f}–{p75:,.0f}\nP95 {p95:,.0f}"
    ax.text(0.98, 0.9, words, transform=ax.transAxes, ha="right", va="top", linespacing=1.1)
    key.interval_key(ax, colour=colour)
    kind = REGIME_NAMES[regime]
    numbers = f"median {p50:,.0f}, quartiles {p25:,.0f} and {p75:,.0f}, P95 {p95:,.0f}"
    alt = f"Histogram of output tokens per {kind} query, highest at zero and falling: {numbers}."
    caption = (
        f"Output tokens per {kind} query, as published: an exponential with {numbers}. {style.UNCERTAINTY} "
        f"{style.PRINTED} Bins of {edges[1]:,.0f} tokens; the longest {100 * (1 - SHOWN):.0f}% are not shown."
    )
    return Drawing(figure, alt, caption)


def quantiles(histogram: Histogram, probabilities: list[float]) -> np.ndarray:
    """Quantiles of a histogram, each bin spread evenly."""
    cumulative = np.concatenate([[0.0], np.cumsum(histogram.shares)])
    return np.interp(np.array(probabilities) * cumulative[-1], cumulative, histogram.edges)
