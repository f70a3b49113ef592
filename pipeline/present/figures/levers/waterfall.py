"""Levers one after another: the published ranges, with overlaps, and on good evidence alone."""

from typing import Any

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from pipeline.assumptions.figures import Figures
from pipeline.contracts.levers import CLAIMED_TOGETHER, COMBINATIONS, PERCENTILES
from pipeline.present import axes, key, marks, style
from pipeline.present.figures.levers import points
from pipeline.present.figures.levers.tables import LeverTables
from pipeline.present.lever_rows import chain, records
from pipeline.present.save import Drawing

SPAN = (1.0, 100.0)
TITLES = {
    "naive": "Published ranges multiplied",
    "overlap": "Each on what is left, all evidence",
    "graded": "The same, grades A and B alone",
}
COLOURS = {"naive": style.MEANING["as_published"], "overlap": points.BLUE, "graded": points.BLUE}
SHORTER = {
    "Small models for the queries that a router lets them have": "Small models where a router lets them",
    "Published range of hardware and datacentre": "Published: hardware and datacentre",
    "Published range of models": "Published: models",
    "Published range of serving": "Published: serving",
}
COLUMNS_PT = {"Step": 5.0, "Together": 27.0}


def fig_waterfall(tables: LeverTables, profile: Figures) -> Drawing:
    """Three chains of levers, models first; equal factors are equal lengths."""
    figure, panels = style.new_figure(profile, "double", 92, columns=2, sharey=True)
    words = []
    for ax, regime, letter in zip(panels, style.REGIME_NAMES, "ab", strict=True):
        chains = {name: chain(tables.combinations, name, regime) for name in COMBINATIONS}
        names = [name for title, rows in chains.items() for name in ["", *map(_name, rows["lever"])]]
        axes.name_rows(ax, names, room=(0.6, 0.6))
        axes.log_axis(ax, "x", *SPAN, "Times less energy, all steps so far (log scale)")
        ax.axvspan(*CLAIMED_TOGETHER, color=points.SHADE, linewidth=0, zorder=0.3)
        y = 0
        for name, rows in chains.items():
            _heading(ax, y, TITLES[name] if letter == "a" else "")
            _chain(ax, y + 1, rows, COLOURS[name])
            y += 1 + len(rows)
            words.append(in_words(rows, regime, name))
        for head, x in COLUMNS_PT.items():
            marks.column_head(ax, x, head)
        style.panel_title(ax, f"{letter}  {style.REGIME_NAMES[regime]}")
    panels[1].tick_params(labelleft=False)
    key.above(figure, panels[1], [_key()])
    alt = f"Two waterfalls of the gain of levers one after another on a log axis: {'; '.join(words)}."
    caption = (
        "Levers one after another on the mean query of the blend, each acting on what those before it have "
        "left. Dot: median gain of all steps so far; thick and thin line: its quartiles and 90 % interval of "
        "what is not known; bar: the step from the median before. Grey: the published 8 to 20 times. "
        "Top: the published ranges as independent factors; middle: every lever that the fitted model can "
        "price; bottom: those of grade A or B alone. On the right: the median gain of the step and of all so "
        "far. Another order divides the gain differently and ends at the same place."
    )
    return Drawing(figure, alt, caption)


def in_words(rows: pd.DataFrame, regime: str, name: str) -> str:
    """Where a chain ends, and in how much of what is possible it gains as much as claimed."""
    last = rows.iloc[-1]
    gain = axes.band_text(last, "cumulative_")
    share = f"{100 * last['worlds_8_to_20']:.0f} %"
    steps = ", ".join(f"{row['lever']} ×{row['step_p50']:.2f}" for row in records(rows))
    return f"{regime}, {TITLES[name].lower()}: {steps}; {gain} in all, 8 to 20 in {share} of worlds"


def _name(lever: str) -> str:
    return SHORTER.get(lever, lever)


def _chain(ax: Axes, top: int, rows: pd.DataFrame, colour: str) -> None:
    before = 1.0
    for y, row in enumerate(records(rows), start=top):
        after = float(row["cumulative_p50"])
        hair: dict[str, Any] = {"color": style.RULE, "linewidth": style.HAIR_PT, "zorder": 1}
        ax.plot([before, before], [y - 0.6, y + 0.3], **hair)
        bar: dict[str, Any] = {"color": colour, "alpha": 0.28, "linewidth": 0, "zorder": 1.2}
        ax.fill_betweenx([y - 0.34, y + 0.34], before, after, gid="bar", **bar)
        p5, p25, p50, p75, p95 = (float(row[f"cumulative_{p}"]) for p in PERCENTILES)
        marks.interval_marks(ax, y, p5, p25, p50, p75, p95, colour)
        last = y == top + len(rows) - 1
        texts = [f"×{row['step_p50']:.2f}", axes.significant(after)]
        if last:
            low, high = (axes.significant(float(row[f"cumulative_{p}"])) for p in ("p5", "p95"))
            texts[1] += f" ({low}–{high})"
        for x, text in zip(COLUMNS_PT.values(), texts, strict=True):
            marks.row_cell(ax, y, x, text, weight="bold" if last else "normal")
        before = after


def _heading(ax: Axes, y: int, title: str) -> None:
    if y:
        ax.axhline(y - 0.5, color=style.RULE, linewidth=style.HAIR_PT)
    if title:
        marks.row_heading(ax, y, title)


def _key() -> list[tuple[list[Artist], str]]:
    words = "gain so far: median, P25–P75, P5–P95"
    return [
        (key.interval_sample(points.BLUE), words),
        (key.patch_sample(points.SHADE), "published 8 to 20 times"),
    ]
