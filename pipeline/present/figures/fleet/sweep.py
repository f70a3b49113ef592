"""Small multiples of the sweep: a panel for each share of small models, a row for each other combination."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from pipeline.assumptions.figures import Figures
from pipeline.present import axes, marks, style
from pipeline.present.figures.fleet.tables import FleetTables
from pipeline.present.save import Drawing

BLUE = style.MEANING["re_estimated"]


def fig_fleet_sweep(tables: FleetTables, profile: Figures) -> Drawing:
    """Panels by small_share; rows by agentic_share, within them by long_share."""
    energy = tables.sweep[(tables.sweep["quantity"] == "energy") & (tables.sweep["component"] == "total")]
    panels_of = list(energy.groupby("small_share"))
    figure, panels = style.new_figure(profile, "double", 74, columns=len(panels_of), sharey=True, sharex=True)
    span = axes.decade_span([*energy["p5"], *energy["p95"]])
    for ax, (share, rows), letter in zip(panels, panels_of, "abcdef", strict=False):
        _panel(ax, rows.sort_values(["agentic_share", "long_share"]), span)
        style.panel_title(ax, f"{letter}  {_percent(float(share))} to small models")  # type: ignore[arg-type]
    for ax in panels[1:]:
        ax.tick_params(labelleft=False)
    figure.supxlabel("Energy (GWh a day, log scale)", fontsize=style.TEXT_PT)
    ordered = energy.sort_values("p50")
    low, high = ordered.iloc[0], ordered.iloc[-1]
    words = f"lowest median {_in_words(low)}; highest {_in_words(high)}"
    alt = f"{len(energy)} intervals of GWh a day on log axes, in {len(panels_of)} panels: {words}."
    caption = (
        f"{tables.base['queries_per_day'] / 1e9:g} billion queries a day over "
        f"{len(energy)} combinations of three choices: the share of long queries, of tasks for agents, "
        "and of queries to small models; production lengths, the rest short and to large models. Dot: "
        f"median; line: 90 % interval of what is not known. {words[:1].upper()}{words[1:]}."
    )
    return Drawing(figure, alt, caption)


def _in_words(row: pd.Series) -> str:
    return (
        f"{axes.interval(float(row['p50']), float(row['p5']), float(row['p95']))} GWh at "
        f"{_percent(float(row['long_share']))} long, {_percent(float(row['agentic_share']))} agents, "
        f"{_percent(float(row['small_share']))} small"
    )


def _percent(share: float) -> str:
    return f"{100 * share:g} %"


def _panel(ax: Axes, rows: pd.DataFrame, span: tuple[float, float]) -> None:
    records = rows.to_dict("records")
    for y, row in enumerate(records):
        marks.range_marks(ax, y, row["p5"], row["p50"], row["p95"], BLUE)
    axes.log_axis(ax, "x", *span, "")
    names = [f"{_percent(r['agentic_share'])} agents, {_percent(r['long_share'])} long" for r in records]
    axes.name_rows(ax, names, room=(0.6, 0.6))
    marks.row_texts(ax, range(len(records)), [axes.significant(row["p50"]) for row in records])
    groups = rows["agentic_share"].to_numpy()
    rule: dict[str, Any] = {"color": style.RULE, "linewidth": style.HAIR_PT, "zorder": 0.5}
    for y in range(1, len(groups)):
        if groups[y] != groups[y - 1]:
            ax.axhline(y - 0.5, **rule)
