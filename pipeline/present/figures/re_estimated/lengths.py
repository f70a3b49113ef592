"""Token lengths that the published analysis assumes, and those of production traces."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from pipeline.assumptions.figures import Figures
from pipeline.contracts.telemetry import QUANTITIES
from pipeline.present import axes, key, marks, style
from pipeline.present.figures.re_estimated.tables import ReEstimatedTables
from pipeline.present.save import Drawing

QUANTITY_NAMES = {"input_tokens": "input", "output_tokens": "output"}
GREY, BLUE, TRACE = (style.MEANING[name] for name in ("as_published", "re_estimated", "measured"))
BAND_ALPHA = 0.18
TRACE_PT = 3.2
TEXT_LINE_PT = 8.6


def fig_lengths(tables: ReEstimatedTables, profile: Figures) -> Drawing:
    """Share of queries with at most so many tokens; short and long down, input and output across."""
    table = tables.lengths
    figure, panels = style.new_figure(profile, "double", 92, 2, 2, sharex=True, sharey=True)
    grid = [(regime, quantity) for regime in style.REGIME_NAMES for quantity in QUANTITIES]
    columns = ["tokens_p5", "tokens_p50", "tokens_p95"]
    low, high = axes.decade_span(list(table[columns].to_numpy(float).ravel()), step=(1,))
    for ax, (regime, quantity), letter in zip(panels.flat, grid, "abcd", strict=True):
        axes.log_axis(ax, "x", low, high, "")
        _panel(ax, table, regime, quantity)
        style.panel_title(ax, f"{letter}  {style.REGIME_NAMES[regime]}: {QUANTITY_NAMES[quantity]}")
    for ax in panels[1]:
        ax.set_xlabel("Tokens per query (log scale)")
    figure.supylabel("Share of queries with at most so many tokens (%)", fontsize=style.TEXT_PT)
    key.above(figure, panels[0, 1], [_key()])
    words = "; ".join(in_words(table, regime, quantity) for regime, quantity in grid)
    alt = f"Four panels of quantile curves of tokens per query, assumed and in production. Medians: {words}."
    caption = (
        "Tokens per query as the published analysis assumes them (answers exponential, prompts fixed) and as "
        "in production: percentiles 5, 25, 50, 75 and 95 over queries, joined by straight lines. Band: 90 % "
        "interval from what is not known, above all the level of one service beside another; cross: the "
        "trace itself. In each panel the medians, with that interval."
    )
    return Drawing(figure, alt, caption)


def in_words(table: pd.DataFrame, regime: str, quantity: str) -> str:
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
    chosen = (table[["scenario", "regime", "quantity"]] == [scenario, regime, quantity]).all(axis=1)
    return table[chosen & table["probability"].notna()].sort_values("probability")


def _panel(ax: Axes, table: pd.DataFrame, regime: str, quantity: str) -> None:
    for scenario, colour in (("published", GREY), ("production", BLUE)):
        rows = quantiles(table, scenario, regime, quantity)
        share = 100 * rows["probability"].to_numpy(float)
        low, middle, high = (rows[f"tokens_{p}"].to_numpy(float) for p in ("p5", "p50", "p95"))
        ax.fill_betweenx(share, low, high, color=colour, alpha=BAND_ALPHA, linewidth=0, zorder=1)
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


def _key() -> list[tuple[list[Artist], str]]:
    middle = key.MIDDLE_PT
    cross: list[Artist] = [
        Line2D([key.SIZE_PT[0] / 2], [middle], marker="x", color=TRACE, markersize=TRACE_PT),
    ]
    return [
        (key.outline_sample(GREY), "assumed by the published analysis"),
        (
            [*key.patch_sample(BLUE, BAND_ALPHA), *key.outline_sample(BLUE)],
            "production, 90 % band of ignorance",
        ),
        (cross, "trace"),
    ]
