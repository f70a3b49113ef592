"""From the published energy per query to ours, one change at a time."""

import math
from typing import Any

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedFormatter, FixedLocator

from pipeline.assumptions.figures import Figures
from pipeline.contracts.re_estimated import WITHIN
from pipeline.present import axes, key, marks, style
from pipeline.present.figures.re_estimated.tables import ReEstimatedTables
from pipeline.present.save import Drawing

NAMES = {"pue": "PUE"}
COLUMNS_PT = {"Wh": 5.0, "× median": 24.0, "× mean": 57.0}  # right of the panel
MARGIN = 1.08  # room for marks at the ends of the axis
GREY, BLUE = style.MEANING["as_published"], style.MEANING["re_estimated"]
TIP: dict[str, Any] = {"color": BLUE, "markersize": marks.DOT_PT}
MEAN: dict[str, Any] = {
    "marker": "s",
    "markersize": 2.6,
    "color": style.PAPER,
    "markeredgecolor": style.INK,
    "markeredgewidth": 0.6,
}


def fig_bridge(tables: ReEstimatedTables, profile: Figures) -> Drawing:
    """A waterfall of medians on a log axis, where equal factors are equal lengths; the mean beside it."""
    figure, panels = style.new_figure(profile, "double", 84, columns=2, sharey=True)
    for ax, regime, letter in zip(panels, style.REGIME_NAMES, "ab", strict=True):
        _panel(ax, steps(tables.bridge, regime))
        style.panel_title(ax, f"{letter}  {style.REGIME_NAMES[regime]}")
    panels[1].tick_params(labelleft=False)
    samples: list[tuple[list[Artist], str]] = [
        (
            [*key.outline_sample(BLUE), Line2D([key.SIZE_PT[0] - 2], [key.MIDDLE_PT], marker=">", **TIP)],
            "change of the median",
        ),
        (
            [Line2D([key.SIZE_PT[0] / 2], [key.MIDDLE_PT], marker="|", **TIP)],
            "none beyond Monte Carlo error",
        ),
        ([Line2D([key.SIZE_PT[0] / 2], [key.MIDDLE_PT], **MEAN)], "mean"),
    ]
    key.above(figure, panels[1], [samples])
    words = "; ".join(in_words(steps(tables.bridge, regime), regime) for regime in style.REGIME_NAMES)
    alt = f"Two waterfalls of the blend's energy per query on a log axis, a step for each change: {words}."
    caption = (
        "From the published energy per query of the blend to the re-estimate, each change on top of those "
        "before it. Dot: the published median; line: from the median before a change to that after it, "
        "which has the triangle; square: mean. Over all queries, all sources together, facility. On the "
        "right: median in Wh, and factor by which median and mean change; a stroke without a line, and ≈, "
        "stand for no change beyond Monte Carlo error (twice that of both ends). Another order would divide "
        f"the change differently. Changes: {changes(tables.bridge)}."
    )
    return Drawing(figure, alt, caption)


def steps(bridge: pd.DataFrame, regime: str) -> pd.DataFrame:
    """The steps of one regime in their order."""
    return bridge[bridge["regime"] == regime].sort_values("step").reset_index(drop=True)


def in_words(rows: pd.DataFrame, regime: str) -> str:
    """`short 0.31 Wh; no trimming ×1.00; ...; to 0.51 Wh (mean 0.44 to 0.94)`."""
    first, last = rows.iloc[0], rows.iloc[-1]
    factors = [
        f"{_name(str(row['name']))} {_factor(row['median_wh_ratio'], row['median_step'], WITHIN + ': ')}"
        for _, row in rows[1:].iterrows()
    ]
    medians, means = (
        [axes.significant(float(r[c])) for r in (first, last)] for c in ("median_wh", "mean_wh")
    )
    return (
        f"{regime} from {medians[0]} to {medians[1]} Wh (mean {means[0]} to {means[1]}): {', '.join(factors)}"
    )


def changes(bridge: pd.DataFrame) -> str:
    """What each step is, in the words of the table."""
    rows = bridge.drop_duplicates("step").sort_values("step")
    return "; ".join(f"{_name(n)}: {words}" for n, words in zip(rows["name"], rows["change"], strict=True))


def _name(name: str) -> str:
    return NAMES.get(name, name)


def _factor(ratio: float, kind: str, within: str = "≈ ") -> str:
    """`×1.28`; with `within` before it if the step is no change beyond Monte Carlo error."""
    return f"{within if kind == WITHIN else ''}×{ratio:.2f}"


def _panel(ax: Axes, rows: pd.DataFrame) -> None:
    medians, means = (rows[name].to_numpy(float) for name in ("median_wh", "mean_wh"))
    ax.plot(medians[0], 0, "o", color=GREY, markersize=marks.DOT_PT + 1, gid=marks.DATA)
    for y in range(1, len(rows)):
        before, after = medians[y - 1], medians[y]
        hair: dict[str, Any] = {"color": style.RULE, "linewidth": style.HAIR_PT, "zorder": 1}
        ax.plot([before, before], [y - 1, y], **hair)
        none = rows["median_step"].iloc[y] == WITHIN
        if not none:
            flat: dict[str, Any] = {"color": BLUE, "solid_capstyle": "butt", "gid": marks.DATA}
            ax.plot([before, after], [y, y], linewidth=style.THICK_PT - 1, zorder=2, **flat)
        shape = "|" if none else (">" if after > before else "<")
        ax.plot(after, y, shape, color=BLUE, markersize=marks.DOT_PT, zorder=3, gid=marks.DATA)
    ax.plot(means, range(len(rows)), linestyle="none", zorder=4, gid=marks.DATA, **MEAN)
    _axis(ax, [*medians, *means])
    names = [_name(str(name)) for name in rows["name"]]
    axes.name_rows(ax, [name[:1].upper() + name[1:] for name in names], room=(0.6, 0.6))
    _columns(ax, rows)


def _axis(ax: Axes, values: list[float]) -> None:
    """A log axis so short that 2 and 5 have numbers too."""
    low, high = axes.decade_span([min(values) / MARGIN, max(values) * MARGIN])
    axes.log_axis_wh(ax, low, high)
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [step * 10.0**decade for decade in decades for step in (1, 2, 5)]
    ticks = [tick for tick in ticks if low * 0.999 <= tick <= high * 1.001]
    ax.xaxis.set_major_locator(FixedLocator(ticks))
    ax.xaxis.set_major_formatter(FixedFormatter([axes.plain(tick) for tick in ticks]))


def _columns(ax: Axes, rows: pd.DataFrame) -> None:
    """Median and factors beside each step, under heads that stand above the axes."""
    median = [axes.significant(float(value)) for value in rows["median_wh"]]
    factors, of_mean = (
        ["", *map(_factor, rows[f"{what}_wh_ratio"][1:], rows[f"{what}_step"][1:])]
        for what in ("median", "mean")
    )
    for (head, x), texts in zip(COLUMNS_PT.items(), (median, factors, of_mean), strict=True):
        marks.column_head(ax, x, head)
        for y, text in enumerate(texts):
            marks.row_cell(ax, y, x, text)
