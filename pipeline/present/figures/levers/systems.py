"""Every named system: what it gains in the fitted model, what others found, and the published range."""

from typing import Any

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from pipeline.assumptions.figures import Figures
from pipeline.contracts.levers import TASK
from pipeline.contracts.published import GRADES_IN_WORDS
from pipeline.present import axes, key, marks, style
from pipeline.present.figures.levers import points
from pipeline.present.figures.levers.tables import MEASURED, LeverTables
from pipeline.present.lever_rows import Row, records
from pipeline.present.save import Drawing

GROUP_NAMES = {
    "scale": "System size and batching",
    "models": "Optimised models",
    "routing": "Routing",
    "serving": "Smarter serving",
    "hardware": "Next-generation hardware",
    "datacentre": "Datacentre",
    "combined": "Together",
}
NAMES = {"TPU7x": "TPU7x (Ironwood)"}
SPAN = (0.3, 150.0)
ROW_MM, AROUND_MM = 3.05, 20.0
APART = {"short": -0.17, "long": 0.17, TASK: -0.1}  # of a row: the two regimes, or the third
BELOW = 0.22  # of a row: its prices
COLUMNS_PT = {"Short": 5.0, "Long": 56.0, "Grade": 107.0}  # right of the axes


def fig_systems(tables: LeverTables, profile: Figures) -> Drawing:
    """One row a system, groups under their names."""
    ours, evidence = tables.ours(), tables.evidence()
    rows = layout(ours)
    figure, ax = style.new_figure(profile, "double", ROW_MM * len(rows) + AROUND_MM)
    names = [label for _, label in rows]
    ys = axes.name_rows(ax, names, room=(0.6, 0.7))
    ax.tick_params(axis="y", labelsize=style.SMALL_PT)
    axes.log_axis(ax, "x", *SPAN, points.LABEL)
    marks.reference_line(ax, 1.0, "x")
    _headings(ax, rows)
    _published(ax, rows, tables.systems)
    words = []
    for y, (group, label) in zip(ys, rows, strict=True):
        if not label:
            continue
        found = {row["regime"]: row for row in records(_at(ours, group, label))}
        for regime, row in found.items():
            points.ours(ax, y + APART[regime], row, filled=regime != "long")
        _columns(ax, float(y), found)
        words.append(f"{label} {', '.join(f'{r} {axes.band_text(row)}' for r, row in found.items())}")
    for row in records(evidence):
        first = next((y for y, place in enumerate(rows) if _is_about(place, row)), None)
        if first is not None:
            points.others(ax, float(first), row)
    for row in records(tables.prices()):
        points.price(ax, rows.index((row["group"], label_of(row))) + BELOW, row)
        words.append(f"{label_of(row)} by list price {axes.band_text(row)}")
    for line, entries in enumerate(_key()):
        key.key(ax, entries, lift_pt=18 - 9 * line)
    alt = f"{len(words)} systems as intervals of times less energy on a log axis: {'; '.join(words)}."
    caption = (
        "What every named system gains, in its regime and at loads as in production unless its name says "
        "otherwise. Blue: the fitted model at the facility, median and 90 % interval of what is not known "
        "(filled: short queries, or a whole task of an agent; open: long). Squares: what others measured as "
        "energy (orange), or published as throughput at rated power or simulated (dark red), with the least "
        "and the most of several; open arrow heads: what they give as `up to` (pointing left) or `more "
        "than`, no estimate of the middle. Diamonds: list prices of the same task, which are no energy. The "
        "shares of RouteLLM on MMLU and GSM8K are reductions of cost taken for shares of calls. Grey: the "
        "published range of the group. On the right: medians with that interval, and the grade of our "
        f"evidence. {GRADES_IN_WORDS} A gain below one is a loss."
    )
    return Drawing(figure, alt, caption)


def layout(ours: pd.DataFrame) -> list[tuple[str, str]]:
    """Group and label of each row from the top; a group begins with a row without a label, for its name."""
    rows: list[tuple[str, str]] = []
    for group in GROUP_NAMES:
        labels = [label_of(row) for row in records(ours[ours["group"] == group])]
        if labels:
            rows += [(group, ""), *((group, label) for label in dict.fromkeys(labels))]
    return rows


def label_of(row: Row) -> str:
    """A system, and the load or case that its row is about."""
    system = NAMES.get(row["system"], str(row["system"]))
    if not isinstance(row["load"], str) or row["group"] == "scale":
        return system
    return f"{system}, {row['load']}"


def _at(ours: pd.DataFrame, group: str, label: str) -> pd.DataFrame:
    labels = [label_of(row) for row in records(ours)]
    return ours[(ours["group"] == group) & (pd.Series(labels, index=ours.index) == label)]


def _is_about(place: tuple[str, str], row: Row) -> bool:
    """Whether a row of the figure is about the system of a row of the table."""
    system = NAMES.get(row["system"], str(row["system"]))
    return place[0] == row["group"] and place[1].split(",")[0] == system


def _headings(ax: Axes, rows: list[tuple[str, str]]) -> None:
    for y, (group, label) in enumerate(rows):
        if not label:
            marks.row_heading(ax, y, GROUP_NAMES[group])
    for head, x in COLUMNS_PT.items():
        marks.column_head(ax, x, head)


def _published(ax: Axes, rows: list[tuple[str, str]], systems: pd.DataFrame) -> None:
    """Grey behind the rows of a group: what the published analysis claims for it."""
    claims = systems.dropna(subset=["published_high"]).drop_duplicates("group").set_index("group")
    for group, claim in claims.iterrows():
        at = [y for y, (name, label) in enumerate(rows) if name == group and label]
        if at:
            low = claim["published_low"] if pd.notna(claim["published_low"]) else 1.0
            area: dict[str, Any] = {"color": points.SHADE, "linewidth": 0, "zorder": 0.4}
            ax.fill_betweenx([at[0] - 0.5, at[-1] + 0.5], low, claim["published_high"], **area)


def _columns(ax: Axes, y: float, found: dict[str, Row]) -> None:
    if TASK in found:
        texts = [axes.band_text(found[TASK]), "a task"]
    else:
        texts = [axes.band_text(found[regime]) if regime in found else "–" for regime in style.REGIME_NAMES]
    texts.append("/".join(dict.fromkeys(str(row["grade"]) for row in found.values())))
    for x, text in zip(COLUMNS_PT.values(), texts, strict=True):
        marks.row_cell(ax, y, x, text)


def _key() -> list[list[tuple[list[Artist], str]]]:
    return [
        [
            (points.sample(filled=True), "short, or a task"),
            (points.sample(filled=False), "long"),
            (points.square_sample(points.COLOURS[MEASURED]), "measured energy"),
            (points.square_sample(points.OTHERWISE), "throughput or simulation"),
        ],
        [
            (points.arrow_sample(), "bound (up to)"),
            (points.price_sample(), "list price"),
            (key.patch_sample(points.SHADE), "published range"),
        ],
    ]
