"""What share of the variance of ln GWh a day each group of assumptions owns, by scenario."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from pipeline.assumptions.figures import Figures
from pipeline.contracts.fleet import GROUPS
from pipeline.present import axes, marks, style
from pipeline.present.figures.fleet.tables import FleetTables
from pipeline.present.save import Drawing

GROUP_NAMES = {
    "length": "Lengths",
    "throughput": "Throughput",
    "power": "Power",
    "load": "Load",
    "site": "PUE of the site",
    "calls": "Agents: calls a task",
    "context": "Agents: context of a call",
    "gain": "Gain",
}
BLUE = style.MEANING["re_estimated"]
BAR_HEIGHT, BAR_ALPHA = 0.5, 0.22


def fig_fleet_shares(tables: FleetTables, profile: Figures) -> Drawing:
    """A panel a scenario: a group's share alone, and with its interactions."""
    names = list(tables.shares["scenario"].unique())
    titles = tables.energy().set_index("scenario")["title"]
    layout = {"columns": len(names), "sharey": True, "sharex": True, "squeeze": False}
    figure, (panels,) = style.new_figure(profile, "double", 58, **layout)
    for ax, name, letter in zip(panels, names, "abcd", strict=False):
        _panel(ax, tables.shares[tables.shares["scenario"] == name])
        style.panel_title(ax, f"{letter}  {wrapped(str(titles[name]))}")
    for ax in panels[1:]:
        ax.tick_params(labelleft=False)
    figure.supxlabel("Share of the variance of ln GWh a day (%)", fontsize=style.TEXT_PT)
    words = "; ".join(in_words(tables.shares, name, str(titles[name])) for name in names)
    alt = f"{len(names)} panels of shares of variance by group of assumptions. Largest shares: {words}."
    widest = 100 * float(tables.shares["first_order_half_width"].max())
    caption = (
        "Who owns the band of a fleet's day: grouped Sobol indices of ln GWh a day. Dot and line: what a "
        f"group explains alone, with its 90 % interval (at most ± {widest:.0f} points); bar: with its "
        "interactions. A group that cannot matter in a scenario has no mark there. What a scenario "
        "chooses (how many queries, of which kind, to which models) is asked and not uncertain."
    )
    return Drawing(figure, alt, caption)


def in_words(shares: pd.DataFrame, scenario: str, title: str) -> str:
    """`Production lengths, 10 % long: lengths 68 %, load 10 %`."""
    top = shares[shares["scenario"] == scenario].nlargest(2, "first_order")
    parts = [f"{_plain(row['group'])} {100 * row['first_order']:.0f} %" for row in top.to_dict("records")]
    return f"{title}: {', '.join(parts)}"


def wrapped(title: str) -> str:
    """A title on two lines, broken at its comma."""
    return title.replace(", ", ",\n    ", 1) if ", " in title else title


def _plain(group: str) -> str:
    name = GROUP_NAMES[group]
    return name if name[:3].isupper() else name[:1].lower() + name[1:]


def _panel(ax: Axes, rows: pd.DataFrame) -> None:
    axes.name_rows(ax, [GROUP_NAMES[group] for group in GROUPS], room=(0.55, 0.55))
    for row in rows.to_dict("records"):
        y = GROUPS.index(row["group"])
        look: dict[str, Any] = {"facecolor": BLUE, "alpha": BAR_ALPHA, "linewidth": 0}
        total, value, half = (
            100 * row[name] for name in ("total_order", "first_order", "first_order_half_width")
        )
        ax.add_patch(Rectangle((0, y - BAR_HEIGHT / 2), total, BAR_HEIGHT, zorder=1, **look))
        marks.range_marks(ax, y, value - half, value, value + half, BLUE)
    ax.set(xlim=(-6, 106))
    ax.set_xticks([0, 50, 100])
    ax.grid(axis="x")
