"""Supplement: how long the answers are that the analysis assumes."""

import numpy as np
from matplotlib.axes import Axes

from pipeline.assumptions.figures import Figures
from pipeline.present import key, marks, style
from pipeline.present.figures.published.tables import REGIME_NAMES, PublishedTables
from pipeline.present.save import Drawing

BINS_JOINED = 2  # bins of the table to one bar
SHOWN_P95 = 1.5  # the axis ends at this multiple of the 95th percentile


def fig_token_lengths_short(tables: PublishedTables, profile: Figures) -> Drawing:
    """Traditional queries."""
    return _token_lengths(tables, profile, "short")


def fig_token_lengths_long(tables: PublishedTables, profile: Figures) -> Drawing:
    """Queries with test-time scaling."""
    return _token_lengths(tables, profile, "long")


def _token_lengths(tables: PublishedTables, profile: Figures, regime: str) -> Drawing:
    summary, histogram = tables.lengths(regime)
    p5, p25, p50, p75, p95 = (float(summary[f"p{p}_tokens"]) for p in (5, 25, 50, 75, 95))
    width = float(np.diff(histogram.edges).min()) * BINS_JOINED
    edges = np.arange(0, p95 * SHOWN_P95 + width, width)
    shares = 100 * histogram.rebinned(edges)
    figure, ax = style.new_figure(profile, "single", height_mm=46)
    _draw(ax, edges, shares)
    below, colour = -0.13 * float(shares.max()), style.MEANING["as_published"]
    marks.interval_marks(ax, below, p5, p25, p50, p75, p95, colour)
    claim = tables.claim(f"v2.tokens.{regime}")
    if claim is not None:
        marks.printed_marks(ax, below * 1.9, *(float(claim[name]) for name in ("value", "low", "high")))
    words = f"median {p50:,.0f}\nP25–P75 {p25:,.0f}–{p75:,.0f}\nP95 {p95:,.0f}"
    ax.text(0.98, 0.9, words, transform=ax.transAxes, ha="right", va="top", linespacing=1.1)
    key.interval_key(ax, colour=colour)
    kind = REGIME_NAMES[regime]
    numbers = f"median {p50:,.0f}, quartiles {p25:,.0f} and {p75:,.0f}, P95 {p95:,.0f}"
    alt = f"Histogram of output tokens per {kind} query, highest at zero and falling: {numbers}."
    caption = (
        f"Output tokens per {kind} query, as published: {numbers}. {style.UNCERTAINTY} {style.PRINTED} "
        f"Bins of {width:,.0f} tokens; queries above {edges[-1]:,.0f} tokens are not shown."
    )
    return Drawing(figure, alt, caption)


def _draw(ax: Axes, edges: np.ndarray, shares: np.ndarray) -> None:
    top = float(shares.max())
    colour = style.MEANING["as_published"]
    ax.stairs(shares, edges, fill=True, color=colour, alpha=0.45, linewidth=0, gid="density")
    ax.set(xlim=(0, edges[-1]), ylim=(-0.34 * top, top * 1.05))
    ax.set(xlabel="Output tokens per query", ylabel="Share of queries (% a bin)")
    ax.set_yticks([tick for tick in ax.get_yticks() if 0 <= tick <= top])
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
