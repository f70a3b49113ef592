"""Figures 3a and 3b, a fleet of a billion queries a day, and all of the paper in one."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from pipeline.core.read import row_where
from pipeline.published.figures.draws import ANALYSIS, KINDS, VARIANT, Results, claimed
from pipeline.published.figures.energy import draw_rows, limits, model_rows
from pipeline.published.figures.energy import in_words as energies_in_words
from pipeline.published.model.settings import AsPublished, known
from pipeline.report import formats, marks, style
from pipeline.report.figures import Drawing, figure, finding
from pipeline.report.settings import Figures

BAR_HEIGHT, NEAR = 0.5, 0.05
SHORT_COLOUR, LONG_COLOUR = "#A9B0BA", style.MEANING["as_published"]


@dataclass(frozen=True)
class Bar:
    """One scenario: its name, total, components from left to right, and the claim it is set beside."""

    name: str
    total: pd.Series
    short: pd.Series | None = None
    long: pd.Series | None = None
    claim: pd.Series | None = None


@dataclass(frozen=True)
class Fleets:
    """Tables fleet and claims."""

    fleet: pd.DataFrame
    claims: pd.DataFrame

    def of(self, scenario: str, component: str = "total") -> pd.Series:
        """One row of the fleet table, GWh/day."""
        place = {"analysis": ANALYSIS, "variant": VARIANT, "scenario": scenario, "component": component}
        return row_where(self.fleet, **place)

    def bar(self, name: str, scenario: str, stacked: bool = False) -> Bar:
        """A scenario beside what the released code gives for it."""
        short, long = (self.of(scenario, part) for part in ("short", "long")) if stacked else (None, None)
        return Bar(name, self.of(scenario), short, long, claimed(self.claims, f"v2.fleet.{scenario}.code"))


def volume_of(published: AsPublished) -> str:
    """The day's queries in words: `1 billion queries a day`."""
    return f"{known(published.variants[VARIANT].queries_per_day) / 1e9:g} billion queries a day"


@figure("fig-3a", "Energy of a fleet, chat", "single")
def fig_3a(
    profile: Figures,
    fleet: pd.DataFrame,
    published__claims: pd.DataFrame,
    *,
    published: AsPublished,
) -> Drawing:
    """Chat queries only: baseline and improved."""
    fleets = Fleets(fleet, published__claims)
    bars = [fleets.bar("Baseline", "short"), fleets.bar("Improved", "short_improved")]
    drawn, ax = style.new_figure(profile, "single", height_mm=38)
    volume = volume_of(published)
    _draw_bars(ax, bars, volume, room=1.3)
    marks.key(ax, [(marks.printed_sample(ends=False), marks.PRINTED_WORDS)])
    alt = f"Two bars of GWh/day for {volume}, all chat: {_in_words(bars)}."
    caption = (
        f"Energy of {volume}, all chat, as published, before and after improved serving. {_errors(bars)}"
    )
    before, after = (float(bar.total["value_gwh_per_day"]) for bar in bars)
    says = finding(
        (
            after < before,
            f"As published, better serving takes {100 - 100 * after / before:.0f} % off a fleet’s energy",
        )
    )
    return Drawing(drawn, alt, caption, says)


@figure("fig-3b", "Energy of a fleet, with reasoning", "single")
def fig_3b(
    profile: Figures,
    fleet: pd.DataFrame,
    published__claims: pd.DataFrame,
    *,
    published: AsPublished,
) -> Drawing:
    """A share of the queries with test-time scaling, stacked, with two reference lines."""
    volume, share = volume_of(published), known(published.variants[VARIANT].long_share)
    bars = mixed_bars(Fleets(fleet, published__claims), published)
    drawn, ax = style.new_figure(profile, "single", height_mm=50)
    _draw_bars(ax, bars, volume, room=1.22)
    lines = published.reference_lines
    search, site = known(lines.web_search), known(lines.datacentre)
    _reference(ax, search, f"as many web searches: {search:g}", "right")
    _reference(ax, site, f"{site:g}: one large data centre", "left")
    marks.key(ax, [(marks.printed_sample(ends=False), marks.PRINTED_WORDS)])
    alt = (
        f"Three stacked bars of GWh/day for {volume}: {_in_words(bars)}. "
        f"Dashed lines at {search:g} (as many web searches) and {site:g} (one large data centre)."
    )
    caption = (
        f"Energy of {volume}, as published: all chat, with {100 * share:.0f} % "
        "reasoning, and the same mix with improved serving. Dashed: as many web searches "
        f"({search:g} GWh) and a day of a large data centre ({site:g} GWh). {_errors(bars)}"
    )
    plain, mixed = (float(bar.total["value_gwh_per_day"]) for bar in bars[:2])
    text = f"{100 * share:.0f} % reasoning queries make it {mixed / plain:.1f} times"
    says = finding((mixed > plain, f"As published, {text} the energy"))
    return Drawing(drawn, alt, caption, says)


@figure("fig-as-published", "The published analysis in one picture", "double")
def as_published(
    profile: Figures,
    energy_per_query: pd.DataFrame,
    energy_histograms: pd.DataFrame,
    fleet: pd.DataFrame,
    published__claims: pd.DataFrame,
    *,
    published: AsPublished,
) -> Drawing:
    """Figures 1A, 2A and 3B side by side."""
    results = Results(energy_per_query, published__claims, energy_histograms)
    drawn, panels = style.new_figure(profile, "double", 66, columns=3, width_ratios=[1, 1, 1.2])
    said = []
    for ax, (regime, kind), letter in zip(panels, KINDS.items(), "ab", strict=False):
        rows = model_rows(results, regime)
        style.log_axis_wh(ax, *limits(rows))
        draw_rows(ax, rows)
        style.panel_title(ax, f"{letter}  {kind.capitalize()}")
        said.append(f"{kind}, Wh: {energies_in_words(rows)}")
    bars, volume = mixed_bars(Fleets(fleet, published__claims), published), volume_of(published)
    _draw_bars(panels[2], bars, volume, room=1.22)
    panels[2].set_xlabel("Energy of a fleet (GWh a day)")
    style.panel_title(panels[2], f"c  {volume.capitalize()}")
    key = [(marks.interval_sample(), marks.INTERVAL_WORDS), (marks.printed_sample(), marks.PRINTED_WORDS)]
    marks.key_above(drawn, panels[2], [key])
    alt = f"Three panels. {'; '.join(said)}; fleet, GWh a day: {_in_words(bars)}."
    caption = (
        "Energy per query by model (Wh, log scale) and of a fleet’s day (GWh, linear scale), recomputed as "
        f"published. {style.UNCERTAINTY} {style.PRINTED} Shaded: density on the log axis."
    )
    printed = [(bar.total["value_gwh_per_day"], bar.claim["value"]) for bar in bars if bar.claim is not None]
    off = max((abs(ours / theirs - 1) for ours, theirs in printed), default=math.inf)
    text = f"The paper’s fleet totals are reproduced within {math.ceil(100 * off)} %"
    says = finding(
        (off < NEAR, text), (off >= NEAR, f"The paper’s fleet totals are off by up to {100 * off:.0f} %")
    )
    return Drawing(drawn, alt, caption, says)


def mixed_bars(fleets: Fleets, published: AsPublished) -> list[Bar]:
    """Chat alone, with a share of reasoning, and with better serving."""
    share = known(published.variants[VARIANT].long_share)
    return [
        fleets.bar("All chat", "short"),
        fleets.bar(f"{100 * share:.0f} % reasoning", "mixed", stacked=True),
        fleets.bar("With better serving", "mixed_improved", stacked=True),
    ]


def _draw_bars(ax: Axes, bars: Sequence[Bar], volume: str, room: float) -> None:
    ys = style.name_rows(ax, [bar.name for bar in bars], room=(0.55, 0.55))
    end = max(float(bar.total["value_gwh_per_day"]) for bar in bars) * room
    stacked = [bar for bar in bars if bar.long is not None]
    for y, bar in zip(ys, bars, strict=True):
        _draw_bar(ax, float(y), bar, named=bar is stacked[0] if stacked else False)
    ax.set(xlim=(0, end), xlabel=f"Energy of {volume} (GWh/day)")
    ax.grid(axis="x")


def _draw_bar(ax: Axes, y: float, bar: Bar, named: bool) -> None:
    """A bar with its value; the first stacked one names its parts, in which there is room."""
    if bar.short is None or bar.long is None:
        parts = [(bar.total, SHORT_COLOUR, style.INK, "")]
    else:
        parts = [
            (bar.short, SHORT_COLOUR, style.INK, "chat"),
            (bar.long, LONG_COLOUR, style.PAPER, "reasoning"),
        ]
    left = 0.0
    for part, colour, ink, words in parts:
        value = float(part["value_gwh_per_day"])
        ax.barh(y, value, BAR_HEIGHT, left=left, color=colour, gid="bar")
        if words:
            place: dict[str, Any] = {"ha": "center", "va": "center", "linespacing": 1.05}
            shown = f"{words}\n{_gwh(part)}" if named else _gwh(part)
            label = ax.text(left + value / 2, y, shown, color=ink, **place)
            label.set(fontsize=style.SMALL_PT, gid=f"on {colour}")
        left += value
    if bar.claim is not None:
        marks.printed_marks(ax, y + BAR_HEIGHT / 2 + 0.1, float(bar.claim["value"]))
    marks.label_direct(ax, left, y, f"{_gwh(bar.total)} GWh", weight="bold")


def _reference(ax: Axes, value: float, words: str, side: str) -> None:
    """A dashed line named above the axes, with its text to one side of it."""
    marks.reference_line(ax, value, "x")
    place: dict[str, Any] = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points"}
    shift = 4 if side == "right" else -4
    label = ax.annotate(words, (value, 1), (shift, 2), ha=side, va="bottom", **place)
    label.set(fontsize=style.SMALL_PT, color=style.MUTED)


def _gwh(row: pd.Series) -> str:
    return f"{float(row['value_gwh_per_day']):.2f}"


def _in_words(bars: Sequence[Bar]) -> str:
    return "; ".join(f"{bar.name.lower()} {_gwh(bar.total)}" for bar in bars)


def _errors(bars: Sequence[Bar]) -> str:
    """Monte Carlo error of ours, and what the paper gives as an interval."""
    largest = max(float(bar.total["mc_error_gwh_per_day"]) for bar in bars)
    words = f"Monte Carlo standard error of the totals: at most {formats.significant(largest, 1)} GWh/day."
    claim = bars[0].claim
    if claim is None or pd.isna(claim["low"]):
        return words
    band = f"{claim['low']:.3f}–{claim['high']:.3f}"
    return (
        f"{words} Open diamond: the paper; its interval ({band} for the first bar) is Monte Carlo error only."
    )
