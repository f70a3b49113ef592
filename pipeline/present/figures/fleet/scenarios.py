"""Energy of a day by scenario, with power and servers beside it, and what it is compared with."""

from typing import Any

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from pipeline.assumptions.figures import Figures
from pipeline.present import axes, key, marks, style
from pipeline.present.figures.fleet.tables import FleetTables
from pipeline.present.save import Drawing

BLUE = style.MEANING["re_estimated"]
LINES = {"as many web searches, 2009": "as many web searches", "a 30 MW datacentre at its load": "30 MW site"}
COLUMNS_PT = {"GWh a day": 6.0, "MW": 66.0, "peak": 88.0, "servers": 110.0, "ML": 142.0, "on site": 160.0}


def fig_fleet_scenarios(tables: FleetTables, profile: Figures) -> Drawing:
    """Forest of scenarios on one log axis."""
    energy = tables.energy()
    figure, ax = style.new_figure(profile, "double", 108)
    for y, row in enumerate(energy.to_dict("records")):
        marks.range_marks(ax, y, row["p5"], row["p50"], row["p95"], BLUE)
        if pd.notna(row["published_value"]):
            marks.printed_marks(ax, y + 0.34, row["published_value"])
    axes.log_axis(
        ax, "x", *axes.decade_span([*energy["p5"], *energy["p95"]]), "Energy (GWh a day, log scale)"
    )
    axes.name_rows(ax, list(energy["title"]), room=(0.7, 0.7))
    published = int((energy["lengths"] == "published").sum())
    ax.axhline(published - 0.5, color=style.RULE, linewidth=style.HAIR_PT, zorder=0.5)
    for what, words in LINES.items():
        value = _compared(tables.comparisons, what)
        marks.reference_line(ax, value, "x")
        place: dict[str, Any] = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points"}
        look: dict[str, Any] = {"fontsize": style.SMALL_PT, "color": style.MUTED, "va": "bottom"}
        side = "right" if words.startswith("as") else "left"
        ax.annotate(words, (value, 1), (2 if side == "left" else -2, 1), ha=side, **place, **look)
    _columns(ax, tables, energy)
    key.key(ax, _key(), lift_pt=12)
    words = in_words(energy)
    alt = (
        f"{len(energy)} scenarios of a fleet's day as intervals of GWh on a log axis, with average and "
        f"peak MW and servers beside them: {words}."
    )
    caption = (
        "Energy of a fleet's day by scenario: dot median and line the 90 % interval of what is not known "
        "(not Monte Carlo error, which is below 2 % of each median). Open diamond: the published value "
        "of the same scenario. A billion queries a day unless said otherwise, all to large models at a "
        "site that is not known. Dashed: as many web searches at 0.3 Wh, a figure of 2009, and a site of "
        "30 MW at 80 % load. On the right: median with that interval, average and peak power, servers of "
        "eight accelerators, and megalitres of water in all and on site (medians). Gains, growth and "
        f"rebound are choices. {words[:1].upper()}{words[1:]}."
    )
    return Drawing(figure, alt, caption)


def in_words(energy: pd.DataFrame) -> str:
    """`published lengths, short only 0.57 (0.33-1.2); ...` GWh."""
    parts = [f"{row['title']} {_band(row)}" for row in energy.to_dict("records")]
    return f"GWh a day: {'; '.join(parts)}"


def _band(row: Any) -> str:
    return axes.interval(row["p50"], row["p5"], row["p95"])


def _compared(comparisons: pd.DataFrame, what: str) -> float:
    chosen = (comparisons["scenario"] == "base") & (comparisons["compared_with"] == what)
    return float(comparisons.loc[chosen, "value_gwh_per_day"].item())


def _columns(ax: Axes, tables: FleetTables, energy: pd.DataFrame) -> None:
    """Numbers beside each row under heads that stand above the axes."""
    others = [
        tables.quantity(name).set_index("scenario").loc[energy["scenario"], "p50"]
        for name in ("average power", "peak power", "nodes", "water", "water on site")
    ]
    power, peak = ([axes.significant(value) for value in side] for side in others[:2])
    water = [[axes.significant(value) for value in side] for side in others[3:]]
    servers = [f"{float(f'{value:.2g}'):,.0f}" for value in others[2]]
    texts = [[_band(row) for row in energy.to_dict("records")], power, peak, servers, *water]
    for (head, x), column in zip(COLUMNS_PT.items(), texts, strict=True):
        look: dict[str, Any] = {"textcoords": "offset points", "fontsize": style.SMALL_PT}
        ax.annotate(head, (1, 1), (x, 1), xycoords="axes fraction", va="bottom", color=style.MUTED, **look)
        for y, text in enumerate(column):
            ax.annotate(text, (1, y), (x, 0), xycoords=("axes fraction", "data"), va="center", **look)


def _key() -> list[tuple[list[Artist], str]]:
    line = Line2D([0, key.SIZE_PT[0]], [key.MIDDLE_PT] * 2, linewidth=style.LINE_PT, color=BLUE)
    dot = Line2D([key.SIZE_PT[0] / 2], [key.MIDDLE_PT], marker="o", color=BLUE, markersize=marks.DOT_PT)
    words = "median and 90 % interval of what is not known"
    return [([line, dot], words), (key.printed_sample(ends=False), "published value")]
