"""What every assumption carries: a distribution, a unit, a source and a reason."""

from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from pipeline.distributions import Constant, Distribution, Exponential, LogNormal, Uniform

Text = Annotated[str, Field(min_length=1)]


class Section(BaseModel):
    """A part of params.yaml: unknown and missing keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Assumption(Section):
    """One quantity: how it is distributed, its unit, where it stands, and why it is taken."""

    distribution: Distribution
    unit: Text
    source: Text  # a key of paper/references.bib
    reason: Text


# Far above anything that is assumed or could be: beyond it a unit was mistaken.
MOST = {
    "kW": 1_000.0,
    "W": 1e6,
    "fraction": 2.0,
    "ratio": 1_000.0,
    "tokens": 1e8,
    "requests": 1e6,
    "queries/day": 1e13,
    "GWh/day": 10_000.0,
    "L/kWh": 1_000.0,
    "steps/task": 1e5,
    "calls/task": 1e5,
}
LOWEST = {Constant: "value", Uniform: "low"}
HIGHEST = {Constant: "value", Uniform: "high", LogNormal: "p95", Exponential: "median_value"}


def expect(
    unit: str, minimum: float | None = None, maximum: float | None = None
) -> Callable[[Assumption], Assumption]:
    """A validator: the assumption is in `unit`, cannot fall below `minimum` and is not implausibly large."""
    most = MOST[unit] if maximum is None else maximum

    def check(assumption: Assumption) -> Assumption:
        if assumption.unit != unit:
            raise ValueError(f"unit {assumption.unit!r}, expected {unit!r}")
        distribution = assumption.distribution
        lowest, highest = LOWEST.get(type(distribution)), HIGHEST.get(type(distribution))
        if minimum is not None and lowest and getattr(distribution, lowest) < minimum:
            value = getattr(distribution, lowest)
            raise ValueError(f"{lowest} {value}, expected at least {minimum}")
        if highest and getattr(distribution, highest) > most:
            value = getattr(distribution, highest)
            raise ValueError(f"{highest.removesuffix('_value')} {value:g}, expected at most {most:g} {unit}")
        return assumption

    return check


class Correlation(Assumption):
    """A correlation; it may be negative."""

    unit: Literal["correlation"]


PowerKw = Annotated[Assumption, AfterValidator(expect("kW", minimum=0))]
Fraction = Annotated[Assumption, AfterValidator(expect("fraction", minimum=0))]
Ratio = Annotated[Assumption, AfterValidator(expect("ratio", minimum=0))]
Pue = Annotated[Assumption, AfterValidator(expect("ratio", minimum=1, maximum=10))]
Tokens = Annotated[Assumption, AfterValidator(expect("tokens", minimum=0))]
PerDay = Annotated[Assumption, AfterValidator(expect("queries/day", minimum=0))]
