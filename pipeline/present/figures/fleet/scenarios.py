"""Energy of a day by scenario, with power and servers beside it, and what it is compared with."""

from collections.abc import Iterator
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
SITE = "datacentre at its load"
COLUMNS_PT = {"GWh a day": 6.0, "MW": 66.0, "peak": 88.0, "servers": 110.0, "ML": 142.0, "on site": 160.0}


def fig_fleet_scenarios(tables: FleetTables, profile: Figures) -> Drawing:
    """Forest of scenarios on one log axis."""
    energy = tables.energy()
    figure, ax = style.new_figure(profile, "double", 96)
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
    for words, value, side in _lines(tables):
        marks.reference_line(ax, value, "x")
        place: dict[str, Any] = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points"}
        look: dict[str, Any] = {"fontsize": style.SMALL_PT, "color": style.MUTED, "va": "bottom"}
        ax.annotate(words, (value, 1), (2 if side == "left" else -2, 1), ha=side, **place, **look)
    _columns(ax, tables, energy)
    key.key(ax, _key(), lift_pt=12)
    words = in_words(energy)
    alt = (
        f"{len(energy)} scenarios of a fleet's day as intervals of GWh on a log axis, with average and "
        f"peak MW and servers beside them: {words}."
    )
    facts = dict(zip(tables.facts["key"], tables.facts["value"], strict=True))
    error = 100 * float((energy["mc_error_p50"] / energy["p50"]).max())
    caption = (
        "Energy of a fleet's day by scenario: dot median and line the 90 % interval of what is not "
        f"known, which is no Monte Carlo error (at most {error:.1f} % of a median). Open diamond: the "
        f"published value of the same scenario. {axes.significant(tables.base['queries_per_day'] / 1e9)} "
        f"billion queries a day and a share of {100 * tables.base['long_share']:g} % long ones in a mixed "
        "fleet unless said otherwise, all to large models at a site that is not known. Dashed: as many "
        f"web searches at {facts['web_search']:g} Wh, a figure of 2009, and a site of "
        f"{facts['datacentre_power']:g} MW at {100 * facts['datacentre_load']:g} % load. On the right: "
        "median with that interval, average and peak MW, servers of eight accelerators, and megalitres "
        "of water in all and on site (medians). Gains, growth and rebound are choices."
    )
    return Drawing(figure, alt, caption)


def in_words(energy: pd.DataFrame) -> str:
    """`published lengths, short only 0.57 (0.33-1.2); ...` GWh."""
    parts = [f"{row['title']} {_band(row)}" for row in energy.to_dict("records")]
    return f"GWh a day: {'; '.join(parts)}"


def _band(row: Any) -> str:
    return axes.interval(row["p50"], row["p5"], row["p95"])


def _lines(tables: FleetTables) -> Iterator[tuple[str, float, str]]:
    """Words, GWh and side of what the base scenario is compared with: searches and a site, but not "
    "minutes."""
    rows = tables.comparisons[tables.comparisons["scenario"] == "base"]
    for row in rows.to_dict("records"):
        if row["compared_with"].startswith("as many web searches"):
            yield row["compared_with"].split(",")[0], row["value_gwh_per_day"], "right"
        elif row["compared_with"].endswith(SITE):
            yield row["compared_with"].replace(SITE, "site"), row["value_gwh_per_day"], "left"


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
        marks.column_head(ax, x, head)
        for y, text in enumerate(column):
            marks.row_cell(ax, y, x, text)


def _key() -> list[tuple[list[Artist], str]]:
    line = Line2D([0, key.SIZE_PT[0]], [key.MIDDLE_PT] * 2, linewidth=style.LINE_PT, color=BLUE)
    dot = Line2D([key.SIZE_PT[0] / 2], [key.MIDDLE_PT], marker="o", color=BLUE, markersize=marks.DOT_PT)
    words = "median and 90 % interval of what is not known"
    return [([line, dot], words), (key.printed_sample(ends=False), "published value")]
