"""The claims ledger as rows of text, with the counts that its filters show."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.contracts import read_table
from pipeline.contracts.ledger import LEDGER
from pipeline.present.claims.ledger import counts
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


@dataclass(frozen=True)
class Claim:
    """One published number beside ours."""

    key: str
    quantity: str
    where: str
    kind: str
    published: str
    ours: str
    unit: str
    interval: str
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


def _claim(row: Any) -> Claim:
    verdict = row["verdict"] or row["support"]
    return Claim(
        key=row["key"],
        quantity=row["quantity"],
        where=f"{PLACES.get(row['version'], row['version'])}, {row['where']}",
        kind=KINDS.get(row["kind"], row["kind"]),
        published=_numbers(row, "published", lambda value: f"{value:g}".replace("-", MINUS)),
        ours=_numbers(row, "ours", lambda value: significant(value, 3)),
        unit=row["unit"],
        interval=row["interval"] or "",
        verdict=verdict,
        mark=MARKS[verdict],
        slug=slug(verdict),
        reason=row["reason"] or "",
        tolerance=row["tolerance_reason"] or "",
        compared_with=row["compared_with"],
    )


def _numbers(row: Any, whose: str, text: Any) -> str:
    """`0.31 (0.16–0.6)`, `8–20`, `0.7`, or nothing."""
    value, low, high = (row[f"{whose}_{end}"] for end in ("value", "low", "high"))
    ends = [text(end) for end in (low, high) if end is not None]
    band = "–".join(ends)
    if value is None:
        return band
    return f"{text(value)} ({band})" if band else text(value)
