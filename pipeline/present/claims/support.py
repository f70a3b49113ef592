"""How far evidence bears out a claim whose derivation was not published.

A claimed range is held against cases: what the claim speaks of, by our results, each with a median and the
90 % interval of what is not known. A case agrees with a range that holds its median, and with an `up to` that
its interval holds. `supported`: every case agrees; `partly supported`: one does, or its interval overlaps the
range; `not supported`: none. Ends of a range reach half a unit of their last printed digit further.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.contracts.ledger import RE_ESTIMATE, SUPPORTS
from pipeline.present.claims.evidence import Array, Estimate, Evidence
from pipeline.present.claims.recipes import Recipe

SUPPORTED, PARTLY, NOT = SUPPORTS
RULE = (
    "half a unit of the last printed digit beyond the claimed range; a case agrees when the range holds its "
    "median, or its 90 % interval an `up to`"
)


@dataclass(frozen=True)
class Case:
    """Something that the claim speaks of: median and 90 % interval of what is not known."""

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
    """How far the cases bear out a claim of value, low and high (NaN where not given); the rule is above."""
    _, low, high = published
    up_to = bool(np.isnan(low))
    ends = ((high if up_to else low) - half_unit, high + half_unit)
    overlapping = [case.overlaps(*ends) for case in cases]
    agreeing = overlapping if up_to else [case.agrees(*ends) for case in cases]
    if all(agreeing):
        return SUPPORTED
    return PARTLY if any(agreeing) or any(overlapping) else NOT
