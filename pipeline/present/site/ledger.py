"""The claims ledger as rows of text, with the counts that its filters show."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.contracts import read_table
from pipeline.contracts.ledger import LEDGER
from pipeline.present.claims.ledger import counts
from pipeline.present.claims.levers import PublishedProduct, SingleLevers
from pipeline.present.claims.recipes import (
    Comparator,
    Fleet,
    Query,
    RangeOver,
    Recipe,
    Scaled,
    TokenLengths,
)
from pipeline.present.claims.support import HeldAgainst
from pipeline.present.claims.table import RECIPES
from pipeline.present.numbers import slug
from pipeline.present.site.values import MINUS, significant

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
# What low and high of ours are, by the recipe that gives them.
ENDS: dict[type[Recipe], str] = {
    Query: "quartiles",
    Fleet: "P5–P95 of the error of the mean",
    TokenLengths: "quartiles",
    RangeOver: "smallest and largest ratio",
    Comparator: "the source’s own row, and its highest",
    PublishedProduct: "quartiles of the product",
    SingleLevers: "smallest and largest median",
    HeldAgainst: "smallest and largest median of its cases",
}


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
    return [_claim(row) for row in ledger.astype(object).where(ledger.notna(), None).to_dict("records")]


def verdicts(ledger: pd.DataFrame) -> dict[str, list[Verdict]]:
    """Every verdict by the way of judging, in the order of the contract, also where no claim has it."""
    return {
        by: [Verdict(name, slug(name), MARKS[name], count) for name, count in found.items()]
        for by, found in counts(ledger).items()
    }


def ends(recipe: Recipe) -> str:
    """What the ends of ours are; nothing for a recipe that gives none."""
    if isinstance(recipe, Scaled):
        return ends(recipe.of)
    return next((words for kind, words in ENDS.items() if isinstance(recipe, kind)), "")


def _claim(row: Any) -> Claim:
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
        ours_ends=ends(RECIPES[row["key"]]) if ours.ends else "",
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
