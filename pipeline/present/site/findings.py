"""What the site puts first: the rows of the start page, and the claims with their verdicts."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.core.read import read_table
from pipeline.present.site.pages import MINUS, Values, significant
from pipeline.report.claims import counts, recipes
from pipeline.report.contract import LEDGER
from pipeline.report.formats import slug

QUERIES = "half of all queries"
IGNORANCE = "90 % interval of the median query"
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
    open: bool  # the band begins at zero, which a log axis has no place for


def printed(name: str, key: str, band: str = QUERIES) -> Row:
    """A printed claim."""
    row = f"claims.{key}.published"
    return Row(name, "as_published", band, f"{row}_value", f"{row}_low", f"{row}_high")


def ours(name: str, row: str, unit: str, joint: str) -> Row:
    """The median query of the re-estimate, with its 90 % interval."""
    middle, low, high = (f"{row}{joint}{end}_{unit}" for end in ("p50", "p5", "p95"))
    return Row(name, "re_estimated", IGNORANCE, middle, low, high)


def recomputed(name: str, row: str) -> Row:
    """The water of the published energies at the sites that fit the published range."""
    middle, low, high = (f"{row}.{end}_ml" for end in ("p50", "p25", "p75"))
    return Row(name, "as_published", QUERIES, middle, low, high)


RE = "re.{}.{}.blend.facility.median"
MIXTURE = "re.production_lengths.{}.large-mixture-of-experts.facility.median"
WATER = "water.{}_lengths.{}.blend.microsoft_today.{}"


def three(regime: str) -> list[Row]:
    """Published, ours of the same models at the same lengths and in real traffic, then what the page says."""
    return [
        printed("As published", f"v2.blend.{regime}"),
        ours("Re-estimated, same lengths", RE.format("published_lengths", regime), "wh", "."),
        ours("Re-estimated, real traffic", RE.format("production_lengths", regime), "wh", "."),
        ours("A large mixture of experts, real traffic", MIXTURE.format(regime), "wh", "."),
    ]


def waters(scope: str) -> list[Row]:
    """Of our chat query, at the lengths of the published one and in real traffic."""
    lengths = {"published": "same lengths", "production": "real traffic"}
    return [
        ours(f"Re-estimated, {words}", WATER.format(name, "short", scope), "ml", ".median_")
        for name, words in lengths.items()
    ]


ENERGY_PANEL = Panel(
    "Energy",
    "Wh",
    "Wh per query, whole data centre; the published blend of large models, then one large mixture of experts",
    (0.01, 20),
    [("A chat query", three("short")), ("A reasoning query", three("long"))],
    significant,
)
WATER_PANEL = Panel(
    "Water",
    "mL",
    "mL per query, consumed; re-estimated: at Microsoft’s largest sites",
    (0.0001, 20),
    [
        (
            "A chat query, on site",
            [
                printed("As published", "blog.water", STATED),
                recomputed(
                    "Published energies, recomputed", "water-published.v2.short.blend.published.onsite"
                ),
                *waters("onsite"),
            ],
        ),
        (
            "The same, with the water of its electricity",
            [
                recomputed(
                    "Published energies, recomputed", "water-published.v2.short.blend.published.total"
                ),
                *waters("total"),
            ],
        ),
        (
            "A reasoning query, with its electricity",
            [
                ours(
                    "Re-estimated, real traffic",
                    WATER.format("production", "long", "total"),
                    "ml",
                    ".median_",
                )
            ],
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
        open=low <= 0,
    )


def ticks(panel: Panel) -> list[tuple[str, str]]:
    """Text and place of the powers of ten on the axis."""
    low, high = (math.log10(end) for end in panel.axis)
    powers = [10.0**power for power in range(math.ceil(low), math.floor(high) + 1)]
    return [(f"{power:g}", f"{place(power, panel.axis):.2f}%") for power in powers]


CLAIMS = Path("data/results/claims.csv")
MARKS = {
    "exact": "✓",
    "within Monte Carlo error": "≈",
    "differs": "✗",
    "cannot be computed": "–",
    "supported": "✓",
    "partly supported": "≈",
    "not supported": "✗",
}
PLACES = {"v1": "preprint", "v2": "paper", "blog": "blog"}
KINDS = {"printed": "printed", "released_code": "value in the released code"}
UNITS = {"x": "times"}
INTERVALS = {"IQR": "quartiles", "IQR after the double trim": "quartiles after the double trim"}


@dataclass(frozen=True)
class Claim:
    """One published number beside ours."""

    key: str
    quantity: str
    where: str
    kind: str
    published: str
    published_ends: str
    ours: str
    ours_ends: str
    unit: str
    verdict: str  # of a reproduction, or how far evidence supports it
    mark: str
    slug: str
    reason: str
    tolerance: str
    compared_with: str


@dataclass(frozen=True)
class Verdict:
    """A verdict and how many claims have it."""

    name: str
    slug: str
    mark: str
    count: int


def read_ledger(root: Path) -> pd.DataFrame:
    """The ledger against its contract."""
    return read_table(root / CLAIMS, LEDGER)


def claims(ledger: pd.DataFrame) -> list[Claim]:
    """Every claim, in the order of the ledger."""
    of = recipes()
    rows = ledger.astype(object).where(ledger.notna(), None).to_dict("records")
    return [_claim(row, of[row["key"]].ends) for row in rows]


def verdicts(ledger: pd.DataFrame) -> dict[str, list[Verdict]]:
    """Every verdict by the way of judging, in the order of the contract, also where no claim has it."""
    return {
        by: [Verdict(name, slug(name), MARKS[name], count) for name, count in found.items()]
        for by, found in counts(ledger).items()
    }


def _claim(row: Any, ends: str) -> Claim:
    verdict = row["verdict"] or row["support"]
    published, ours = _numbers(row, "published", _printed), _numbers(row, "ours", _three)
    return Claim(
        key=row["key"],
        quantity=row["quantity"],
        where=f"{PLACES.get(row['version'], row['version'])}, {row['where']}",
        kind=KINDS.get(row["kind"], row["kind"]),
        published=published.text,
        published_ends=INTERVALS.get(row["interval"], row["interval"] or "") if published.ends else "",
        ours=ours.text,
        ours_ends=ends if ours.ends else "",
        unit=UNITS.get(row["unit"], row["unit"]),
        verdict=verdict,
        mark=MARKS[verdict],
        slug=slug(verdict),
        reason=row["reason"] or "",
        tolerance=row["tolerance_reason"] or "",
        compared_with=row["compared_with"],
    )


@dataclass(frozen=True)
class _Numbers:
    """Numbers as text, and whether they show ends."""

    text: str
    ends: bool


def _numbers(row: Any, whose: str, text: Callable[[float], str]) -> _Numbers:
    """`0.31 (0.16–0.6)`, `8–20`, `1.48 (up to 2.42)`, `0.7` or nothing; ends that look alike are left out."""
    value, low, high = (
        None if row[f"{whose}_{end}"] is None else text(row[f"{whose}_{end}"])
        for end in ("value", "low", "high")
    )
    if low == high:
        return _Numbers(value or low or "", False)
    band = f"{low}–{high}" if low and high else f"from {low}" if low else f"up to {high}"
    return _Numbers(f"{value} ({band})" if value else band, True)


def _three(value: float) -> str:
    return significant(value, 3)


def _printed(value: float) -> str:
    return f"{value:g}".replace("-", MINUS)
