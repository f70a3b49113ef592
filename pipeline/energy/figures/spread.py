"""Where the spread comes from: Sobol shares of the variance of ln energy, and token lengths."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from pipeline.core.read import rows_where
from pipeline.core.units import QUANTITIES
from pipeline.energy.figures.change import BLUE, GREY, PRODUCTION
from pipeline.energy.model.contract import TARGETS
from pipeline.report import marks, style
from pipeline.report.figures import Drawing, figure, finding
from pipeline.report.settings import Figures

TRACE = style.MEANING["measured"]
PARTS = {  # of a bar, from left to right: groups of sources, their colour
    "lengths": (("length",), "#1D5BD6"),
    "which model": (("model",), "#7EA2EA"),
    "throughput": (("throughput",), "#B9CDF5"),
    "load, power, PUE": (("load", "power", "pue"), "#E1E9FA"),
}
TOGETHER, TOGETHER_COLOUR = "several together", "#C3C8CF"
COLOURS = {name: colour for name, (_, colour) in PARTS.items()} | {TOGETHER: TOGETHER_COLOUR}
ONE_MODEL = "one of the blend"
BAR, NUMBERED_FROM = 0.62, 2.5  # rows; percent
BARS = {
    ("short", TARGETS[0]): "One chat query",
    ("short", TARGETS[1]): "A chat service’s mean",
    ("long", TARGETS[0]): "One reasoning query",
    ("long", TARGETS[1]): "A reasoning service’s mean",
}
QUANTITY_NAMES = {"input_tokens": "input", "output_tokens": "output"}
LENGTHS_ALPHA = 0.18
TRACE_PT = 3.2
TEXT_LINE_PT = 8.6


@figure("fig-r7-variance-shares", "Which sources of spread matter", "double")
def shares_of_variance(profile: Figures, variance_shares: pd.DataFrame) -> Drawing:
    """A bar for each question, of what each group of sources explains alone; real traffic."""
    bars = {name: parts(variance_shares, *place) for place, name in BARS.items()}
    drawn, ax = style.new_figure(profile, "double", 52)
    for y, shares in enumerate(bars.values()):
        _stacked(ax, y, shares)
    style.name_rows(ax, list(bars), room=(0.5, 0.5))
    marks.key(ax, [(marks.patch_sample(colour), name) for name, colour in COLOURS.items()])
    ax.set(xlim=(0, 100), xlabel="Share of the uncertainty (%)")
    words = "; ".join(
        f"{name}: {', '.join(f'{part} {share:.0f} %' for part, share in shares.items())}"
        for name, shares in bars.items()
    )
    alt = f"Stacked bars of shares that sum to 100 %. {words}."
    widest = 100 * float(variance_shares["first_order_half_width"].max())
    caption = (
        "Share of the variance of the logarithm of energy per query, real traffic, whole data centre, linear "
        "scale. The first bar of each pair is of one query drawn at random, which differs from others; the "
        "second of the mean over the queries of a service, which is uncertain and does not vary. Each part "
        f"is what a source explains alone (90 % interval at most ± {widest:.0f} points); several together: "
        "what only their combination explains. Grouped Sobol indices."
    )
    shares = bars[BARS["short", TARGETS[1]]]
    top = max(shares, key=lambda part: shares[part])
    text = f"{top.capitalize()} alone: {shares[top]:.0f} % of what is uncertain about chat"
    says = finding((top != TOGETHER, text))
    return Drawing(drawn, alt, caption, says)


def parts(shares: pd.DataFrame, regime: str, target: str) -> dict[str, float]:
    """Percent of the variance that each part of a bar explains alone, and what is left."""
    rows = rows_where(shares, regime=regime, target=target, variant=PRODUCTION)
    single = rows["subject"] == ONE_MODEL  # a service runs one; a query of the blend is one model's anyway
    rows = (rows[single] if single.any() else rows).set_index("group")
    alone = rows["first_order"].clip(lower=0)
    whole = max(1.0, float(alone.sum()))  # above one by sampling error alone
    found = {
        name: 100 * float(alone.reindex(list(groups)).sum()) / whole for name, (groups, _) in PARTS.items()
    }
    return found | {TOGETHER: max(0.0, 100 - sum(found.values()))}


def _stacked(ax: Axes, y: int, shares: Mapping[str, float]) -> None:
    left = 0.0
    for name, share in shares.items():
        colour = COLOURS[name]
        ax.barh(y, share, BAR, left=left, color=colour, edgecolor=style.PAPER, linewidth=0.5, gid="bar")
        if share >= NUMBERED_FROM:
            ink = style.PAPER if name == "lengths" else style.INK
            place: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": style.SMALL_PT}
            ax.text(left + share / 2, y, f"{share:.0f}", color=ink, gid=f"on {colour}", **place)
        left += share


@figure("fig-r9-lengths", "Token lengths, assumed against production", "double")
def lengths(profile: Figures, length_quantiles: pd.DataFrame) -> Drawing:
    """Share of queries with at most so many tokens; short and long down, input and output across."""
    table = length_quantiles
    drawn, panels = style.new_figure(profile, "double", 92, 2, 2, sharex=True, sharey=True)
    grid = [(regime, quantity) for regime in style.REGIME_NAMES for quantity in QUANTITIES]
    columns = ["tokens_p5", "tokens_p50", "tokens_p95"]
    low, high = style.decade_span(list(table[columns].to_numpy(float).ravel()), step=(1,))
    for ax, (regime, quantity), letter in zip(panels.flat, grid, "abcd", strict=True):
        style.log_axis(ax, "x", low, high, "")
        _curves(ax, table, regime, quantity)
        style.panel_title(ax, f"{letter}  {style.REGIME_NAMES[regime]}: {QUANTITY_NAMES[quantity]}")
    for ax in panels[1]:
        ax.set_xlabel("Tokens per query (log scale)")
    drawn.supylabel("Share of queries with at most so many tokens (%)", fontsize=style.TEXT_PT)
    marks.key_above(drawn, panels[0, 1], [_lengths_key()])
    words = "; ".join(lengths_in_words(table, regime, quantity) for regime, quantity in grid)
    alt = f"Four panels of quantile curves of tokens per query, assumed and in production. Medians: {words}."
    caption = (
        "Tokens per query, as the published analysis assumes them and as in production, log scale. Assumed: "
        "answers exponential, prompts fixed. Percentiles 5, 25, 50, 75 and 95 over queries, joined by "
        "straight lines. Band: 90 % "
        "interval, above all from the level of one service beside another; cross: the "
        "trace itself. In each panel the medians, with that interval."
    )
    middle = [
        float(rows[rows["statistic"] == "p50"]["tokens_p50"].iloc[0])
        for rows in (
            rows_where(table, scenario=name, regime="long", quantity="output_tokens")
            for name in ("published", "production")
        )
    ]
    times = middle[0] / middle[1]
    says = finding(
        (times > 1, f"Real reasoning answers are {times:.1f} times shorter than the study assumed")
    )
    return Drawing(drawn, alt, caption, says)


def lengths_in_words(table: pd.DataFrame, regime: str, quantity: str) -> str:
    """`short input assumed 500, production 1,005 (201–5,064) tokens`."""
    assumed, production = medians(table, regime, quantity)
    return f"{regime} {QUANTITY_NAMES[quantity]} assumed {assumed}, production {production} tokens"


def medians(table: pd.DataFrame, regime: str, quantity: str) -> tuple[str, str]:
    """Assumed median, and that of production with its interval, tokens."""
    both = []
    for scenario in ("published", "production"):
        rows = quantiles(table, scenario, regime, quantity)
        both.append(rows[rows["statistic"] == "p50"].iloc[0])
    low, middle, high = (f"{both[1][f'tokens_{p}']:,.0f}" for p in ("p5", "p50", "p95"))
    return f"{both[0]['tokens_p50']:,.0f}", f"{middle} ({low}–{high})"


def quantiles(table: pd.DataFrame, scenario: str, regime: str, quantity: str) -> pd.DataFrame:
    """The percentiles of one scenario, lowest first."""
    rows = rows_where(table, scenario=scenario, regime=regime, quantity=quantity)
    return rows[rows["probability"].notna()].sort_values("probability")


def _curves(ax: Axes, table: pd.DataFrame, regime: str, quantity: str) -> None:
    for scenario, colour in (("published", GREY), ("production", BLUE)):
        rows = quantiles(table, scenario, regime, quantity)
        share = 100 * rows["probability"].to_numpy(float)
        low, middle, high = (rows[f"tokens_{p}"].to_numpy(float) for p in ("p5", "p50", "p95"))
        ax.fill_betweenx(share, low, high, color=colour, alpha=LENGTHS_ALPHA, linewidth=0, zorder=1)
        ax.plot(middle, share, color=colour, linewidth=style.LINE_PT, zorder=2, gid=marks.DATA)
        ax.plot(middle, share, "o", color=colour, markersize=2.4, zorder=3, gid=marks.DATA)
        traced = rows["traced_tokens"].to_numpy(float)
        known = np.isfinite(traced)
        ax.plot(traced[known], share[known], "x", color=TRACE, markersize=TRACE_PT, zorder=4, gid=marks.DATA)
    ax.set(ylim=(0, 100), yticks=[5, 25, 50, 75, 95])
    ax.grid(axis="y")
    assumed, production = medians(table, regime, quantity)
    lines = [("median tokens", style.MUTED), (f"assumed {assumed}", GREY), (f"production {production}", BLUE)]
    for i, (text, colour) in enumerate(lines):
        place: dict[str, Any] = {
            "xytext": (3, -2 - TEXT_LINE_PT * i),
            "textcoords": "offset points",
            "va": "top",
        }
        ax.annotate(text, (0, 1), xycoords="axes fraction", fontsize=style.SMALL_PT, color=colour, **place)


def _lengths_key() -> list[marks.Sample]:
    band = [*marks.patch_sample(BLUE, LENGTHS_ALPHA), *marks.line_sample(BLUE)]
    return [
        (marks.line_sample(GREY), "assumed by the published analysis"),
        (band, "production, 90 % band"),
        (marks.mark_sample("x", TRACE_PT, color=TRACE), "trace"),
    ]
