"""What figures of the published analysis are drawn from, how its draws spread, and its token lengths."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from pipeline.core.read import row_where, rows_where
from pipeline.report import formats, marks, style
from pipeline.report.figures import Drawing, figure, finding
from pipeline.report.settings import Figures

ANALYSIS, VARIANT = "as_published", "v2"
ALL_MODELS, BLEND = "all models", "blend"
KINDS = {"short": "chat", "long": "reasoning"}
BINS_JOINED = 2  # bins of the table to one bar
SHOWN_P95 = 1.5  # the axis ends at this multiple of the 95th percentile
GREY = style.MEANING["as_published"]


@dataclass(frozen=True)
class Histogram:
    """Shares of draws in bins: edges (n+1,) on the value axis, shares (n,) of all draws."""

    edges: np.ndarray
    shares: np.ndarray

    def rebinned(self, edges: np.ndarray) -> np.ndarray:
        """Shares in other bins, each old bin spread evenly; (len(edges) - 1,)."""
        return np.diff(np.interp(edges, self.edges, np.concatenate([[0.0], np.cumsum(self.shares)])))

    def quantiles(self, probabilities: np.ndarray) -> np.ndarray:
        """Values below which these shares of the draws inside the bins lie; evenly in ln inside a bin."""
        cumulative = np.concatenate([[0.0], np.cumsum(self.shares)]) / self.shares.sum()
        return np.exp(np.interp(probabilities, cumulative, np.log(self.edges)))

    def powers_of_ten(self) -> "Histogram":
        """The same bins where the edges are log10 of the values."""
        return Histogram(10**self.edges, self.shares)


def histogram(rows: pd.DataFrame, unit: str) -> Histogram:
    """Bins that hold no draws have no row; draws outside the bins count in the shares alone."""
    low, high, count = (rows[name].to_numpy(float) for name in (f"{unit}_low", f"{unit}_high", "count"))
    inside = np.isfinite(low) & np.isfinite(high)
    edges = np.unique(np.concatenate([low[inside], high[inside]]))
    shares = np.zeros(len(edges) - 1)
    shares[np.searchsorted(edges, low[inside])] = count[inside] / count.sum()
    return Histogram(edges, shares)


def claimed(claims: pd.DataFrame, key: str) -> pd.Series | None:
    """A published value with its low and high; None where the paper has none."""
    rows = claims[claims["key"].str.replace("-", "_") == key]
    return rows.iloc[0] if len(rows) else None


@dataclass(frozen=True)
class Row:
    """One subject: name, colour, summary with p5_wh ... p95_wh, its draws, and a row of the claims."""

    name: str
    colour: str
    summary: pd.Series
    draws: Histogram | None = None
    printed: pd.Series | None = None
    note: str = ""

    def words(self, quartiles: bool = True) -> str:
        """The value in words: median (P25–P75) Wh, or the median alone."""
        p50, p25, p75 = (float(self.summary[f"p{p}_wh"]) for p in (50, 25, 75))
        return self.note or f"{formats.interval(p50, p25, p75) if quartiles else formats.significant(p50)} Wh"


@dataclass(frozen=True)
class Results:
    """Tables energy_per_query, claims, which they are set beside, and for violins energy_histograms."""

    energy: pd.DataFrame
    claims: pd.DataFrame
    histograms: pd.DataFrame | None = None

    def models(self, regime: str) -> list[str]:
        """The models of the analysis, highest median first."""
        rows = rows_where(self.energy, analysis=ANALYSIS, variant=VARIANT, regime=regime)
        rows = rows[~rows["subject"].str.startswith(BLEND)]
        return list(rows.sort_values("p50_wh", ascending=False)["subject"])

    def row(self, regime: str, subject: str, variant: str = VARIANT, claim: str = "") -> Row:
        """One subject as it is drawn; `claim`: key of what the paper prints."""
        place = {"analysis": ANALYSIS, "variant": variant, "regime": regime, "subject": subject}
        blend = subject == BLEND
        return Row(
            "Blend" if blend else subject,
            style.INK if blend else style.model_colour(subject),
            row_where(self.energy, **place),
            self.draws(**place),
            claimed(self.claims, claim),
        )

    def draws(self, **place: str) -> Histogram | None:
        """How the draws of one subject spread over Wh."""
        if self.histograms is None:
            return None
        return histogram(rows_where(self.histograms, **place), "log10_wh").powers_of_ten()


@figure("fig-s1-token-lengths-short", "Output tokens, chat", "single", regime="short")
@figure("fig-s2-token-lengths-long", "Output tokens, reasoning", "single", regime="long")
def output_tokens(
    profile: Figures,
    results__token_lengths: pd.DataFrame,
    token_histograms: pd.DataFrame,
    published__claims: pd.DataFrame,
    *,
    regime: str,
) -> Drawing:
    """How long the answers are that the analysis assumes."""
    place = {"analysis": ANALYSIS, "variant": VARIANT, "regime": regime, "subject": ALL_MODELS}
    summary = row_where(results__token_lengths, **place)
    spread = histogram(rows_where(token_histograms, **place), "tokens")
    p25, p50, p75, p95 = (float(summary[f"p{p}_tokens"]) for p in (25, 50, 75, 95))
    width = float(np.diff(spread.edges).min()) * BINS_JOINED
    edges = np.arange(0, p95 * SHOWN_P95 + width, width)
    shares = 100 * spread.rebinned(edges)
    drawn, ax = style.new_figure(profile, "single", height_mm=46)
    below = -0.13 * float(shares.max())
    marks.intervals(ax, summary.to_frame().T, [below], [GREY], "p{}_tokens")
    _bars(ax, edges, shares)
    claim = claimed(published__claims, f"v2.tokens.{regime}")
    if claim is not None:
        marks.printed_marks(ax, below * 1.9, *(float(claim[name]) for name in ("value", "low", "high")))
    words = f"median {p50:,.0f}\nP25–P75 {p25:,.0f}–{p75:,.0f}\nP95 {p95:,.0f}"
    ax.text(0.98, 0.9, words, transform=ax.transAxes, ha="right", va="top", linespacing=1.1)
    marks.interval_key(ax, colour=GREY)
    numbers = f"median {p50:,.0f}, quartiles {p25:,.0f} and {p75:,.0f}, P95 {p95:,.0f}"
    alt = f"Histogram of output tokens per {KINDS[regime]} query, highest at zero and falling: {numbers}."
    caption = (
        f"Output tokens per {KINDS[regime]} query, as published. {numbers.capitalize()}. {style.UNCERTAINTY} "
        f"{style.PRINTED} Bins of {width:,.0f} tokens; queries above {edges[-1]:,.0f} tokens are not shown."
    )
    says = finding((p95 > p50, f"As published, one answer in twenty exceeds {p95:,.0f} tokens"))
    return Drawing(drawn, alt, caption, says)


def _bars(ax: Axes, edges: np.ndarray, shares: np.ndarray) -> None:
    top = float(shares.max())
    ax.stairs(shares, edges, fill=True, color=GREY, alpha=0.45, linewidth=0, gid="density")
    ax.set(xlim=(0, edges[-1]), ylim=(-0.34 * top, top * 1.05))
    ax.set(xlabel="Output tokens per query", ylabel="Share of queries (% a bin)")
    ax.set_yticks([tick for tick in ax.get_yticks() if 0 <= tick <= top])
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
