"""The rows of the start page: what one query takes, as published and re-estimated, on a log axis."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipeline.present.site.values import Values, fixed, significant

QUERIES = "half of all queries"
IGNORANCE = "nine tenths of what is not known"
SINGLE = "nine tenths of single queries, with what is not known"
STATED = "range as stated"


@dataclass(frozen=True)
class Row:
    """One band: keys of the middle (none for a bare range) and of its ends; what the band holds."""

    name: str
    meaning: str  # as_published | re_estimated: the colour
    band: str
    middle: str
    low: str
    high: str


@dataclass(frozen=True)
class Panel:
    """One quantity: unit, of what it is, the ends of its axis, rows by heading."""

    title: str
    unit: str
    about: str
    axis: tuple[float, float]
    groups: Sequence[tuple[str, Sequence[Row]]]
    text: Callable[[float], str]


@dataclass(frozen=True)
class Strip:
    """A row with its numbers as text and its places on the axis, per cent of the width."""

    name: str
    meaning: str
    band: str
    middle: str
    low: str
    high: str
    at: str
    start: str
    width: str
    thin: bool  # single queries: a line, as in the figures
    open: bool  # the band begins at zero, which a log axis has no place for


def printed(name: str, key: str, band: str = QUERIES) -> Row:
    """A printed claim."""
    row = f"claims.{key}.published"
    return Row(name, "as_published", band, f"{row}_value", f"{row}_low", f"{row}_high")


def ours(name: str, row: str, unit: str, joint: str) -> Row:
    """The median query of the re-estimate, with the interval of our ignorance."""
    middle, low, high = (f"{row}{joint}{end}_{unit}" for end in ("p50", "p5", "p95"))
    return Row(name, "re_estimated", IGNORANCE, middle, low, high)


def single(row: str) -> Row:
    """One query of the re-estimate: how queries differ and what is not known, together."""
    middle, low, high = (f"{row}.{end}_wh" for end in ("p50", "p5", "p95"))
    return Row("Re-estimated, single queries", "re_estimated", SINGLE, middle, low, high)


def recomputed(name: str, row: str) -> Row:
    """The water of the published energies at the sites that fit the published range."""
    middle, low, high = (f"{row}.{end}_ml" for end in ("p50", "p25", "p75"))
    return Row(name, "as_published", QUERIES, middle, low, high)


RE, ONE = "re.{}.blend.facility.median", "re.{}.blend.facility.total"
WATER = "water.production_lengths.{}.blend.microsoft_today.{}"
ENERGY_PANEL = Panel(
    "Energy",
    "Wh",
    "Wh per query, at the facility, large open models",
    (0.05, 20),
    [
        (
            "A short query",
            [
                printed("As published", "v2.blend.short"),
                ours("Re-estimated", RE.format("production_lengths.short"), "wh", "."),
                single(ONE.format("production_lengths.short")),
            ],
        ),
        (
            "A query that reasons",
            [
                printed("As published", "v2.blend.long"),
                ours("Re-estimated, published lengths", RE.format("published_lengths.long"), "wh", "."),
                ours("Re-estimated, lengths in production", RE.format("production_lengths.long"), "wh", "."),
                single(ONE.format("production_lengths.long")),
            ],
        ),
    ],
    lambda value: fixed(value, 2),
)
WATER_PANEL = Panel(
    "Water",
    "mL",
    "mL per query, consumed; re-estimated: at Microsoft’s largest sites",
    (0.0001, 20),
    [
        (
            "A short query, on site",
            [
                printed("As published", "blog.water", STATED),
                recomputed(
                    "Published energies, recomputed", "water-published.v2.short.blend.published.onsite"
                ),
                ours("Re-estimated", WATER.format("short", "onsite"), "ml", ".median_"),
            ],
        ),
        (
            "The same, with the water of its electricity",
            [
                recomputed(
                    "Published energies, recomputed", "water-published.v2.short.blend.published.total"
                ),
                ours("Re-estimated", WATER.format("short", "total"), "ml", ".median_"),
            ],
        ),
        (
            "A query that reasons, with its electricity",
            [ours("Re-estimated", WATER.format("long", "total"), "ml", ".median_")],
        ),
    ],
    significant,
)
PANELS = [ENERGY_PANEL, WATER_PANEL]


def place(value: float, axis: tuple[float, float]) -> float:
    """Per cent of the axis; what lies outside stands at its end."""
    low, high = (math.log(end) for end in axis)
    share = (math.log(value) - low) / (high - low) if value > 0 else 0.0
    return 100 * min(1.0, max(0.0, share))


def strip(row: Row, panel: Panel, values: Values) -> Strip:
    """Numbers and places of one row."""
    low, high = values.known(row.low), values.known(row.high)
    middle = values.known(row.middle) if row.middle in values.numbers else None
    start, end = place(low, panel.axis), place(high, panel.axis)
    return Strip(
        name=row.name,
        meaning=row.meaning.replace("_", "-"),
        band=row.band,
        middle="" if middle is None else panel.text(middle),
        low=panel.text(low),
        high=panel.text(high),
        at="" if middle is None else f"{place(middle, panel.axis):.2f}%",
        start=f"{start:.2f}%",
        width=f"{end - start:.2f}%",
        thin=row.band == SINGLE,
        open=low <= 0,
    )


def ticks(panel: Panel) -> list[tuple[str, str]]:
    """Text and place of the powers of ten on the axis."""
    low, high = (math.log10(end) for end in panel.axis)
    powers = [10.0**power for power in range(math.ceil(low), math.floor(high) + 1)]
    return [(f"{power:g}", f"{place(power, panel.axis):.2f}%") for power in powers]
