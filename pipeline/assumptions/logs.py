"""How energy is taken from logs: the engine, the accounting windows, and the factors between boundaries."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from pipeline.assumptions.base import Assumption, Section, expect
from pipeline.distributions import Constant

ENGINES = r"duckdb|local(\[(\d+|\*)\])?|spark://.+|sc://.+"
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(gt=0, le=1)]


def _constant(assumption: Assumption) -> Assumption:
    if not isinstance(assumption.distribution, Constant):
        raise ValueError("expected a constant: logs are measured, nothing is drawn")
    return assumption


ConstantOnly = AfterValidator(_constant)
Factor = Annotated[Assumption, AfterValidator(expect("ratio", minimum=1)), ConstantOnly]
Weight = Annotated[Assumption, AfterValidator(expect("ratio", minimum=0)), ConstantOnly]
# told apart by kind, so that a wrong value gets one message and not one for each
FittedOrConstant = Annotated[
    Annotated[Literal["fitted"], Tag("word")] | Annotated[Weight, Tag("assumption")],
    Discriminator(lambda value: "word" if isinstance(value, str) else "assumption"),
]
LitresPerKwh = Annotated[Assumption, AfterValidator(expect("L/kWh", minimum=0)), ConstantOnly]
Requests = Annotated[Assumption, AfterValidator(expect("requests", minimum=1)), ConstantOnly]
Watts = Annotated[Assumption, AfterValidator(expect("W", minimum=0)), ConstantOnly]


class Logs(Section):
    """Settings of `python -m pipeline.logs`."""

    engine: Annotated[str, Field(pattern=f"^({ENGINES})$")]
    memory_limit_mb: Annotated[int, Field(ge=100, strict=True)]
    window_seconds: Annotated[int, Field(gt=0, le=3600, strict=True)]
    sample_seconds: Seconds
    minimum_coverage: Share
    maximum_share_of_wrong_units: Share
    plausible_watts_min: Watts
    plausible_watts_max: Watts
    gpu_to_node: Factor
    pue: Factor
    wue_l_per_kwh: LitresPerKwh
    electricity_l_per_kwh: LitresPerKwh
    weight_input: FittedOrConstant
    requests_in_flight: Requests

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if 3600 % self.window_seconds:
            raise ValueError(f"window_seconds ({self.window_seconds}) must divide an hour")
        if self.sample_seconds > self.window_seconds:
            raise ValueError("sample_seconds must not exceed window_seconds")
        if self.plausible_watts_min.distribution.median() >= self.plausible_watts_max.distribution.median():
            raise ValueError("plausible_watts_min must be below plausible_watts_max")
        return self
