"""The kinds of recipe by which a claim is computed from the results; each gives an `Estimate`.

The table of which claim takes which recipe is in `table.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from pipeline.present.claims.evidence import AUTHORS_STREAM, Estimate, Evidence

AUTHORS, OURS, ASSUMPTIONS = "authors' stream", "our stream", "assumptions"
SOURCES_ROWS = "the source's rows"
CANNOT = "cannot be computed"
QUARTILES = np.array([0.5, 0.25, 0.75])  # in the order value, low, high
AUTHORS_RUN = "v2" + AUTHORS_STREAM  # says how large a run of the authors is, for the error of every variant


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How one claim is computed.

    `decimals` gives the printed decimals of value, low and high where the published table does not show them
    (trailing zeros); `reason` is the sentence for a claim that differs, with {value}, {low}, {high} of ours;
    `explain` gives it with every verdict, where a choice of ours needs to be known.
    """

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


def _streamed(recipe: "Query | Fleet | TokenLengths") -> str:
    """The variant of a recipe in the stream that it is compared with."""
    return recipe.variant + (AUTHORS_STREAM if recipe.compared_with == AUTHORS else "")


def _quartiles(row: pd.Series, unit: str) -> Estimate:
    """Median and quartiles of a result row, each with its Monte Carlo error."""
    columns = [f"{name}_{unit}" for name in ("p50", "p25", "p75")]
    errors = row[[f"mc_error_{column}" for column in columns]]
    return Estimate(row[columns].to_numpy(dtype=float), errors.to_numpy(dtype=float))


@dataclass(frozen=True, kw_only=True)
class Query(Recipe):
    """Median and quartiles of the energy per query of one subject, Wh."""

    variant: str
    regime: str
    subject: str

    def evaluate(self, evidence: Evidence) -> Estimate:
        """Quartiles of the chosen stream, with the relative errors of one run of the authors' size."""
        chosen = _quartiles(evidence.query(_streamed(self), self.regime, self.subject), "wh")
        run = _quartiles(evidence.query(AUTHORS_RUN, self.regime, self.subject), "wh")
        return Estimate(chosen.ours, chosen.ours * run.error / run.ours)


@dataclass(frozen=True, kw_only=True)
class Fleet(Recipe):
    """Energy of a fleet scenario with its interval, GWh/day."""

    variant: str
    scenario: str

    def evaluate(self, evidence: Evidence) -> Estimate:
        """Total of the scenario, with the relative error of the authors' bootstrap."""
        columns = ["value_gwh_per_day", "p5_gwh_per_day", "p95_gwh_per_day"]
        chosen = evidence.fleet_row(_streamed(self), self.scenario, "total")[columns].to_numpy(dtype=float)
        run = evidence.fleet_row(AUTHORS_RUN, self.scenario, "total")
        return Estimate(chosen, chosen * run["mc_error_gwh_per_day"] / run["value_gwh_per_day"])


@dataclass(frozen=True, kw_only=True)
class TokenLengths(Recipe):
    """Median and quartiles of output tokens: a model's draws, or those of the scripts' histogram."""

    variant: str
    regime: str
    subject: str

    def evaluate(self, evidence: Evidence) -> Estimate:
        """Quartiles with their errors."""
        return _quartiles(evidence.length(_streamed(self), self.regime, self.subject), "tokens")


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


@dataclass(frozen=True, kw_only=True)
class Scaled(Recipe):
    """Another claim's estimate in another unit."""

    of: Recipe
    factor: float

    def evaluate(self, evidence: Evidence) -> Estimate:
        """Value, low and high times the factor."""
        return self.of.evaluate(evidence).scaled(self.factor)


@dataclass(frozen=True, kw_only=True)
class RangeOver(Recipe):
    """Smallest and largest ratio of earlier estimates, as printed in other claims, to our medians."""

    pairs: Sequence[tuple[str, Recipe]] = field(default_factory=tuple)

    def evaluate(self, evidence: Evidence) -> Estimate:
        """Low and high of the ratios, each with the error of the median it rests on."""
        medians = [recipe.evaluate(evidence) for _, recipe in self.pairs]
        ratios = np.array(
            [evidence.published(key) / e.ours[0] for (key, _), e in zip(self.pairs, medians, strict=True)]
        )
        errors = ratios * [e.error[0] / e.ours[0] for e in medians]
        ends = [ratios.argmin(), ratios.argmax()]
        return Estimate(np.array([np.nan, *ratios[ends]]), np.array([np.nan, *errors[ends]]))


@dataclass(frozen=True, kw_only=True)
class LeverMedians(Recipe):
    """Smallest and largest median among single levers."""

    levers: Sequence[str]
    compared_with: str = ASSUMPTIONS

    def evaluate(self, evidence: Evidence) -> Estimate:
        """Low and high of the medians."""
        medians = [evidence.levers[name].median() for name in self.levers]
        return Estimate.of(low=min(medians), high=max(medians))


@dataclass(frozen=True, kw_only=True)
class Comparator(Recipe):
    """A value of Table 1 from its source's own row, brought to the accelerator that was printed, Wh.

    Low is that row as its source has it; high the most among the rows of the configuration.
    """

    key: str
    compared_with: str = SOURCES_ROWS

    def evaluate(self, evidence: Evidence) -> Estimate:
        """The value, the source's row, and the most."""
        row = evidence.comparator(self.key)
        return Estimate.of(*row[["recomputed_wh", "source_wh", "highest_wh"]].to_numpy(dtype=float))


@dataclass(frozen=True, kw_only=True)
class Unresolved(Recipe):
    """A claim that is not computed; `reason` says why not."""

    verdict: str
    compared_with: str = "nothing"

    def evaluate(self, evidence: Evidence) -> Estimate:
        """Nothing."""
        return Estimate.of()
