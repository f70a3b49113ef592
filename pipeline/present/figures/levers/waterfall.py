"""Levers one after another: the published ranges, with overlaps, and on good evidence alone."""

from typing import Any

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from pipeline.assumptions.figures import Figures
from pipeline.contracts.levers import CLAIMED_TOGETHER, COMBINATIONS, PERCENTILES
from pipeline.contracts.published import GRADES_IN_WORDS
from pipeline.present import axes, key, marks, style
from pipeline.present.figures.levers import points
from pipeline.present.figures.levers.tables import LeverTables
from pipeline.present.lever_rows import Row, chain, records
from pipeline.present.save import Drawing

SPAN = (1.0, 100.0)
TITLES = {
    "naive": "Published ranges multiplied",
    "overlap": "Each on what is left, all evidence",
    "graded": "The same, grades A and B alone",
}
MARK = "*"  # of a lever that services have already
WITHOUT = "Without * (services do it already)"
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
    figure, panels = style.new_figure(profile, "double", 99, columns=2, sharey=True)
    words = []
    for ax, regime, letter in zip(panels, style.REGIME_NAMES, "ab", strict=True):
        chains = {name: drawn(tables, name, regime) for name in TITLES}
        names = [name for rows in chains.values() for name in ["", *map(_name, rows["lever"])]]
        axes.name_rows(ax, names, room=(0.6, 0.6))
        axes.log_axis(ax, "x", *SPAN, "Times less energy, all steps so far (log scale)")
        ax.axvspan(*CLAIMED_TOGETHER, color=points.SHADE, linewidth=0, zorder=0.3)
        y = 0
        for name, rows in chains.items():
            _heading(ax, y, TITLES[name] if letter == "a" else "")
            _chain(ax, y + 1, rows, COLOURS[name])
            y += 1 + len(rows)
        for name in COMBINATIONS:
            words.append(in_words(chain(tables.combinations, name, regime), regime, name))
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
        "price; bottom: those of grade A or B alone in the regime. Open dots: the whole chain without the "
        "levers marked *, which services have in production already, so that their gain is no saving still "
        "to come. On the right: the median gain of the step and of all so far. Another order divides the "
        f"gain differently and ends at the same place. {GRADES_IN_WORDS}"
    )
    return Drawing(figure, alt, caption)


def drawn(tables: LeverTables, name: str, regime: str) -> pd.DataFrame:
    """The steps of a chain and, under them, where it ends without what services do already."""
    rows = chain(tables.combinations, name, regime)
    without = chain(tables.combinations, f"{name} to come", regime).tail(1)
    rows = rows.assign(
        lever=[f"{row['lever']}{MARK * (row['in_practice'] == 'yes')}" for row in records(rows)]
    )
    return pd.concat([rows.assign(whole=False), without.assign(lever=WITHOUT, whole=True)])


def in_words(rows: pd.DataFrame, regime: str, name: str) -> str:
    """Where a chain ends, and in how much of what is possible it gains as much as claimed."""
    last = rows.iloc[-1]
    gain = axes.band_text(last, "cumulative_")
    share = f"{100 * last['worlds_8_to_20']:.0f} %"
    steps = ", ".join(f"{row['lever']} ×{row['step_p50']:.2f}" for row in records(rows))
    title = TITLES.get(name, COMBINATIONS[name]).lower()
    return f"{regime}, {title}: {steps}; {gain} in all, 8 to 20 in {share} of worlds"


def _name(lever: str) -> str:
    return SHORTER.get(lever, lever)


def _end(ax: Axes, y: int, row: Row, colour: str) -> None:
    """A whole chain in one row: open dot and 90 % interval, no bar."""
    p5, p50, p95 = (float(row[f"cumulative_{p}"]) for p in ("p5", "p50", "p95"))
    ax.plot([p5, p95], [y, y], color=colour, linewidth=style.LINE_PT, zorder=2, gid=marks.DATA)
    points.ours(ax, y, {"p5": float("nan"), "p50": p50}, filled=False)
    marks.row_cell(ax, y, COLUMNS_PT["Together"], axes.interval(p50, p5, p95), weight="bold")


def _chain(ax: Axes, top: int, rows: pd.DataFrame, colour: str) -> None:
    before = 1.0
    last = top + int((~rows["whole"]).sum()) - 1
    for y, row in enumerate(records(rows), start=top):
        if row["whole"]:
            _end(ax, y, row, colour)
            continue
        after = float(row["cumulative_p50"])
        hair: dict[str, Any] = {"color": style.RULE, "linewidth": style.HAIR_PT, "zorder": 1}
        ax.plot([before, before], [y - 0.6, y + 0.3], **hair)
        bar: dict[str, Any] = {"color": colour, "alpha": 0.28, "linewidth": 0, "zorder": 1.2}
        ax.fill_betweenx([y - 0.34, y + 0.34], before, after, gid="bar", **bar)
        p5, p25, p50, p75, p95 = (float(row[f"cumulative_{p}"]) for p in PERCENTILES)
        marks.interval_marks(ax, y, p5, p25, p50, p75, p95, colour)
        texts = [f"×{row['step_p50']:.2f}", axes.significant(after)]
        if y == last:
            low, high = (axes.significant(float(row[f"cumulative_{p}"])) for p in ("p5", "p95"))
            texts[1] += f" ({low}–{high})"
        for x, text in zip(COLUMNS_PT.values(), texts, strict=True):
            marks.row_cell(ax, y, x, text, weight="bold" if y == last else "normal")
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
