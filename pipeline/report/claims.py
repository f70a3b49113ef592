"""How a claim is computed from the results: estimates with Monte Carlo errors, and what evidence bears out.

A topic's claims.py declares, in `CLAIMS`, which claim takes which recipe; `recipes` finds them all.

A claim whose derivation was not published is held against cases: what the claim speaks of, by our results,
each with a median and the 90 % epistemic interval. A case agrees with a range that holds its
median, and with an `up to` that its interval holds. `supported`: every case agrees; `partly supported`: one
does, or its interval overlaps the range; `not supported`: none. Ends of a range reach half a unit of their
last printed digit further.

Verdicts, where a number came about by a computation: `exact` when ours rounds to each printed number;
`within Monte Carlo error` when the rest of the difference is what a run of the authors' size scatters;
`differs`; `cannot be computed`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib import import_module
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from pipeline.core import catalogue
from pipeline.core.assumption import Distribution
from pipeline.core.errors import InputError
from pipeline.core.read import validate
from pipeline.core.units import Array
from pipeline.report.contract import JUDGED_BY, LEDGER, RE_ESTIMATE, REPRODUCTION, SUPPORTS, VERDICTS

AUTHORS, OURS, ASSUMPTIONS = "authors' stream", "our stream", "assumptions"
SOURCES_ROWS = "the source's rows"
CANNOT = "cannot be computed"
SUPPORTED, PARTLY, NOT = SUPPORTS
RULE = (
    "half a unit of the last printed digit beyond the claimed range; a case agrees when the range holds its "
    "median, or its 90 % interval an “up to”"
)


@dataclass(frozen=True)
class Estimate:
    """Value, low and high, and the standard error of each in one run of the authors' size; NaN: not given."""

    ours: Array
    error: Array

    @classmethod
    def of(cls, value: float = np.nan, low: float = np.nan, high: float = np.nan) -> "Estimate":
        """An estimate without Monte Carlo error."""
        return cls(np.array([value, low, high]), np.zeros(3))

    def scaled(self, factor: float) -> "Estimate":
        """The same in another unit."""
        return Estimate(self.ours * factor, self.error * factor)


class Evidence:
    """What claims are checked with: tables by name, each read once, and levers as params.yaml gives them."""

    def __init__(
        self,
        read: Callable[[str], pd.DataFrame] = catalogue.read,
        levers: Mapping[str, Distribution] | None = None,
    ) -> None:
        self.table = cache(read)
        self.levers = levers or {}

    def rows(self, table: str, **keys: object) -> pd.DataFrame:
        """The rows of a table that have these values; KeyError when there is none."""
        values = self.table(table)
        found = values[np.logical_and.reduce([values[column] == value for column, value in keys.items()])]
        if found.empty:
            raise KeyError(f"{table}: no row with {keys}")
        return found

    def row(self, table: str, **keys: object) -> pd.Series:
        """The one row of a table that has these values; KeyError when there is none or several."""
        found = self.rows(table, **keys)
        if len(found) != 1:
            raise KeyError(f"{table}: {len(found)} rows with {keys}, expected one")
        return found.iloc[0]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How one claim is computed.

    `decimals` gives the printed decimals of value, low and high where the published table does not show them
    (trailing zeros); `reason` is the sentence for a claim that differs, with {value}, {low}, {high} of ours;
    `explain` gives it with every verdict, where a choice of ours needs to be known.
    """

    ends: ClassVar[str] = ""  # what low and high of ours are, where the recipe gives them
    decimals: tuple[int, int, int] | None = None
    reason: str | None = None
    explain: bool = False
    compared_with: str = OURS

    def evaluate(self, evidence: Evidence) -> Estimate:
        """Ours, with the Monte Carlo error of a run of the authors' size."""
        raise NotImplementedError

    def details(self, evidence: Evidence) -> Mapping[str, float]:
        """Further numbers that the sentence names."""
        return {}


@dataclass(frozen=True, kw_only=True)
class Unresolved(Recipe):
    """A claim that is not computed; `reason` says why not."""

    verdict: str
    compared_with: str = "nothing"

    def evaluate(self, evidence: Evidence) -> Estimate:
        """Nothing."""
        return Estimate.of()


@dataclass(frozen=True, kw_only=True)
class Ratio(Recipe):
    """One value over another; the errors add as if independent, which overstates that of a common stream."""

    numerator: Recipe
    denominator: Recipe

    def evaluate(self, evidence: Evidence) -> Estimate:
        """Ratio of the two values."""
        above, below = self.numerator.evaluate(evidence), self.denominator.evaluate(evidence)
        ratio = above.ours[0] / below.ours[0]
        error = ratio * np.hypot(above.error[0] / above.ours[0], below.error[0] / below.ours[0])
        return Estimate(np.array([ratio, np.nan, np.nan]), np.array([error, np.nan, np.nan]))


@dataclass(frozen=True)
class Case:
    """Something that the claim speaks of: median and 90 % epistemic interval."""

    p5: float
    p50: float
    p95: float

    @classmethod
    def of(cls, row: pd.Series, prefix: str = "", suffix: str = "") -> "Case":
        """The case of a result row whose columns are `<prefix>p50<suffix>` and so on."""
        return cls(*(float(row[f"{prefix}{name}{suffix}"]) for name in ("p5", "p50", "p95")))

    @classmethod
    def up_to(cls, bound: float) -> "Case":
        """A gain that a source gives as `up to`: anything from none to the bound, which stands for it."""
        return cls(1.0, bound, bound)

    def agrees(self, low: float, high: float) -> bool:
        """The range holds its median."""
        return low <= self.p50 <= high

    def overlaps(self, low: float, high: float) -> bool:
        """Its interval and the range have something in common."""
        return self.p5 <= high and low <= self.p95


@dataclass(frozen=True, kw_only=True)
class HeldAgainst(Recipe):
    """A claim that is held against the cases of the re-estimate."""

    ends: ClassVar[str] = "smallest and largest median of its cases"
    compared_with: str = RE_ESTIMATE
    explain: bool = True

    def cases(self, evidence: Evidence) -> Sequence[Case]:
        """What the claim speaks of."""
        raise NotImplementedError

    def evaluate(self, evidence: Evidence) -> Estimate:
        """Least and largest median; of a single case its median."""
        medians = [case.p50 for case in self.cases(evidence)]
        if len(medians) == 1:
            return Estimate.of(medians[0])
        return Estimate.of(low=min(medians), high=max(medians))

    def interval(self, evidence: Evidence) -> tuple[float, float]:
        """Least 5th and largest 95th percentile among the cases."""
        cases = self.cases(evidence)
        return min(case.p5 for case in cases), max(case.p95 for case in cases)


def support(published: Array, half_unit: float, cases: Sequence[Case]) -> str:
    """How far what we found bears out a claim whose derivation was not published; the rule is above.

    Parameters
    ----------
    published : value, low and high as printed, NaN where not given.
    half_unit : half of the last digit printed.
    cases : what the claim speaks of, with their 90 % intervals, in its unit.

    Returns
    -------
    "supported", "partly supported" or "not supported".

    Examples
    --------
    >>> claim = np.array([np.nan, 1.5, 2.5])
    >>> support(claim, 0.05, [Case(1.6, 2.0, 2.4)]), support(claim, 0.05, [Case(3.0, 4.0, 5.0)])
    ('supported', 'not supported')
    """
    _, low, high = published
    up_to = bool(np.isnan(low))
    ends = ((high if up_to else low) - half_unit, high + half_unit)
    overlapping = [case.overlaps(*ends) for case in cases]
    agreeing = overlapping if up_to else [case.agrees(*ends) for case in cases]
    if all(agreeing):
        return SUPPORTED
    return PARTLY if any(agreeing) or any(overlapping) else NOT


def recipes() -> dict[str, Recipe]:
    """The recipe of every claim: `CLAIMS` of each topic's claims.py; ValueError where a claim has two."""
    found: dict[str, Recipe] = {}
    topics = sorted(folder.parent for folder in catalogue.PACKAGE.glob("*/model"))
    for topic in topics:
        if (topic / "claims.py").exists():
            declared = import_module(f"pipeline.{topic.name}.claims").CLAIMS
            if twice := found.keys() & declared.keys():
                raise ValueError(f"{topic}/claims.py: {min(twice)!r} is declared elsewhere too")
            found |= declared
    return found


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
    """LEDGER: one row for every claim, in the order of the published table.

    Raises InputError when a claim has no recipe or a recipe no claim.
    """
    claims = evidence.table("published/claims")
    keys = list(claims["key"])
    without = [key for key in keys if key not in recipes] + [key for key in recipes if key not in keys]
    if without:
        raise InputError(f"claims and recipes differ: {without[0]!r} stands in only one of them")
    records: list[dict[str, Any]] = claims.to_dict("records")  # type: ignore[assignment]
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
