"""The claims of the published analysis: what each rests on, one entry for every claim of its own numbers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import pandas as pd

from pipeline.core.columns import BLEND, REGIMES
from pipeline.core.units import JOULES_PER_WH
from pipeline.published.model.contract import AUTHORS_STREAM
from pipeline.report.claims import (
    ASSUMPTIONS,
    AUTHORS,
    CANNOT,
    SOURCES_ROWS,
    Estimate,
    Evidence,
    Ratio,
    Recipe,
    Unresolved,
)

ANALYSIS = "as_published"
AUTHORS_RUN = "v2" + AUTHORS_STREAM  # says how large a run of the authors is, for the error of every variant
MODELS = {
    "deepseek-r1": "DeepSeek-R1",
    "llama_3_1_405b": "Llama 3.1 405B",
    "nemotron_ultra_253b": "Nemotron Ultra 253B",
    "mixtral_8x22b": "Mixtral 8x22B",
    "llama_3_1_70b": "Llama 3.1 70B",
}
PATHWAYS = {
    "baseline": BLEND,
    "model": "blend + model",
    "serving": "blend + serving",
    "hardware": "blend + hardware",
}
TWO_DECIMALS = (2, 2, 2)
THREE_DECIMALS = (3, 3, 3)
COMPUTER_W, MICROWAVE_W = 40.0, 1000.0  # the appliances that the blog names
LEAST = (
    "The source measured several batch sizes and the paper does not name one: the row that takes least has "
    "{value} Wh, the one that takes most {high} Wh, both of the accelerators alone, where the paper's own "
    "values are those of the facility."
)
TOKENS_UNMATCHED = " No row has both the joules and the output tokens that the paper gives."
PRECISION_UNKNOWN = (
    " These rows are in BF16; the paper brings them to FP8 by a factor that it does not give and that should "
    "lower them. A row of a smaller batch, as measured, would print as the paper has it."
)
BETWEEN_GPUS = (
    "The source's row was measured on B200: {low} Wh of the accelerators. Brought to H100 by models that "
    "were measured on both at that batch it is {value} Wh; the printed value needs a factor that none of "
    "them shows at any batch, and how it was obtained is not published."
)
NO_ROWS = "The source's own rows, and what they include, are not at hand: the paper alone quotes the value."
NO_LONG_ROW = (
    "No measured row of DeepSeek-V3 with answers of 8,968 tokens is at hand, nor the factor that brought it "
    "to H100."
)
ONLY_JOULES = "The paper quotes 180 J, which is 0.05 Wh; the source's own rows are not at hand."
NO_ROW_OF_MODEL = (
    "The model is not among the source's rows at hand, models of its size there differ more than tenfold, "
    "and the factor by which FP16 was brought to FP8 is not published."
)
OVERESTIMATE = (
    "The earlier estimates are not named; those of Table 1 that rest on no production-like serving "
    "are {low} to {high} times our medians."
)
LENGTHS = (
    "The printed quartiles are those of {} ({{low}} to {{high}}) but the printed median is the setting; "
    "the median of those draws is {{value}}."
)


@dataclass(frozen=True, kw_only=True)
class Query(Recipe):
    """Median and quartiles of the energy per query of one subject, Wh."""

    ends: ClassVar[str] = "quartiles"
    variant: str
    regime: str
    subject: str

    def evaluate(self, evidence: Evidence) -> Estimate:
        """Quartiles of the chosen stream, with the relative errors of one run of the authors' size."""
        chosen = _quartiles(_query(evidence, _streamed(self), self.regime, self.subject), "wh")
        run = _quartiles(_query(evidence, AUTHORS_RUN, self.regime, self.subject), "wh")
        return Estimate(chosen.ours, chosen.ours * run.error / run.ours)


@dataclass(frozen=True, kw_only=True)
class Fleet(Recipe):
    """Energy of a fleet scenario with its interval, GWh/day."""

    ends: ClassVar[str] = "P5–P95 of the error of the mean"
    variant: str
    scenario: str

    def evaluate(self, evidence: Evidence) -> Estimate:
        """Total of the scenario, with the relative error of the authors' bootstrap."""
        columns = ["value_gwh_per_day", "p5_gwh_per_day", "p95_gwh_per_day"]
        chosen = _fleet(evidence, _streamed(self), self.scenario)[columns].to_numpy(dtype=float)
        run = _fleet(evidence, AUTHORS_RUN, self.scenario)
        return Estimate(chosen, chosen * run["mc_error_gwh_per_day"] / run["value_gwh_per_day"])


@dataclass(frozen=True, kw_only=True)
class TokenLengths(Recipe):
    """Median and quartiles of output tokens: a model's draws, or those of the scripts' histogram."""

    ends: ClassVar[str] = "quartiles"
    variant: str
    regime: str
    subject: str

    def evaluate(self, evidence: Evidence) -> Estimate:
        """Quartiles with their errors."""
        keys = {"variant": _streamed(self), "regime": self.regime, "subject": self.subject}
        return _quartiles(evidence.row("results/token_lengths", analysis=ANALYSIS, **keys), "tokens")


@dataclass(frozen=True, kw_only=True)
class Scaled(Recipe):
    """A query's energy in another unit."""

    ends: ClassVar[str] = "quartiles"
    of: Query
    factor: float

    def evaluate(self, evidence: Evidence) -> Estimate:
        """Value, low and high times the factor."""
        return self.of.evaluate(evidence).scaled(self.factor)


@dataclass(frozen=True, kw_only=True)
class RangeOver(Recipe):
    """Smallest and largest ratio of earlier estimates, as printed in other claims, to our medians."""

    ends: ClassVar[str] = "smallest and largest ratio"
    pairs: Sequence[tuple[str, Recipe]] = field(default_factory=tuple)

    def evaluate(self, evidence: Evidence) -> Estimate:
        """Low and high of the ratios, each with the error of the median it rests on."""
        medians = [recipe.evaluate(evidence) for _, recipe in self.pairs]
        ratios = np.array(
            [_printed(evidence, key) / e.ours[0] for (key, _), e in zip(self.pairs, medians, strict=True)]
        )
        errors = ratios * [e.error[0] / e.ours[0] for e in medians]
        ends = [ratios.argmin(), ratios.argmax()]
        return Estimate(np.array([np.nan, *ratios[ends]]), np.array([np.nan, *errors[ends]]))


@dataclass(frozen=True, kw_only=True)
class LeverMedians(Recipe):
    """Smallest and largest median among single levers."""

    ends: ClassVar[str] = "smallest and largest median"
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

    ends: ClassVar[str] = "the source’s own row, and its highest"
    key: str
    compared_with: str = SOURCES_ROWS

    def evaluate(self, evidence: Evidence) -> Estimate:
        """The value, the source's row, and the most."""
        row = evidence.row("table_1", key=self.key)
        return Estimate.of(*row[["recomputed_wh", "source_wh", "highest_wh"]].to_numpy(dtype=float))


def _streamed(recipe: "Query | Fleet | TokenLengths") -> str:
    """The variant of a recipe in the stream that it is compared with."""
    return recipe.variant + (AUTHORS_STREAM if recipe.compared_with == AUTHORS else "")


def _query(evidence: Evidence, variant: str, regime: str, subject: str) -> pd.Series:
    keys = {"variant": variant, "regime": regime, "subject": subject}
    return evidence.row("energy_per_query", analysis=ANALYSIS, **keys)


def _fleet(evidence: Evidence, variant: str, scenario: str) -> pd.Series:
    keys = {"variant": variant, "scenario": scenario, "component": "total"}
    return evidence.row("fleet", analysis=ANALYSIS, **keys)


def _printed(evidence: Evidence, key: str) -> float:
    """The printed value of another claim."""
    return float(evidence.row("published/claims", key=key)["value"])


def _quartiles(row: pd.Series, unit: str) -> Estimate:
    """Median and quartiles of a result row, each with its Monte Carlo error."""
    columns = [f"{name}_{unit}" for name in ("p50", "p25", "p75")]
    errors = row[[f"mc_error_{column}" for column in columns]]
    return Estimate(row[columns].to_numpy(dtype=float), errors.to_numpy(dtype=float))


def _blend(variant: str, regime: str, decimals: tuple[int, int, int] | None = None) -> Query:
    return Query(variant=variant, regime=regime, subject=BLEND, decimals=decimals)


def _released(variant: str, regime: str, subject: str) -> Query:
    return Query(
        variant=variant, regime=regime, subject=subject, compared_with=AUTHORS, decimals=THREE_DECIMALS
    )


def _earlier_over_ours() -> RangeOver:
    """The three estimates of Table 1 that rest on no production-like serving, over our medians."""
    pairs = (
        ("v2.t1.70b.aienergyscore", Query(variant="v2", regime="short", subject=MODELS["llama_3_1_70b"])),
        ("v2.t1.mixtral.iea", Query(variant="v2", regime="short", subject=MODELS["mixtral_8x22b"])),
        ("v2.t1.r1.iea", Query(variant="v2", regime="short", subject=MODELS["deepseek-r1"])),
    )
    return RangeOver(pairs=pairs, reason=OVERESTIMATE, explain=True)


def _lengths(regime: str, subject: str, whose: str) -> TokenLengths:
    return TokenLengths(
        variant="v2", regime=regime, subject=subject, compared_with=AUTHORS, reason=LENGTHS.format(whose)
    )


def _comparator(key: str, reason: str) -> Comparator:
    """A comparator of Table 1; which row was taken is told with every verdict."""
    return Comparator(key=key, reason=reason, explain=True)


PRINTED: dict[str, Recipe] = {
    "v2.blend.short": _blend("v2", "short"),
    "v2.blend.long": _blend("v2", "long"),
    "v2.ratio": Ratio(numerator=_blend("v2", "long"), denominator=_blend("v2", "short")),
    "v2.fleet.short": Fleet(variant="v2", scenario="short"),
    "v2.fleet.mixed": Fleet(variant="v2", scenario="mixed"),
    "v2.fleet.mixed_improved": Fleet(variant="v2", scenario="mixed_improved"),
    "v2.overestimate": _earlier_over_ours(),
    "v1.blend.short": _blend("v1", "short"),
    "v1.blend.long": _blend("v1", "long"),
    "v1.fleet.short": Fleet(variant="v1", scenario="short"),
    "v1.fleet.mixed": Fleet(
        variant="v1",
        scenario="mixed",
        reason="The node powers of version 1 with the released fleet factors give {value} GWh/day.",
    ),
    "v1.fleet.mixed_improved": Fleet(variant="v1", scenario="mixed_improved"),
    "blog.short": _blend("v2", "short", decimals=TWO_DECIMALS),
    "blog.overestimate": _earlier_over_ours(),
    "blog.fleet.short": Fleet(variant="v2", scenario="short"),
    "blog.fleet.improved": Fleet(variant="v2", scenario="short_improved"),
    "blog.pc": Scaled(
        of=_blend("v2", "short"),
        factor=JOULES_PER_WH / COMPUTER_W,
        reason="The quartiles of the blend run such a computer for {low} to {high} s.",
    ),
    "blog.microwave": Scaled(
        of=_blend("v2", "short"), factor=JOULES_PER_WH / MICROWAVE_W, decimals=(1, 1, 0)
    ),
    "v2.tokens.short": _lengths("short", "Nemotron Ultra 253B", "one model's draws"),
    "v2.tokens.long": _lengths("long", "histogram", "the draws made for a histogram"),
}

RELEASED: dict[str, Recipe] = {
    **{
        f"v2.{regime}.{key}": _released("v2", regime, subject)
        for regime in REGIMES
        for key, subject in MODELS.items()
    },
    **{
        f"v2.{regime}.pathway.{key}": _released("v2", regime, subject)
        for regime in REGIMES
        for key, subject in PATHWAYS.items()
    },
    **{
        f"v2.fleet.{scenario}.code": Fleet(
            variant="v2", scenario=scenario, compared_with=AUTHORS, decimals=decimals
        )
        for scenario, decimals in {
            "short": THREE_DECIMALS,
            "short_improved": THREE_DECIMALS,
            "mixed": THREE_DECIMALS,
            "mixed_improved": THREE_DECIMALS,
            "long": TWO_DECIMALS,
            "long_improved": TWO_DECIMALS,
        }.items()
    },
    **{f"v2.sens.pu.{regime}": _released("v2_power_coupled", regime, BLEND) for regime in REGIMES},
    **{
        f"v2.sens.input{tokens}.{regime}": _released(f"v2_input_{tokens}", regime, BLEND)
        for regime in REGIMES
        for tokens in (500, 1000, 5000)
    },
}

TABLE_1: dict[str, Recipe] = {
    "v2.t1.70b.mlenergy": _comparator("v2.t1.70b.mlenergy", LEAST + TOKENS_UNMATCHED),
    "v2.t1.70b.caravaca": Unresolved(verdict=CANNOT, reason=ONLY_JOULES),
    "v2.t1.70b.aienergyscore": Unresolved(verdict=CANNOT, reason=NO_ROW_OF_MODEL),
    "v2.t1.405b.mlenergy": _comparator("v2.t1.405b.mlenergy", LEAST),
    "v2.t1.mixtral.mlenergy": _comparator("v2.t1.mixtral.mlenergy", LEAST + PRECISION_UNKNOWN),
    "v2.t1.mixtral.iea": Unresolved(verdict=CANNOT, reason=NO_ROWS),
    "v2.t1.r1.iea": Unresolved(verdict=CANNOT, reason=NO_ROWS),
    "v2.t1.r1long.mlenergy": _comparator("v2.t1.r1long.mlenergy", BETWEEN_GPUS),
    "v2.t1.v3long": Unresolved(verdict=CANNOT, reason=NO_LONG_ROW),
}

CLAIMS: dict[str, Recipe] = {**PRINTED, **RELEASED, **TABLE_1}
