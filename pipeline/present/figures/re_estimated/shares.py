"""Sobol shares of the variance of ln energy by group of sources, for one query and for the mean."""

from typing import Any

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from pipeline.assumptions.figures import Figures
from pipeline.contracts.re_estimated import GROUPS, TARGETS
from pipeline.present import axes, key, marks, style
from pipeline.present.figures.re_estimated import dots
from pipeline.present.figures.re_estimated.tables import (
    ASSUMED,
    PRODUCTION,
    VARIANT_NAMES,
    ReEstimatedTables,
)
from pipeline.present.save import Drawing

GROUP_NAMES = {
    "length": "Lengths",
    "throughput": "Throughput",
    "power": "Power",
    "load": "Load",
    "pue": "PUE",
    "model": "Which model",
}
OFFSETS = {ASSUMED: -0.21, PRODUCTION: 0.21}  # rows
BAR_HEIGHT = 0.34
BAR_ALPHA = 0.22


def fig_variance_shares(tables: ReEstimatedTables, profile: Figures) -> Drawing:
    """Panels: short and long down, one query and mean across; both length scenarios in each."""
    shares = tables.shares
    figure, panels = style.new_figure(profile, "double", 106, 2, 2, sharex=True, sharey=True)
    grid = [(regime, target) for regime in style.REGIME_NAMES for target in TARGETS]
    for ax, (regime, target), letter in zip(panels.flat, grid, "abcd", strict=True):
        rows = shares[(shares["regime"] == regime) & (shares["target"] == target)]
        _panel(ax, rows)
        style.panel_title(ax, f"{letter}  {regime.capitalize()} queries: {target}")
    for ax in panels[1]:
        ax.set_xlabel("Share of the variance of ln energy (%)")
    for ax in panels[:, 1]:
        ax.tick_params(labelleft=False)
    key.above(figure, panels[0, 1], [_key()])
    words = "; ".join(in_words(shares, regime, target) for regime, target in grid)
    widest = 100 * float(shares["total_order_half_width"].max())
    alt = f"Four panels of shares of variance by group of sources. Largest share alone: {words}."
    caption = (
        "Where the spread of the blend's energy per query comes from: grouped Sobol indices of ln energy, "
        "for one query drawn at random and for the mean over queries, whose spread is ignorance alone. Dot "
        "and line: what a group explains alone, with its 90 % interval; bar: with its interactions (90 % "
        f"interval at most ± {widest:.1f} points). Open: published lengths, whose distribution is "
        "taken as known; filled: production lengths. The mean is over the models of the blend, so which "
        "model has no share of it. Long queries are those with reasoning."
    )
    return Drawing(figure, alt, caption)


def in_words(shares: pd.DataFrame, regime: str, target: str) -> str:
    """`short, one query: lengths 63 % (published lengths), lengths 68 % (production lengths)`."""
    parts = []
    for variant, name in VARIANT_NAMES.items():
        chosen = (shares[["regime", "target", "variant"]] == [regime, target, variant]).all(axis=1)
        top = shares[chosen].sort_values("first_order", ascending=False).iloc[0]
        group = GROUP_NAMES[str(top["group"])]
        parts.append(f"{group if group.isupper() else group.lower()} {_percent(top)} with {name}")
    return f"{regime}, {target}: {', '.join(parts)}"


def _percent(row: pd.Series) -> str:
    """Share and half width in percent, in whole points unless the half width is smaller than one."""
    value, half = 100 * float(row["first_order"]), 100 * float(row["first_order_half_width"])
    if half == 0:
        return f"{value:.0f} %"
    decimals = 0 if half >= 1 else 1
    return f"{value:.{decimals}f} ± {half:.{decimals}f} %".replace("-", "−")


def _panel(ax: Axes, rows: pd.DataFrame) -> None:
    axes.name_rows(ax, [GROUP_NAMES[group] for group in GROUPS], room=(0.55, 0.55))
    for variant, offset in OFFSETS.items():
        own = {str(row["group"]): row for _, row in rows[rows["variant"] == variant].iterrows()}
        heights, words = [], []
        for y, group in enumerate(GROUPS):
            if group in own:
                _draw(ax, y + offset, own[group], variant)
                heights.append(y + offset)
                words.append(_percent(own[group]))
        marks.row_texts(ax, heights, words)
    for y in range(1, len(GROUPS)):
        ax.axhline(y - 0.5, color=style.GRID, linewidth=style.HAIR_PT, zorder=0.5)
    absent = [y for y, group in enumerate(GROUPS) if group not in set(rows["group"])]
    for y in absent:
        marks.label_direct(ax, 0, y, "averaged over", style.MUTED)
    ax.set(xlim=(-4, 104))
    ax.grid(axis="x")


def _draw(ax: Axes, y: float, row: pd.Series, variant: str) -> None:
    total = 100 * float(row["total_order"])
    ax.add_patch(Rectangle((0, y - BAR_HEIGHT / 2), total, BAR_HEIGHT, zorder=1, **_bar(variant)))
    value, half = 100 * float(row["first_order"]), 100 * float(row["first_order_half_width"])
    dots.line(ax, value - half, value + half, y)
    dots.dot(ax, value, y, variant)


def _bar(variant: str) -> dict[str, Any]:
    if variant == PRODUCTION:
        return {"facecolor": dots.COLOUR, "alpha": BAR_ALPHA, "linewidth": 0}
    return {"facecolor": "none", "edgecolor": dots.COLOUR, "linewidth": style.HAIR_PT}


def _key() -> list[tuple[list[Artist], str]]:
    place: dict[str, Any] = {"xy": (2, 0.5), "width": key.SIZE_PT[0] - 4, "height": key.SIZE_PT[1] - 1}
    words = "dot and line: alone, with 90 % interval; bar: with interactions"
    entries: list[tuple[list[Artist], str]] = [([], words)]
    for variant, name in VARIANT_NAMES.items():
        box = Rectangle(**place, **_bar(variant))
        entries.append(([box, *dots.sample(variant, banded=False)], name))
    return entries
