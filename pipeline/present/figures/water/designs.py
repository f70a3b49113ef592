"""The trade of a closed loop, site by site: what it saves on site and costs in electricity."""

from collections.abc import Hashable, Mapping
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from pipeline.assumptions.figures import Figures
from pipeline.contracts.water_results import DESIGNS
from pipeline.present import axes, key, marks, style
from pipeline.present.figures.water.tables import WaterTables
from pipeline.present.save import Drawing

BLUE = style.MEANING["re_estimated"]
ON_SITE, ELECTRICITY = 0.85, 0.25  # opacity of the bars
HEIGHT, SHIFT = 0.34, 0.19
COLUMNS_PT = {"Wh: built – loop": 5.0, "Loop saves water in": 56.0}  # right of the axes
Rows = dict[tuple[str, str], dict[Hashable, Any]]
SITES = [
    "azure_arizona",
    "azure_singapore",
    "azure_washington",
    "azure_illinois",
    "azure_texas",
    "azure_wyoming",
    "azure_virginia",
    "azure_iowa",
    "azure_netherlands",
    "azure_ireland",
]


def fig_closed_loop(tables: WaterTables, profile: Figures) -> Drawing:
    """Two bars a site: as built, and with a closed loop; on-site part first, electricity after it."""
    figure, ax = style.new_figure(profile, "double", 96)
    table: Rows = {(row["site"], row["design"]): row for row in tables.sites.to_dict("records")}
    words = []
    for y, site in enumerate(SITES):
        for design, shift in zip(DESIGNS, (-SHIFT, SHIFT), strict=True):
            _bar(ax, y + shift, table[site, design])
        built, closed = (table[site, design] for design in DESIGNS)
        cells = (
            f"{axes.significant(built['p50_wh'])} – {axes.significant(closed['p50_wh'])}",
            f"{100 * closed['saves_water_share']:.0f} % of draws",
        )
        for x, text in zip(COLUMNS_PT.values(), cells, strict=True):
            marks.row_cell(ax, y, x, text)
        words.append(
            f"{built['name']} {axes.significant(built['p50_total_ml'])} to "
            f"{axes.significant(closed['p50_total_ml'])}"
        )
    axes.name_rows(ax, [table[site, DESIGNS[0]]["name"] for site in SITES], room=(0.75, 0.6))
    highest = float(tables.sites.loc[tables.sites["site"].isin(SITES), "p50_total_ml"].max())
    ax.set(xlim=(0, 1.12 * highest), xlabel="Water of the median short query (mL)")
    ax.grid(axis="x")
    for head, x in COLUMNS_PT.items():
        marks.column_head(ax, x, head)
    key.key(ax, [(key.patch_sample(BLUE, ON_SITE), "on site"),
                 (key.patch_sample(BLUE, ELECTRICITY), "in the electricity"),
                 (_hatched(), "with a closed loop")])  # fmt: skip
    widest = tables.sites["p95_total_ml"] / tables.sites["p50_total_ml"]
    alt = f"Pairs of bars by site, water as built and with a closed loop, mL: {', '.join(words)}."
    caption = (
        "What a closed loop would do at Microsoft's sites. Upper bar: as built; lower, hatched: no "
        "evaporation and a PUE higher by 0 to 0.10. Dark: water on site; light: water of the electricity. "
        "Medians of the median short query, lengths of production; energy and the factors of water, which "
        "both bars share, put the upper end of the 90 % interval of a total at "
        f"{widest.median():.1f} times the bar. On the right: energy at the facility, as built and with the "
        "loop, and the share of draws in which the loop takes less water in all. Where a site takes little, "
        "a closed loop can cost more water at the power station than it saves."
    )
    return Drawing(figure, alt, caption)


def _bar(ax: Axes, y: float, row: Mapping[Hashable, Any]) -> None:
    left = 0.0
    for part, alpha in (("onsite", ON_SITE), ("offsite", ELECTRICITY)):
        width = float(row[f"p50_{part}_ml"])
        look: dict[str, Any] = {"facecolor": BLUE, "alpha": alpha, "linewidth": 0, "gid": marks.DATA}
        ax.add_patch(Rectangle((left, y - HEIGHT / 2), width, HEIGHT, zorder=2, **look))
        left += width
    if row["design"] == DESIGNS[1]:
        ax.add_patch(Rectangle((0, y - HEIGHT / 2), left, HEIGHT, **_hatch(), zorder=2.5))


def _hatch() -> dict[str, Any]:
    return {"facecolor": "none", "edgecolor": BLUE, "hatch": "////", "linewidth": 0}


def _hatched() -> list[Artist]:
    width, height = key.SIZE_PT
    return [Rectangle((0, 0), width, height, **_hatch())]
