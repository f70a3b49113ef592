"""Figures of the fleet: the day by scenario, and what moves it."""

from collections.abc import Iterator
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

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


COLOURS = dict(zip(PAIRS, (style.MEANING["re_estimated"], style.MEANING["modelled"]), strict=True))
PAIR_NAMES = dict(
    zip(PAIRS, ("open models", "gpt-5 and gpt-5-nano, sizes as others assume them"), strict=True)
)
MEASURED = style.MEANING["measured"]
CLAIM = (5.0, 10.0)
BAND_ALPHA = 0.16
TOP = 116  # %: a profile may take more than the large model alone, and its interval ends inside
GAINS = (1, 2, 5, 10)


@figure("fig-f3-routing", "Energy over the share of queries that a small model takes", "double")
def routing(
    profile: Figures,
    routing_curve: pd.DataFrame,
    routing_profiles: pd.DataFrame,
    routing_needed: pd.DataFrame,
    routers: pd.DataFrame,
) -> Drawing:
    """Energy in per cent of that of the large model alone, over the share of the small one."""
    drawn, panels = style.new_figure(profile, "double", 74, columns=2, sharey=True)
    for ax, regime, letter in zip(panels, style.REGIME_NAMES, "ab", strict=True):
        _panel(ax, regime, routing_curve, routing_profiles, routers)
        style.panel_title(ax, f"{letter}  {style.REGIME_NAMES[regime]}")
    panels[0].set_ylabel("Energy of a query (% of the large model alone)")
    panels[1].tick_params(labelleft=False)
    _gains(panels[1])
    marks.key_above(drawn, panels[1], _key_of_moves())
    words = "; ".join(in_words(routing_profiles, routing_needed, regime) for regime in style.REGIME_NAMES)
    shares = ", ".join(
        f"{row['router']} on {row['benchmark']} {100 * row['share_small']:.0f} %"
        + (" of cost, taken as the share" if row["share_basis"] == "cost reduction" else "")
        for row in routers.to_dict("records")
    )
    alt = (
        f"Two panels of energy falling in a line with the share of queries that a small model takes: {words}."
    )
    caption = (
        "Energy of a query over the share that a small model takes, in per cent of all to the large one; "
        "at both ends there is no router. Lines: medians, with the 90 % interval. "
        "Grey: 5 to 10 times less. Dots: what a commercial router chose for about 1,000 prompts in each "
        "of three profiles, at the share of the smallest models; the horizontal line reaches to the "
        "share with middle models; the vertical one is the 90 % interval of its energy. The prompts were "
        "those of a chat; panel b supposes the same choices. Sizes of closed models are not published: "
        "these are ranges that others assume, and every model is taken to write the same number of "
        "tokens. Triangles: shares of published routers at 95 to 100 % of the large model's quality, "
        f"each on its own benchmark of short answers ({shares}); none was measured on long ones."
    )
    needed = routing_needed[(routing_needed["pair"] == PAIRS[0]) & (routing_needed["regime"] == "short")]
    share = float(needed.loc[needed["gain"] == CLAIM[0], "share_p50"].iloc[0])
    text = f"Five times less needs {100 * share:.0f} % of chat on the small model"
    says = finding((share > 0.5, text))
    return Drawing(drawn, alt, caption, says)


def in_words(profiles: pd.DataFrame, needed: pd.DataFrame, regime: str) -> str:
    """Gains of the profiles, and the share that five and ten times need."""
    rows = profiles[profiles["regime"] == regime]
    gains = [f"{r['profile']} {formats.band(r)}" for r in rows.to_dict("records")]
    needed = needed[(needed["regime"] == regime) & (needed["pair"] == PAIRS[0])]
    shares = [
        f"{r['gain']:.0f} times needs {100 * r['share_p50']:.0f} %"
        for r in needed.to_dict("records")
        if r["gain"] in CLAIM
    ]
    name = style.REGIME_NAMES[regime].lower()
    return f"{name}: gains {', '.join(gains)}; with open models {', '.join(shares)}"


def _panel(ax: Axes, regime: str, curve: pd.DataFrame, profiles: pd.DataFrame, routers: pd.DataFrame) -> None:
    ax.axhspan(100 / CLAIM[1], 100 / CLAIM[0], color=style.GRID, linewidth=0, zorder=0.1)
    for pair, colour in COLOURS.items():
        rows = curve[(curve["regime"] == regime) & (curve["pair"] == pair)]
        share = 100 * rows["share_small"]
        low, middle, high = (100 / rows[name] for name in ("p95", "p50", "p5"))
        ax.fill_between(
            share, low, high, color=colour, alpha=BAND_ALPHA, linewidth=0, zorder=1, gid="density"
        )
        ax.plot(share, middle, color=colour, linewidth=style.LINE_PT, zorder=2, gid=marks.DATA)
    for row in profiles[profiles["regime"] == regime].to_dict("records"):
        _profile(ax, row)
    routers = routers[routers["regime"].isin([regime, "both"])]
    shares = 100 * routers["share_small"]
    look: dict[str, Any] = {"color": style.INK, "linestyle": "none", "markersize": 3.2, "gid": marks.DATA}
    ax.plot(shares, [1.6] * len(shares), "^", markeredgewidth=0, zorder=3, **look)
    ax.set(xlim=(0, 102), ylim=(0, TOP), xlabel="Share of queries to the small model (%)")
    ax.set_xticks([0, 20, 40, 60, 80, 100])
    ax.set_yticks([0, 20, 40, 60, 80, 100])


def _profile(ax: Axes, row: dict[Any, Any]) -> None:
    """A profile of the router: its energy, and the shares of small and of small and middle models."""
    small, middle = 100 * row["share_small"], 100 * (row["share_small"] + row["share_middle"])
    low, value, high = (100 / row[name] for name in ("p95", "p50", "p5"))
    thin: dict[str, Any] = {"color": MEASURED, "linewidth": style.LINE_PT, "gid": marks.DATA, "zorder": 4}
    ax.plot([small, middle], [value, value], **thin)
    ax.plot([small, small], [low, high], **thin)
    edge: dict[str, Any] = {"markeredgecolor": style.PAPER, "markeredgewidth": 0.6, "gid": marks.DATA}
    ax.plot([small], [value], "o", color=MEASURED, markersize=marks.DOT_PT + 1, zorder=5, **edge)
    # Where the lines leave room: left of the middle profile, above and below the outer ones.
    places: dict[str, tuple[float, dict[str, Any]]] = {
        "quality": (low, {"ha": "center", "va": "top", "offset_pt": (0.0, -2.0)}),
        "balanced": (value, {"ha": "right", "offset_pt": (-5.0, 0.0)}),
        "cost": (high, {"ha": "center", "va": "bottom", "offset_pt": (0.0, 5.0)}),
    }
    y, beside = places[row["profile"]]
    marks.label_direct(ax, small, y, row["profile"], MEASURED, **beside)


def _gains(ax: Axes) -> None:
    """The same axis read as times less energy, on the right."""
    twin = ax.secondary_yaxis("right")
    twin.set_yticks([100 / gain for gain in GAINS], labels=[f"{gain}×" for gain in GAINS])
    twin.set_ylabel("Times less energy")
    twin.tick_params(length=2.5, color=style.RULE)
    twin.spines["right"].set_visible(True)


def _key_of_moves() -> list[list[marks.Sample]]:
    pairs = [
        ([*marks.patch_sample(colour, BAND_ALPHA), *marks.line_sample(colour)], PAIR_NAMES[pair])
        for pair, colour in COLOURS.items()
    ]
    dot = marks.mark_sample("o", marks.DOT_PT + 1, color=MEASURED)
    return [
        pairs,
        [
            (dot, "profiles of a commercial router"),
            (marks.mark_sample("^", 3.2, color=style.INK), "published routers"),
            (marks.patch_sample(style.GRID), "5 to 10 times less"),
        ],
    ]
