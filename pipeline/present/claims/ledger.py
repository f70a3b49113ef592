"""Lay every published number beside ours and say what became of it.

Verdicts, where a number came about by a computation: `exact` when ours rounds to each printed number;
`within Monte Carlo error` when the rest of the difference is what a run of the authors' size scatters;
`differs`; `cannot be computed`. Claims without a published derivation are judged by evidence instead: see
support.py.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from pipeline.contracts import validate
from pipeline.contracts.ledger import JUDGED_BY, LEDGER, RE_ESTIMATE, REPRODUCTION, SUPPORTS, VERDICTS
from pipeline.errors import InputError
from pipeline.present.claims.evidence import Array, Evidence
from pipeline.present.claims.recipes import (
    ASSUMPTIONS,
    AUTHORS,
    SOURCES_ROWS,
    Recipe,
    Unresolved,
)
from pipeline.present.claims.support import RULE, HeldAgainst, support

ENDS = ["value", "low", "high"]
TWO_STANDARD_ERRORS = 2.0
NOISE = 1e-9  # relative: a half unit is met when only the last bits of a float say otherwise
WHY_TOLERANCE = {
    AUTHORS: "half a unit of the last printed digit: the random numbers are the same",
    ASSUMPTIONS: "half a unit of the last printed digit: no random numbers are involved",
    SOURCES_ROWS: "half a unit of the last printed digit: a measured row as its source has it",
}
WHY_MONTE_CARLO = (
    "half a unit of the last printed digit plus two standard errors of one run of the authors' size"
)


def make_ledger(evidence: Evidence, recipes: Mapping[str, Recipe]) -> pd.DataFrame:
    """One row for every claim, in the order of the published table; columns as in contracts.ledger.LEDGER.

    Raises InputError when a claim has no recipe or a recipe no claim.
    """
    keys = list(evidence.claims["key"])
    without = [key for key in keys if key not in recipes] + [key for key in recipes if key not in keys]
    if without:
        raise InputError(f"claims and recipes differ: {without[0]!r} stands in only one of them")
    records: list[dict[str, Any]] = evidence.claims.to_dict("records")  # type: ignore[assignment]
    rows = [_judge(claim, recipes[claim["key"]], evidence) for claim in records]
    return validate(pd.DataFrame(rows, columns=pd.Index(list(LEDGER.columns))), LEDGER, "claims ledger")


def counts(ledger: pd.DataFrame) -> dict[str, dict[str, int]]:
    """How many claims of each way of judging have each verdict; every one stands, also with none."""
    words = {REPRODUCTION: ("verdict", VERDICTS), RE_ESTIMATE: ("support", SUPPORTS)}
    return {
        by: {word: int((ledger[words[by][0]] == word).sum()) for word in words[by][1]} for by in JUDGED_BY
    }


def ledger_metrics(ledger: pd.DataFrame) -> dict[str, Any]:
    """The counts with their sums, for `dvc metrics`."""
    return {by: {"all": sum(found.values()), **found} for by, found in counts(ledger).items()}


def printed_decimals(numbers: Array) -> list[int]:
    """Decimals of a row of printed numbers: all as many as the longest has, as zeros at the end get lost."""
    texts = [Decimal(repr(float(number))).normalize() for number in numbers[~np.isnan(numbers)]]
    most = max(max(0, -int(text.as_tuple().exponent)) for text in texts)
    return [most] * len(numbers)


def _judge(claim: Mapping[str, Any], recipe: Recipe, evidence: Evidence) -> dict[str, Any]:
    published = np.array([claim[end] for end in ENDS], dtype=float)
    row = {name: claim[name] for name in ("key", "version", "where", "quantity", "unit", "interval", "kind")}
    row |= {f"published_{end}": number for end, number in zip(ENDS, published, strict=True)}
    row |= {"compared_with": recipe.compared_with, "judged_by": REPRODUCTION}
    row |= {"ours_ci90_low": np.nan, "ours_ci90_high": np.nan, "verdict": None, "support": None}
    if isinstance(recipe, Unresolved):
        return row | {"verdict": recipe.verdict, "reason": recipe.reason}
    half_unit = 0.5 * 10.0 ** -np.array(recipe.decimals or printed_decimals(published))
    if isinstance(recipe, HeldAgainst):
        return row | _held_against(recipe, evidence, published, half_unit)
    estimate = recipe.evaluate(evidence)
    scatter = TWO_STANDARD_ERRORS * estimate.error if recipe.compared_with not in WHY_TOLERANCE else 0.0
    tolerance = np.where(np.isnan(published), np.nan, half_unit + scatter)
    row |= {f"ours_{end}": number for end, number in zip(ENDS, estimate.ours, strict=True)}
    row |= {f"tolerance_{end}": number for end, number in zip(ENDS, tolerance, strict=True)}
    row["tolerance_reason"] = WHY_TOLERANCE.get(recipe.compared_with, WHY_MONTE_CARLO)
    row["verdict"] = _verdict(published, estimate.ours, half_unit, tolerance)
    explain = row["verdict"] == "differs" or recipe.explain
    details = recipe.details(evidence)
    row["reason"] = _reason(recipe, estimate.ours, published, details) if explain else None
    return row


def _held_against(
    recipe: HeldAgainst, evidence: Evidence, published: Array, half_unit: Array
) -> dict[str, Any]:
    """The columns of a claim that is judged by evidence."""
    ours = recipe.evaluate(evidence).ours
    low, high = recipe.interval(evidence)
    row: dict[str, Any] = {f"ours_{end}": number for end, number in zip(ENDS, ours, strict=True)}
    row |= {"ours_ci90_low": low, "ours_ci90_high": high}
    tolerance = np.where(np.isnan(published), np.nan, half_unit)
    row |= {f"tolerance_{end}": number for end, number in zip(ENDS, tolerance, strict=True)}
    return row | {
        "tolerance_reason": RULE,
        "judged_by": RE_ESTIMATE,
        "support": support(published, half_unit[0], recipe.cases(evidence)),
        "reason": _reason(recipe, ours, published, recipe.details(evidence)),
    }


def _verdict(published: Array, ours: Array, half_unit: Array, tolerance: Array) -> str:
    given = ~np.isnan(published)
    apart = np.abs(ours - published)[given]  # NaN where ours lacks a printed number: never close enough
    slack = NOISE * np.abs(published[given])
    if np.all(apart <= half_unit[given] + slack):
        return "exact"
    return "within Monte Carlo error" if np.all(apart <= tolerance[given] + slack) else "differs"


def _short(number: float) -> str:
    """Three significant digits, without a power of ten."""
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.3g}"


def _reason(recipe: Recipe, ours: Array, published: Array, details: Mapping[str, float]) -> str:
    found = {**dict(zip(ENDS, ours, strict=True)), **details}
    names = {name: _short(float(number)) for name, number in found.items()}
    if recipe.reason:
        return recipe.reason.format(**names)
    printed = [
        f"{end} {theirs:g} comes out as {names[end]}"
        for end, theirs in zip(ENDS, published, strict=True)
        if not np.isnan(theirs)
    ]
    return f"The printed {', '.join(printed)}."
