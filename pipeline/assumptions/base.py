"""What every assumption carries: a distribution, a unit, a source and a reason."""

from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from pipeline.distributions import Constant, Distribution, Uniform

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


def expect(unit: str, minimum: float | None = None) -> Callable[[Assumption], Assumption]:
    """A validator: the assumption is in `unit` and cannot fall below `minimum`."""

    def check(assumption: Assumption) -> Assumption:
        if assumption.unit != unit:
            raise ValueError(f"unit {assumption.unit!r}, expected {unit!r}")
        distribution = assumption.distribution
        lowest = {Constant: "value", Uniform: "low"}.get(type(distribution))
        if minimum is not None and lowest and getattr(distribution, lowest) < minimum:
            value = getattr(distribution, lowest)
            raise ValueError(f"{lowest} {value}, expected at least {minimum}")
        return assumption

    return check


class Correlation(Assumption):
    """A correlation; it may be negative."""

    unit: Literal["correlation"]


PowerKw = Annotated[Assumption, AfterValidator(expect("kW", minimum=0))]
Fraction = Annotated[Assumption, AfterValidator(expect("fraction", minimum=0))]
Ratio = Annotated[Assumption, AfterValidator(expect("ratio", minimum=0))]
Pue = Annotated[Assumption, AfterValidator(expect("ratio", minimum=1))]
Tokens = Annotated[Assumption, AfterValidator(expect("tokens", minimum=0))]
PerDay = Annotated[Assumption, AfterValidator(expect("queries/day", minimum=0))]
