"""How energy is taken from logs: the engine, the accounting windows, and the factors between boundaries."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from pipeline.core.assumption import Assumption, Constant, Section, expect

ENGINES = r"duckdb|local(\[(\d+|\*)\])?|spark://.+|sc://.+"
Positive = Annotated[float, Field(gt=0)]
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
FittedOrFactor = Annotated[
    Annotated[Literal["fitted"], Tag("word")] | Annotated[Factor, Tag("assumption")],
    Discriminator(lambda value: "word" if isinstance(value, str) else "assumption"),
]
GramsPerKwh = Annotated[Assumption, AfterValidator(expect("g/kWh", minimum=0)), ConstantOnly]
LitresPerKwh = Annotated[Assumption, AfterValidator(expect("L/kWh", minimum=0)), ConstantOnly]
Requests = Annotated[Assumption, AfterValidator(expect("requests", minimum=1)), ConstantOnly]
Watts = Annotated[Assumption, AfterValidator(expect("W", minimum=0)), ConstantOnly]


class Limits(Section):
    """Beyond these a log is flagged; each far from what sound logs show."""

    agrees_within: Annotated[float, Field(gt=1)]
    least_tokens_per_s: Positive
    joules_per_token: tuple[Positive, Positive]
    least_shift_s: Positive
    single_spikes: Share


class Logs(Section):
    """Settings of `python -m pipeline.logs`."""

    engine: Annotated[str, Field(pattern=f"^({ENGINES})$")]
    memory_limit_mb: Annotated[int, Field(ge=100, strict=True)]
    window_seconds: Annotated[int, Field(gt=0, le=3600, strict=True)]
    minimum_coverage: Share
    maximum_share_of_wrong_units: Share
    plausible_watts_max: Watts
    gpu_to_node: FittedOrFactor
    pue: Factor
    wue_l_per_kwh: LitresPerKwh
    electricity_l_per_kwh: LitresPerKwh
    carbon_g_per_kwh: GramsPerKwh
    most_set_aside: Share
    limits: Limits
    weight_input: FittedOrConstant
    requests_in_flight: Requests

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if 3600 % self.window_seconds:
            raise ValueError(f"window_seconds ({self.window_seconds}) must divide an hour")
        return self


SETTINGS = Logs
