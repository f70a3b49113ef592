"""The lever of the datacentre: what a move of site gains, and what a closed loop does to water."""

from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from pipeline.assumptions.figures import Figures
from pipeline.present import axes, key, marks, style
from pipeline.present.figures.fleet.tables import FleetTables
from pipeline.present.save import Drawing

BLUE = style.MEANING["re_estimated"]
ONE_LINE = 20  # characters
OFFSET = 0.18  # rows, between before and after
NAMES = {
    "unknown": "a site not known",
    "best": "best sites",
    "hyperscale mean": "hyperscale mean",
    "industry": "industry mean",
}


def fig_sites(tables: FleetTables, profile: Figures) -> Drawing:
    """Left: energy before over after a move; right: litres per kWh with evaporation and with a closed "
    "loop."""
    figure, (moves, cooling) = style.new_figure(profile, "double", 68, columns=2)
    _moves(moves, tables)
    _cooling(cooling, tables)
    style.panel_title(moves, "a  PUE of the site")
    style.panel_title(cooling, "b  Closed loop instead of evaporation")
    key.key(cooling, _key(), lift_pt=12)
    by_pue = "; ".join(
        f"{_move(row)} {row['p50']:.2f} ({row['p5']:.2f}–{row['p95']:.2f})"
        for row in tables.sites.to_dict("records")
    )
    by_water = "; ".join(
        f"{row['title']} {axes.significant(row['water_before_p50'])} to "
        f"{axes.significant(row['water_after_p50'])} L/kWh, less in {100 * row['worlds_saving_water']:.0f} %"
        for row in tables.cooling.to_dict("records")
    )
    alt = (
        f"Left, intervals of how many times less energy a move of site takes: {by_pue}. Right, litres per "
        f"kWh of the servers at {len(tables.cooling)} sets of sites before and after a closed loop: "
        f"{by_water}."
    )
    caption = (
        "The lever of the datacentre. a: energy before over energy after a move, by PUE alone, each end "
        "drawn on its own. b: water on site and of electricity per kWh that the servers draw, with the "
        "cooling that the sites have and with a closed loop that takes no water on site and more energy. "
        "Dot: median; line: 90 % interval of what is not known. On the right: the median factor, and in "
        "how much of what we hold possible the closed loop takes less water."
    )
    return Drawing(figure, alt, caption)


def _move(row: Any) -> str:
    return f"{NAMES.get(row['from_site'], row['from_site'])} to {NAMES.get(row['to_site'], row['to_site'])}"


def _moves(ax: Axes, tables: FleetTables) -> None:
    rows = tables.sites.sort_values("p50").to_dict("records")
    for y, row in enumerate(rows):
        marks.range_marks(ax, y, row["p5"], row["p50"], row["p95"], BLUE)
    names = [_move(row) for row in rows]
    axes.name_rows(ax, [name[:1].upper() + name[1:] for name in names])
    marks.reference_line(ax, 1.0, "x")
    marks.row_texts(ax, range(len(rows)), [f"×{row['p50']:.2f}" for row in rows])
    ax.set(xlabel="Times less energy")
    ax.grid(axis="x")


def _cooling(ax: Axes, tables: FleetTables) -> None:
    rows = tables.cooling.to_dict("records")
    for y, row in enumerate(rows):
        for when, offset, filled in (("before", -OFFSET, True), ("after", OFFSET, False)):
            ends = (row[f"water_{when}_p5"], row[f"water_{when}_p95"])
            ax.plot(ends, [y + offset] * 2, color=BLUE, linewidth=style.LINE_PT, gid=marks.DATA, zorder=2)
            ax.plot(row[f"water_{when}_p50"], y + offset, gid=marks.DATA, zorder=3, **_dot(filled))
    axes.name_rows(ax, [_wrapped(row["title"]) for row in rows])
    axes.log_axis(ax, "x", 2, 20, "Water in all (L per kWh of servers, log scale)")
    ax.set_xticks([2, 5, 10, 20], labels=["2", "5", "10", "20"])
    shares = [f"{100 * row['worlds_saving_water']:.0f} %" for row in rows]
    marks.row_texts(ax, range(len(rows)), shares)
    place: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points"}
    ax.annotate("less in", (1, 1), (3, 1), va="bottom", fontsize=style.SMALL_PT, color=style.MUTED, **place)


def _wrapped(title: str) -> str:
    """A title on two lines, broken near its middle; a short one on one."""
    words = title.split()
    if len(title) < ONE_LINE:
        return title
    at = min(range(1, len(words)), key=lambda i: abs(len(" ".join(words[:i])) - len(title) / 2))
    return " ".join(words[:at]) + "\n" + " ".join(words[at:])


def _dot(filled: bool) -> dict[str, Any]:
    look: dict[str, Any] = {"marker": "o", "markersize": marks.DOT_PT, "linestyle": "none", "color": BLUE}
    face, edge = (BLUE, style.PAPER) if filled else (style.PAPER, BLUE)
    return {**look, "markerfacecolor": face, "markeredgecolor": edge, "markeredgewidth": 0.6}


def _key() -> list[tuple[list[Artist], str]]:
    samples: list[tuple[list[Artist], str]] = []
    for filled, words in ((True, "as the sites are"), (False, "closed loop")):
        line = Line2D([0, key.SIZE_PT[0]], [key.MIDDLE_PT] * 2, linewidth=style.LINE_PT, color=BLUE)
        dot = Line2D([key.SIZE_PT[0] / 2], [key.MIDDLE_PT], **_dot(filled))
        samples.append(([line, dot], words))
    return samples
