"""Water per query by scenario of sites: on site, and with the water of its electricity."""

from collections.abc import Hashable, Mapping
from typing import Any

from matplotlib.axes import Axes

from pipeline.assumptions.figures import Figures
from pipeline.present import axes, marks, style
from pipeline.present.figures.water.tables import WaterTables
from pipeline.present.save import Drawing

BLUE = style.MEANING["re_estimated"]
NAMES = {
    "zero_water": "No evaporation on site",
    "published": "Microsoft, none to Americas",
    "microsoft_today": "Microsoft's largest sites",
    "us_average": "Average in the United States",
    "google": "Google's fleet",
    "world_average": "World average, surveyed",
    "hot_dry": "Hot and dry: Phoenix",
    "hydro_grid": "Grids with much hydropower",
}
PANELS = {"onsite": "a  On site", "total": "b  On site and in the electricity"}
SPAN_ML = (0.005, 50)


def fig_water_scenarios(tables: WaterTables, profile: Figures) -> Drawing:
    """Two panels of the same rows."""
    figure, panels = style.new_figure(profile, "double", 66, columns=2, sharey=True)
    words = []
    for ax, (scope, title) in zip(panels, PANELS.items(), strict=True):
        rows = {row["site_scenario"]: row for row in tables.scenarios(scope)}
        axes.log_axis(ax, "x", *SPAN_ML, "Water per query (mL, log scale)")
        axes.name_rows(ax, list(NAMES.values()))
        for y, name in enumerate(NAMES):
            _row(ax, y, rows[name])
        style.panel_title(ax, title)
        words.append(f"{title[3:]}: " + ", ".join(f"{NAMES[n]} {_text(rows[n])}" for n in NAMES))
    panels[1].tick_params(labelleft=False)
    alt = f"Water of the median short query by scenario of sites, mL. {'; '.join(words)}."
    caption = (
        "Water consumed for the median short query to models above 200 B parameters, lengths of "
        "production, by where it is served. Dot: median; line: 90 % interval of what is not known (energy, "
        "which of the scenario's sites, its water and that of its electricity). Beside each its numbers, mL. "
        "Without evaporation nothing is consumed on site, and a log axis has no place for it."
    )
    return Drawing(figure, alt, caption)


def _row(ax: Axes, y: float, row: Mapping[Hashable, Any]) -> None:
    low, middle, high = (float(row[f"median_{p}_ml"]) for p in ("p5", "p50", "p95"))
    if high > 0:
        marks.range_marks(ax, y, max(low, SPAN_ML[0]), middle, high, BLUE)
    at = high if high > 0 else SPAN_ML[0]
    marks.label_direct(ax, at, y, _text(row), colour=style.MUTED)


def _text(row: Mapping[Hashable, Any]) -> str:
    low, middle, high = (float(row[f"median_{p}_ml"]) for p in ("p5", "p50", "p95"))
    return axes.interval(middle, low, high) if high > 0 else "0"
