"""Figures of what an answer takes, and of what changed between the published estimate and ours."""

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedFormatter, FixedLocator

from pipeline.core.read import row_where
from pipeline.energy.model.contract import PARTS
from pipeline.report import formats, marks, style
from pipeline.report.figures import Drawing, figure, finding
from pipeline.report.settings import Figures

PUBLISHED, FACILITY = "v2", "facility"
BLEND = "blend"
ASSUMED, PRODUCTION = "published_lengths", "production_lengths"
GREY, BLUE = style.MEANING["as_published"], style.MEANING["re_estimated"]
COLUMNS_PT = {"Wh": 5.0, "change": 24.0}  # right of the panel
MARGIN = 1.08  # room for marks at the ends of the axis
HEIGHT = 0.5  # of a bar, in rows
# What outsiders can tell apart, from the changes of the table `bridge` in their order.
GROUPS = {
    "How fast servers answer": (
        "no trimming",
        "error of the throughput fit",
        "server that holds the model",
        "throughput model",
    ),
    "How servers are shared and used": (
        "assumed concurrency",
        "power from the load",
        "part load",
        "prefix caching",
    ),
    "Cooling and power supply": ("pue",),
    "How long prompts and answers are": ("lengths",),
}


@dataclass(frozen=True)
class Energies:
    """Tables energy_per_query and re_estimated."""

    energy: pd.DataFrame
    re_estimated: pd.DataFrame

    def published(self, regime: str, subject: str) -> pd.Series:
        """The published analysis, Wh at the facility."""
        keys = {"analysis": "as_published", "variant": PUBLISHED, "boundary": FACILITY}
        return row_where(self.energy, **keys, regime=regime, subject=subject)

    def ours(self, variant: str, regime: str, subject: str) -> pd.Series:
        """The re-estimate with uncertainty and variability apart, Wh at the facility."""
        keys = {"variant": variant, "regime": regime, "subject": subject, "boundary": FACILITY}
        return row_where(self.re_estimated, **keys)


@figure("fig-r8-bridge", "From the published energy per query to the re-estimate", "double")
def published_to_re_estimated(profile: Figures, bridge: pd.DataFrame) -> Drawing:
    """A waterfall of medians on a log axis, where equal factors are equal lengths."""
    drawn, panels = style.new_figure(profile, "double", 48, columns=2, sharey=True)
    ways = {regime: way(bridge, regime) for regime in style.REGIME_NAMES}
    for ax, (regime, rows), letter in zip(panels, ways.items(), "ab", strict=True):
        _waterfall(ax, rows)
        style.panel_title(ax, f"{letter}  {style.REGIME_NAMES[regime]}")
    panels[1].tick_params(labelleft=False)
    words = "; ".join(f"{style.REGIME_NAMES[regime]}: {in_words(rows)}" for regime, rows in ways.items())
    alt = f"Two waterfalls of the median energy per query on a log axis, in four steps. {words}."
    caption = (
        "Median energy per query of the published blend, whole data centre, log scale. Each bar "
        "leads from the median before a change to that after it, on top of the changes before; on the right "
        "the median and the factor of each change. Another order would divide the change differently. "
        "Answering: the serving model instead of the published regression, on servers that hold the model. "
        "Sharing and use: how many requests run at once, the power that goes with them, idle time, prompts "
        "read from a cache. All ten changes, and means, are in the table of the bridge."
    )
    chat, reasoning = (like_for_like(rows) for rows in ways.values())
    text = f"At equal lengths chat takes {chat:.1f} and reasoning {reasoning:.1f} times as published"
    says = finding((chat > 0, text))
    return Drawing(drawn, alt, caption, says)


def way(bridge: pd.DataFrame, regime: str) -> pd.DataFrame:
    """Name, median in Wh, and ratio to the row before: published, then after each group of changes.

    Raises KeyError for a change that stands in no group.
    """
    group_of = {change: name for name, changes in GROUPS.items() for change in changes}
    steps = bridge[bridge["regime"] == regime].sort_values("step")
    names = ["As published", *(group_of[str(name)] for name in steps["name"].iloc[1:])]
    ends = steps.assign(name=names).groupby("name", sort=False).tail(1).reset_index(drop=True)
    return ends[["name", "median_wh"]].assign(ratio=ends["median_wh"] / ends["median_wh"].shift())


def like_for_like(rows: pd.DataFrame) -> float:
    """Our median over the published one before lengths change, which is the last step."""
    medians = rows["median_wh"].to_numpy(float)
    return float(medians[-2] / medians[0])


def in_words(rows: pd.DataFrame) -> str:
    """`As published 0.31 Wh; How fast servers answer ×0.67, to 0.21 Wh; ...`."""
    first, *others = rows.to_dict("records")
    parts = [
        f"{row['name']} {_factor(row['ratio'])}, to {formats.significant(row['median_wh'])} Wh"
        for row in others
    ]
    return "; ".join([f"{first['name']} {formats.significant(first['median_wh'])} Wh", *parts])


def _factor(ratio: float) -> str:
    """`×1.3`, `×0.90`; two significant digits."""
    return f"×{formats.significant(ratio)}"


def _waterfall(ax: Axes, rows: pd.DataFrame) -> None:
    medians = rows["median_wh"].to_numpy(float)
    ax.plot(medians[0], 0, gid=marks.DATA, **marks.dot_look(GREY))
    for y in range(1, len(rows)):
        before, after = medians[y - 1], medians[y]
        ax.plot([before, before], [y - 1, y], color=style.RULE, linewidth=style.HAIR_PT, zorder=1)
        ax.barh(y, after - before, HEIGHT, left=before, color=BLUE, zorder=2, gid="bar")
    ax.plot(medians[-1], len(rows) - 1, zorder=3, gid=marks.DATA, **marks.dot_look(BLUE))
    _short_axis(ax, [*medians])
    style.name_rows(ax, list(rows["name"]), room=(0.6, 0.6))
    factors = ["", *map(_factor, rows["ratio"][1:])]
    texts = (map(formats.significant, medians), factors)
    for (head, x), column in zip(COLUMNS_PT.items(), texts, strict=True):
        marks.column_head(ax, x, head)
        for y, text in enumerate(column):
            marks.row_cell(ax, y, x, text)


def _short_axis(ax: Axes, values: list[float]) -> None:
    """A log axis so short that 2 and 5 have numbers too."""
    low, high = style.decade_span([min(values) / MARGIN, max(values) * MARGIN])
    style.log_axis_wh(ax, low, high)
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [step * 10.0**decade for decade in decades for step in (1, 2, 5)]
    ticks = [tick for tick in ticks if low * 0.999 <= tick <= high * 1.001]
    ax.xaxis.set_major_locator(FixedLocator(ticks))
    ax.xaxis.set_major_formatter(FixedFormatter([formats.plain(tick) for tick in ticks]))


SERVICE = "large mixture-of-experts"
ROWS = {  # names by scenario and subject
    ("published", BLEND): "As published",
    (ASSUMED, BLEND): "Same models and lengths",
    (PRODUCTION, BLEND): "Same models, real traffic",
    (PRODUCTION, SERVICE): "A large mixture of experts, real traffic",
}
KINDS = {"short": "Chat query", "long": "Reasoning query", "agent step": "Call of an agent"}
MICROWAVE_W = 1000.0
TINTS, BAR = ("#1D5BD6", "#7EA2EA", "#B9CDF5", "#E1E9FA"), 0.6
GOOGLE = "google_median"  # of the earlier estimates
SPAN = (0.01, 40.0)
TICKS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30)


@figure("fig-hero", "What a chat and a reasoning query take, published and re-estimated", "double")
def hero(
    profile: Figures,
    energy_per_query: pd.DataFrame,
    re_estimated: pd.DataFrame,
    prior_estimates_compared: pd.DataFrame,
) -> Drawing:
    """Rows of each kind of query: published, ours with its lengths, ours in real traffic."""
    tables = Energies(energy_per_query, re_estimated)
    there = set(zip(re_estimated["regime"], re_estimated["variant"], re_estimated["subject"], strict=True))
    rows = {
        regime: [
            (scenario, subject)
            for scenario, subject in ROWS
            if (scenario == "published" and regime in style.REGIME_NAMES)
            or (regime, scenario, subject) in there
        ]
        for regime in KINDS
    }
    drawn, ax = style.new_figure(profile, "double", 26 + 5.2 * sum(map(len, rows.values())))
    style.log_axis(ax, "x", *SPAN, "Energy per query (Wh, log scale)", grid=False)
    ax.set_xticks(TICKS, labels=[f"{tick:g}" for tick in TICKS])
    heights, names, words, y = [], [], [], -1.4
    for regime, own in rows.items():
        if own:
            y += 1.4
            marks.row_heading(ax, y - 1, KINDS[regime])
        for scenario, subject in own:
            heights.append(y)
            names.append(ROWS[scenario, subject])
            words.append(_row(ax, y, tables, regime, scenario, subject))
            y += 1
    ax.set_yticks(heights, labels=names)
    ax.set_ylim(heights[-1] + 0.8, -1.7)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    for y, text in zip(heights, words, strict=True):
        marks.row_cell(ax, y, COLUMNS_PT["Wh"], text)
    marks.column_head(ax, COLUMNS_PT["Wh"], "Wh")
    _anchors(ax, _google(prior_estimates_compared))
    marks.key_above(drawn, ax, [_key()])
    chat = tables.ours(PRODUCTION, "short", SERVICE)
    middle, low, high = (formats.significant(float(chat[f"median_{p}_wh"])) for p in ("p50", "p5", "p95"))
    numbers = f"{middle} Wh ({low}–{high})"
    says = finding((low != high, f"Chat with a large mixture-of-experts model takes {numbers}"))
    said = "; ".join(f"{name} {text}" for name, text in zip(names, words, strict=True))
    alt = f"Intervals on a log axis, by kind of query. Wh: {said}."
    caption = (
        "Energy of a query, whole data centre, log scale. Dot: median query. As published (grey), box: the "
        "middle half of queries. Re-estimated (blue), line: 90 % interval of the median query; light line: "
        "90 % of the queries of a typical service. Same models: the published blend of models above 200 "
        "billion parameters. Open dot: at the lengths that the study assumed. Large mixture of experts: a "
        "service that runs one, whichever it is. Dashed: a measurement of Google, and a microwave oven of "
        "1,000 W for 3.6 seconds."
    )
    return Drawing(drawn, alt, caption, says)


@figure("fig-where-the-wh-goes", "Where the energy of a query goes", "double")
def where_it_goes(profile: Figures, energy_parts: pd.DataFrame) -> Drawing:
    """A bar a kind of query, of the mean shares of its parts."""
    shares = energy_parts.pivot_table(index="regime", columns="part", values="mean_share", sort=False)
    shares = shares.loc[[regime for regime in KINDS if regime in shares.index], list(PARTS)]
    drawn, ax = style.new_figure(profile, "double", 21 + 11 * len(shares))
    for y, (_, row) in enumerate(shares.iterrows()):
        left = 0.0
        for (part, share), colour in zip(row.items(), TINTS, strict=True):
            ax.barh(y, 100 * share, BAR, left=left, color=colour, gid="bar")
            place: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": style.SMALL_PT}
            ink = style.PAPER if colour == TINTS[0] else style.INK
            ax.text(left + 50 * share, y, f"{100 * share:.0f} %", color=ink, gid=f"on {colour}", **place)
            if y == 0:
                words = str(part).replace("idle ", "idle\n").replace("and ", "and\n")
                marks.label_direct(ax, left, -0.4, words, va="bottom", offset_pt=(0, 1))
            left += 100 * share
    style.name_rows(ax, [KINDS[str(regime)] for regime in shares.index], room=(1.2, 0.5))
    ax.set(xlim=(0, 100), xlabel="Share of the energy of a query (%)")
    away = 100 * float(1 - shares[PARTS[0]].to_numpy(float)[0])
    says = finding(
        (away > 50, f"{away:.0f} % of a chat query’s energy goes elsewhere than into accelerators"),
        (away <= 50, f"Accelerators take {100 - away:.0f} % of the energy of a chat query"),
    )
    words = "; ".join(
        f"{KINDS[str(regime)]}: {', '.join(f'{part} {100 * share:.0f} %' for part, share in row.items())}"
        for regime, row in shares.iterrows()
    )
    alt = f"Stacked bars of shares that sum to 100 %. {words}."
    caption = (
        "Share of the energy of the mean query of a service that runs one large mixture of experts, whole "
        "data centre, linear scale. Shares are taken in each simulated service and averaged; real traffic. "
        "Idle servers: those that are kept ready; cooling and power supply: what PUE adds."
    )
    return Drawing(drawn, alt, caption, says)


def _row(ax: Axes, y: float, tables: Energies, regime: str, variant: str, subject: str) -> str:
    """Draw one row; its numbers in words."""
    if variant == "published":
        row = tables.published(regime, subject)
        marks.box(ax, y, float(row["p25_wh"]), float(row["p75_wh"]), GREY)
        ax.plot(float(row["p50_wh"]), y, zorder=3, gid=marks.DATA, **marks.dot_look(GREY))
        return formats.significant(float(row["p50_wh"]))
    row = tables.ours(variant, regime, subject)
    marks.light_line(ax, y, float(row["query_p5_wh"]), float(row["query_p95_wh"]), BLUE)
    low, middle, high = (float(row[f"median_{p}_wh"]) for p in ("p5", "p50", "p95"))
    marks.range_marks(ax, y, low, middle, high, BLUE, filled=variant == PRODUCTION)
    return formats.band(row, "median_{}_wh")


def _google(prior: pd.DataFrame) -> float:
    """The measured median prompt, Wh."""
    return float(prior.loc[prior["key"] == GOOGLE, "value_wh"].iloc[0])


def _anchors(ax: Axes, google_wh: float) -> None:
    place: dict[str, Any] = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points"}
    look: dict[str, Any] = {"fontsize": style.SMALL_PT, "color": style.MUTED, "va": "bottom"}
    seconds = 3600 / MICROWAVE_W
    lines = ((google_wh, "Google, measured", "right"), (1.0, f"microwave, {seconds:g} s", "left"))
    for value, words, side in lines:
        marks.reference_line(ax, value, "x")
        ax.annotate(words, (value, 1), (2 if side == "left" else -2, 1), ha=side, **place, **look)


def _key() -> list[marks.Sample]:
    return [
        (marks.box_sample(GREY), "middle half of queries"),
        (marks.range_sample(BLUE), "90 % interval of the median"),
        (marks.light_sample(BLUE), "90 % of single queries"),
        (marks.range_sample(BLUE, filled=False), "published lengths"),
    ]
