"""Every published energy per query by boundary and method, ours on top, and where 4 to 20 times holds."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from pipeline.assumptions.figures import Figures
from pipeline.present import axes, key, marks, style
from pipeline.present.figures.validation.tables import ValidationTables
from pipeline.present.save import Drawing

OURS = "This project, production lengths"
PUBLISHED = "Published analysis"
CLAIM = (4.0, 20.0)
OUR_NAMES = {"facility": "Facility", "node": "Server", "gpu": "Accelerators"}
ORDER = [
    PUBLISHED,
    "Facility, measured in production",
    "Facility, modelled",
    "Facility, measured in benchmarks",
    "Server, measured in production",
    "Server, measured in benchmarks",
    "Server, modelled",
    "Accelerators, measured in production",
    "Accelerators, measured in benchmarks",
    "Accelerators, stated or quoted",
    "Boundary not stated, modelled",
    "Boundary not stated, stated or quoted",
]
SPREAD = 0.26  # rows; points of a group stand above each other in a fixed pattern
PATTERN = (0.0, 0.62, -0.38, 0.24, -0.76, 0.86, -0.14, 0.48, -0.58)


def fig_prior_estimates(tables: ValidationTables, profile: Figures) -> Drawing:
    """Forest of all estimates on one axis of Wh per query."""
    prior = tables.prior
    ours = prior[prior["group"] == OURS]
    groups = [name for name in ORDER if (prior["group"] == name).any()]
    figure, ax = style.new_figure(profile, "double", 100)
    published = float((prior["value_wh"] / prior["ratio_to_published"])[prior["workload"] == "short"].iloc[0])
    names, notes = _draw_ours(ax, ours)
    y = float(len(names))
    for group in groups:
        rows = prior[prior["group"] == group]
        _draw_group(ax, y, rows)
        names.append(group)
        notes.append(_share(rows))
        y += 1
    low, high = axes.decade_span([float(prior["value_wh"].min()) * 0.8, float(prior["value_wh"].max()) / 0.8])
    axes.log_axis_wh(ax, low, high)
    axes.name_rows(ax, names)
    ax.axvspan(published * CLAIM[0], published * CLAIM[1], color=style.GRID, linewidth=0, zorder=0.1)
    marks.reference_line(ax, published, "x")
    marks.row_texts(ax, range(len(notes)), notes)
    key.key(ax, _key(), lift_pt=3)
    words = _words(prior, groups)
    alt = (
        f"Energy per query of {len(prior) - len(ours)} published estimates by boundary and method, ours on "
        f"top. Dashed: the published median of {axes.significant(published)} Wh; shaded: 4 to 20 times as "
        f"much. {words}."
    )
    caption = (
        "Published energies per query by what they include and how they were made. Top: ours for any one "
        "query, of whichever service (dot: median; line: P5 to P95, ignorance and variability together; a "
        "service's median query has a slightly different median), production lengths. Filled: short queries "
        "or length not said; open: long or reasoning. "
        f"Dashed: the published median for short queries, {axes.significant(published)} Wh; "
        "shaded: 4 to 20 times it. On the right: how many lie at 4 times or more of the published median "
        "for their length."
    )
    return Drawing(figure, alt, caption)


def _draw_ours(ax: Axes, ours: pd.DataFrame) -> tuple[list[str], list[str]]:
    names: list[str] = []
    notes: list[str] = []
    for workload in ("short", "long"):
        for boundary, words in OUR_NAMES.items():
            row = ours[(ours["workload"] == workload) & (ours["boundary"] == boundary)].iloc[0]
            low, value, high = (float(row[name]) for name in ("low_wh", "value_wh", "high_wh"))
            marks.range_marks(ax, len(names), low, value, high, style.MEANING["re_estimated"])
            names.append(f"Ours, any {workload} query: {words.lower()}")
            notes.append(f"{axes.interval(value, low, high)} Wh")
    return names, notes


def _draw_group(ax: Axes, y: float, rows: pd.DataFrame) -> None:
    rows = rows.sort_values(["value_wh", "key"])
    lift = np.array([PATTERN[i % len(PATTERN)] for i in range(len(rows))]) * SPREAD
    lift = lift if len(rows) > 12 else np.zeros(len(rows))
    long = (rows["workload"] == "long").to_numpy()
    colour = _colour(str(rows["group"].iloc[0]))
    common: dict[str, Any] = {"s": 6.0, "linewidths": 0.5, "zorder": 2, "gid": marks.DATA, "alpha": 0.85}
    x = rows["value_wh"].to_numpy(float)
    ax.scatter(x[~long], y + lift[~long], facecolors=colour, edgecolors="none", **common)
    ax.scatter(x[long], y + lift[long], facecolors="none", edgecolors=colour, **common)
    if len(rows) == 1:
        subject = str(rows["subject"].iloc[0])
        marks.label_direct(ax, x[0], y, subject, style.MUTED, ha="right", offset_pt=(-4.0, 0.0))


def _colour(group: str) -> str:
    if group == PUBLISHED:
        return style.MEANING["as_published"]
    if "measured" in group:
        return style.MEANING["measured"]
    return style.MEANING["modelled"] if "modelled" in group else style.MUTED


def _share(rows: pd.DataFrame) -> str:
    return f"{(rows['at_least_4_times'] == 'yes').sum()} of {len(rows)}"


def _words(prior: pd.DataFrame, groups: list[str]) -> str:
    shares = [f"{group} {_share(prior[prior['group'] == group])}" for group in groups if group != PUBLISHED]
    return "At four times or more: " + "; ".join(shares)


def _key() -> list[tuple[list[Artist], str]]:
    return [
        (key.patch_sample(style.GRID), "4–20 times the published median"),
        (key.dash_sample(), "published median, short"),
    ]
