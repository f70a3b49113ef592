"""Figures 3a and 3b: a fleet of a billion queries a day."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from pipeline.assumptions.figures import Figures
from pipeline.present import axes, key, marks, style
from pipeline.present.figures.published.tables import PublishedTables
from pipeline.present.save import Drawing

BAR_HEIGHT = 0.5
SHORT_COLOUR, LONG_COLOUR = "#A9B0BA", style.MEANING["as_published"]


@dataclass(frozen=True)
class Bar:
    """One scenario: its name, total, components from left to right, and the claim it is set beside."""

    name: str
    total: pd.Series
    short: pd.Series | None = None
    long: pd.Series | None = None
    claim: pd.Series | None = None


def fig_3a(tables: PublishedTables, profile: Figures) -> Drawing:
    """Traditional queries only: baseline and improved."""
    bars = [_single(tables, "Baseline", "short"), _single(tables, "Improved", "short_improved")]
    figure, ax = style.new_figure(profile, "single", height_mm=38)
    volume = tables.fleet_settings.volume
    _draw_bars(ax, bars, volume, room=1.3)
    key.key(ax, [(key.printed_sample(ends=False), key.PRINTED_WORDS)])
    alt = f"Two bars of GWh/day for {volume}, all traditional: {_in_words(bars)}."
    caption = (
        f"Energy of {volume}, all traditional, as published, before and after improved serving. "
        f"{_errors(bars)}"
    )
    return Drawing(figure, alt, caption)


def fig_3b(tables: PublishedTables, profile: Figures) -> Drawing:
    """A share of the queries with test-time scaling, stacked, with two reference lines."""
    settings = tables.fleet_settings
    long = f"{settings.long_share:.0%} long"
    bars = [
        _single(tables, "All traditional", "short"),
        _mixed(tables, long, "mixed"),
        _mixed(tables, f"{long}, improved", "mixed_improved"),
    ]
    figure, ax = style.new_figure(profile, "single", height_mm=50)
    _draw_bars(ax, bars, settings.volume, room=1.22)
    search, site = settings.web_search_gwh, settings.datacentre_gwh
    _reference(ax, search, f"as many web searches: {search:g}", "right")
    _reference(ax, site, f"{site:g}: one large datacentre", "left")
    key.key(ax, [(key.printed_sample(ends=False), key.PRINTED_WORDS)])
    alt = (
        f"Three stacked bars of GWh/day for {settings.volume}: {_in_words(bars)}. "
        f"Dashed lines at {search:g} (as many web searches) and {site:g} (one large datacentre)."
    )
    caption = (
        f"Energy of {settings.volume}, as published: all traditional, with {settings.long_share:.0%} "
        "test-time scaling, and the same mix with improved serving. Dashed: as many web searches "
        f"({search:g} GWh) and a day of a large datacentre ({site:g} GWh). {_errors(bars)}"
    )
    return Drawing(figure, alt, caption)


def _single(tables: PublishedTables, name: str, scenario: str) -> Bar:
    return Bar(name, tables.scenario(scenario), claim=tables.claim(f"v2.fleet.{scenario}.code"))


def _mixed(tables: PublishedTables, name: str, scenario: str) -> Bar:
    total, short, long = (tables.scenario(scenario, part) for part in ("total", "short", "long"))
    return Bar(name, total, short, long, tables.claim(f"v2.fleet.{scenario}.code"))


def _draw_bars(ax: Axes, bars: Sequence[Bar], volume: str, room: float) -> None:
    ys = axes.name_rows(ax, [bar.name for bar in bars], room=(0.55, 0.55))
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
            (bar.short, SHORT_COLOUR, style.INK, "traditional"),
            (bar.long, LONG_COLOUR, style.PAPER, "long"),
        ]
    left = 0.0
    for part, colour, ink, words in parts:
        value = float(part["value_gwh_per_day"])
        ax.barh(y, value, BAR_HEIGHT, left=left, color=colour, gid="bar")
        if words:
            place: dict[str, Any] = {"ha": "center", "va": "center", "linespacing": 1.05}
            shown = f"{words}\n{_gwh(part)}" if named else _gwh(part)
            text = ax.text(left + value / 2, y, shown, color=ink, **place)
            text.set(fontsize=style.SMALL_PT, gid=f"on {colour}")
        left += value
    if bar.claim is not None:
        marks.printed_marks(ax, y + BAR_HEIGHT / 2 + 0.1, float(bar.claim["value"]))
    marks.label_direct(ax, left, y, f"{_gwh(bar.total)} GWh", weight="bold")


def _reference(ax: Axes, value: float, words: str, side: str) -> None:
    """A dashed line named above the axes, with its text to one side of it."""
    marks.reference_line(ax, value, "x")
    place: dict[str, Any] = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points"}
    shift = 4 if side == "right" else -4
    text = ax.annotate(words, (value, 1), (shift, 2), ha=side, va="bottom", **place)
    text.set(fontsize=style.SMALL_PT, color=style.MUTED)


def _gwh(row: pd.Series) -> str:
    return f"{float(row['value_gwh_per_day']):.2f}"


def _in_words(bars: Sequence[Bar]) -> str:
    return "; ".join(f"{bar.name.lower()} {_gwh(bar.total)}" for bar in bars)


def _errors(bars: Sequence[Bar]) -> str:
    """Monte Carlo error of ours, and what the paper gives as an interval."""
    largest = max(float(bar.total["mc_error_gwh_per_day"]) for bar in bars)
    words = f"Monte Carlo standard error of the totals: at most {axes.significant(largest, 1)} GWh/day."
    claim = bars[0].claim
    if claim is None or pd.isna(claim["low"]):
        return words
    band = f"{claim['low']:.3f}–{claim['high']:.3f}"
    return (
        f"{words} Open diamond: the paper; its interval ({band} for the first bar) is Monte Carlo error only."
    )
