"""Figures of the fleet: the day by scenario, and what moves it."""

from collections.abc import Iterator
from typing import Any

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from pipeline.core.read import rows_where
from pipeline.fleet.model.contract import PAIRS
from pipeline.report import formats, marks, style
from pipeline.report.figures import Drawing, figure, finding
from pipeline.report.settings import Figures

BLUE = style.MEANING["re_estimated"]
SITE = "datacentre at its load"
AGENTS = "agents_tenth"
COLUMNS_PT = {"GWh a day": 6.0, "MW": 66.0}  # right of the axes
ROWS = {  # scenarios that are shown, with what they are called
    "routed": "Small models first",
    "short_only": "No reasoning",
    "base": "Today, {long_share:.0%} reasoning",
    "published_mixed": "Today, at the published lengths",
    "reasoning_third": "{long_share:.0%} reasoning",
    "agents_hundredth": "{agentic_share:.0%} of tasks for agents",
    "agents_tenth": "{agentic_share:.0%} of tasks for agents",
}


def quantity_of(scenarios: pd.DataFrame, name: str) -> pd.DataFrame:
    """One quantity of all queries, by scenario or combination."""
    chosen = (scenarios["quantity"] == name) & (scenarios["component"] == "total")
    return scenarios[chosen].reset_index(drop=True)


def energy_of(scenarios: pd.DataFrame) -> pd.DataFrame:
    """Energy of all queries in the scenarios that are shown, by their names, least first."""
    rows = quantity_of(scenarios, "energy").set_index("scenario").loc[list(ROWS)].reset_index()
    names = [ROWS[row["scenario"]].format_map(row).replace("%", " %") for row in rows.to_dict("records")]
    return rows.assign(name=names).sort_values("p50", ignore_index=True)


def base_of(scenarios: pd.DataFrame) -> dict[Any, Any]:
    """The choices of the base scenario."""
    energy = quantity_of(scenarios, "energy")
    return dict(energy[energy["scenario"] == "base"].iloc[0])


@figure("fig-f1-fleet-scenarios", "Energy of a fleet's day by scenario", "double")
def by_scenario(
    profile: Figures,
    fleet_scenarios: pd.DataFrame,
    fleet_comparisons: pd.DataFrame,
    comparisons: pd.DataFrame,
) -> Drawing:
    """Seven scenarios on one log axis, the least first."""
    energy, base = energy_of(fleet_scenarios), base_of(fleet_scenarios)
    drawn, ax = style.new_figure(profile, "double", 56)
    for y, row in enumerate(energy.to_dict("records")):
        marks.range_marks(ax, y, row["p5"], row["p50"], row["p95"], BLUE)
        if pd.notna(row["published_value"]):
            marks.printed_marks(ax, y + 0.34, row["published_value"])
    style.log_axis(
        ax, "x", *style.decade_span([*energy["p5"], *energy["p95"]]), "Energy (GWh a day, log scale)"
    )
    style.name_rows(ax, list(energy["name"]), room=(0.7, 0.7))
    for words, value, side in _lines(fleet_comparisons):
        marks.reference_line(ax, value, "x")
        place: dict[str, Any] = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points"}
        look: dict[str, Any] = {"fontsize": style.SMALL_PT, "color": style.MUTED, "va": "bottom"}
        ax.annotate(words, (value, 1), (2 if side == "left" else -2, 1), ha=side, **place, **look)
    _columns(ax, fleet_scenarios, energy)
    marks.key(ax, _key(), lift_pt=12)
    words = scenarios_in_words(energy)
    alt = f"{len(energy)} scenarios of a fleet's day as intervals of GWh on a log axis: {words}."
    facts = dict(zip(comparisons["key"], comparisons["value"], strict=True))
    caption = (
        f"Energy of {base['queries_per_day'] / 1e9:g} billion queries a day, whole data "
        "centre, log scale. Dot: median; line: 90 % interval. Open diamond: the published value. Real "
        "traffic to large models, unless the row says otherwise. Dashed: as many web searches at "
        f"{facts['web_search']:g} Wh, a figure of 2009, and a site of {facts['datacentre_power']:g} MW at "
        f"{100 * facts['datacentre_load']:g} % load. On the right: GWh a day and average MW. The other "
        "scenarios (sites, growth, gains) are in the table of scenarios."
    )
    medians = energy.set_index("scenario")["p50"]
    times = float(medians[AGENTS] / medians["base"])
    says = finding(
        (times > 2, f"One agent task in ten makes a fleet’s energy {times:.0f} times larger"),
        (times > 1, f"One agent task in ten makes a fleet’s energy {times:.1f} times larger"),
    )
    return Drawing(drawn, alt, caption, says)


def scenarios_in_words(energy: pd.DataFrame) -> str:
    """`published lengths, short only 0.57 (0.33-1.2); ...` GWh."""
    parts = [f"{row['name']} {formats.band(row)}" for row in energy.to_dict("records")]
    return f"GWh a day: {'; '.join(parts)}"


def _lines(comparisons: pd.DataFrame) -> Iterator[tuple[str, float, str]]:
    """Words, GWh and side of what the base scenario is compared with: searches and a site, but not "
    "minutes."""
    rows = comparisons[comparisons["scenario"] == "base"]
    for row in rows.to_dict("records"):
        if row["compared_with"].startswith("as many web searches"):
            yield row["compared_with"].split(",")[0], row["value_gwh_per_day"], "right"
        elif row["compared_with"].endswith(SITE):
            yield row["compared_with"].replace(SITE, "site"), row["value_gwh_per_day"], "left"


def _columns(ax: Axes, scenarios: pd.DataFrame, energy: pd.DataFrame) -> None:
    """Numbers beside each row under heads that stand above the axes."""
    power = quantity_of(scenarios, "average power").set_index("scenario").loc[energy["scenario"], "p50"]
    texts = [[formats.band(row) for row in energy.to_dict("records")], map(formats.significant, power)]
    for (head, x), column in zip(COLUMNS_PT.items(), texts, strict=True):
        marks.column_head(ax, x, head)
        for y, text in enumerate(column):
            marks.row_cell(ax, y, x, text)


def _key() -> list[marks.Sample]:
    words = "median and 90 % interval"
    return [(marks.range_sample(BLUE), words), (marks.printed_sample(ends=False), "published value")]


MEASURED = style.MEANING["measured"]
CLAIM = (5.0, 10.0)
BAND_ALPHA = 0.16
GAINS = (1, 2, 3, 5, 10, 20)
SPAN = (0.85, 40.0)  # times less
OPEN = PAIRS[0]


@figure("fig-f3-routing", "Energy over the share of queries that a small model takes", "single")
def routing(
    profile: Figures,
    routing_curve: pd.DataFrame,
    routing_profiles: pd.DataFrame,
    routing_needed: pd.DataFrame,
    routers: pd.DataFrame,
) -> Drawing:
    """Times less energy over the share of the small model, chat, beside the profiles of one router."""
    drawn, ax = style.new_figure(profile, "single", 68)
    style.log_axis(ax, "y", *SPAN, "Times less energy (log scale)", grid=False)
    ax.set_yticks(GAINS, labels=[f"{gain}×" for gain in GAINS])
    ax.set(xlim=(-2, 104), xticks=range(0, 101, 20), xlabel="Share of chat queries to the small model (%)")
    ax.axhspan(*CLAIM, color=style.GRID, linewidth=0, zorder=0.1)
    marks.label_direct(
        ax, 0, CLAIM[1], "claimed: 5 to 10 times", style.MUTED, va="top", offset_pt=(0.0, -2.0)
    )
    rows = rows_where(routing_curve, regime="short", pair=OPEN)
    share = 100 * rows["share_small"]
    ax.fill_between(share, rows["p5"], rows["p95"], color=BLUE, alpha=BAND_ALPHA, linewidth=0, zorder=1)
    ax.plot(share, rows["p50"], color=BLUE, linewidth=style.LINE_PT, zorder=2, gid=marks.DATA)
    for row in formats.records(rows_where(routing_profiles, regime="short")):
        _profile(ax, row)
    band = [*marks.patch_sample(BLUE, BAND_ALPHA), *marks.line_sample(BLUE)]
    router = (_upright(MEASURED), "one commercial router, three profiles")
    marks.key(ax, [(band, "open models"), router])
    words = "; ".join(in_words(routing_profiles, routing_needed, regime) for regime in style.REGIME_NAMES)
    shares = ", ".join(
        f"{row['router']} on {row['benchmark']} {100 * row['share_small']:.0f} %"
        + (" of cost, taken as the share" if row["share_basis"] == "cost reduction" else "")
        for row in routers.to_dict("records")
    )
    alt = (
        "Times less energy on a log axis, which rises steeply where nearly all queries go to a small model: "
        f"{words}."
    )
    caption = (
        "Energy of chat when all queries go to the large model over that when a router sends a share to a "
        "small one, whole data centre, log scale. Line and band: median and 90 % interval with two open "
        "models; at both ends there is no router. Dots and lines: median and 90 % interval of what a "
        "commercial router chose for about 1,000 chat prompts in each of three profiles, at its share of the "
        "smallest models; it also sends queries to middle ones. Their sizes are not published and "
        "are ranges that others assume. Every model is taken to write the same number of tokens. Published "
        f"routers keep 95 to 100 % of quality on short answers at these shares: {shares}. None was measured "
        "on reasoning."
    )
    needed = routing_needed[(routing_needed["pair"] == OPEN) & (routing_needed["regime"] == "short")]
    share_of_five = float(needed.loc[needed["gain"] == CLAIM[0], "share_p50"].iloc[0])
    text = f"Five times less needs {100 * share_of_five:.0f} % of chat on the small model"
    says = finding((share_of_five > 0.5, text))
    return Drawing(drawn, alt, caption, says)


def in_words(profiles: pd.DataFrame, needed: pd.DataFrame, regime: str) -> str:
    """Gains of the profiles, and the share that five and ten times need."""
    rows = profiles[profiles["regime"] == regime]
    gains = [f"{r['profile']} {formats.band(r)}" for r in rows.to_dict("records")]
    needed = needed[(needed["regime"] == regime) & (needed["pair"] == OPEN)]
    shares = [
        f"{r['gain']:.0f} times needs {100 * r['share_p50']:.0f} %"
        for r in needed.to_dict("records")
        if r["gain"] in CLAIM
    ]
    name = style.REGIME_NAMES[regime].lower()
    return f"{name}: gains {', '.join(gains)}; with open models {', '.join(shares)}"


def _profile(ax: Axes, row: formats.Row) -> None:
    """What one profile of the router gains, at its share of the smallest models."""
    x = 100 * row["share_small"]
    ax.plot([x, x], [row["p5"], row["p95"]], color=MEASURED, linewidth=style.LINE_PT, zorder=3, **marks.FLAT)
    ax.plot([x], [row["p50"]], zorder=4, gid=marks.DATA, **marks.dot_look(MEASURED))
    beside = ("right", -4.0) if row["share_small"] > 0.8 else ("left", 4.0)  # where the curve leaves room
    marks.label_direct(ax, x, row["p95"], row["profile"], MEASURED, ha=beside[0], offset_pt=(beside[1], -2.0))


def _upright(colour: str) -> list[Artist]:
    """A dot on an upright line in small."""
    middle, height = marks.SIZE_PT[0] / 2, marks.SIZE_PT[1]
    line = Line2D([middle, middle], [0, height], color=colour, linewidth=style.LINE_PT)
    return [line, *marks.mark_sample("o", marks.DOT_PT, color=colour)]
