"""What the model of serving takes as given, beside the measurements that it is fitted to."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipeline.core.assumption import (
    Fraction,
    Names,
    Ratio,
    Section,
    Text,
    Tokens,
)

Basis = Literal["measured configuration", "same model", "pooled", "extrapolated"]
BASES: tuple[Basis, ...] = ("measured configuration", "same model", "pooled", "extrapolated")
Engine = Literal["vLLM", "SGLang", "TensorRT-LLM"]
ENGINES: tuple[Engine, ...] = ("vLLM", "SGLang", "TensorRT-LLM")
StepTerm = Literal[
    "weights", "matmul", "kv", "attention", "kernels", "sync", "exchange", "token", "step", "prefill",
    "prefill_attention", "request",
]  # fmt: skip
PowerTerm = Literal["idle", "powered", "compute"]
PowerSpread = Literal[
    "laboratory", "version", "generation", "model", "chip", "configuration", "protocol", "batch",
    "guessed_shape", "properties", "extrapolated", "rest",
]  # fmt: skip
ShapeNumber = Literal[
    "student_df", "middle_batch", "run_requests", "unknown_cv", "routing_exponent", "least_read",
    "least_free",
]  # fmt: skip
Task = Literal["chat", "code", "video", "synthetic"]


class Numbers(Section):
    """Numbers of one kind with one reason."""

    unit: Text
    source: Text
    reason: Text


class StepMedians(Numbers):
    """Of the terms of a step."""

    values: dict[StepTerm, float]


class PowerMedians(Numbers):
    """Of the terms of power."""

    values: dict[PowerTerm, float]


class ByEngine(Numbers):
    """Of the engines."""

    values: dict[Engine, float]


class AYear(Numbers):
    """Of what a year does."""

    values: dict[Literal["centre", "spread"], float]


class StepPrior(Section):
    """Coefficients of the terms of a step: median of each, and the sd of their logarithms."""

    median: StepMedians
    spread: Ratio


class PowerPrior(Section):
    """As StepPrior, of power; `exponent`: of how busy a chip is, in what is powered and in arithmetic."""

    median: PowerMedians
    idle_spread: Ratio
    spread: Ratio
    exponent: PowerMedians
    held_at: Fraction  # of what a chip is limited to, the mean power at which the limit holds it


class Spreads(Section):
    """Sd, ln, between the levels of each effect on step time or power, and of what is left."""

    laboratory: Ratio
    engine_token: Ratio  # of an engine, on what each request in the batch costs a step
    version: Ratio
    version_token: Ratio
    tuned: Ratio
    experts: Ratio  # of models with experts, on what matrices take
    version_experts: Ratio
    port: Ratio
    model: Ratio
    chip: Ratio
    pairing: Ratio  # of model and chip
    configuration: Ratio
    protocol: Ratio  # of one configuration between laboratories, beyond what each has in all of its rows
    batch: Ratio  # of a configuration as another laboratory runs it, for a batch 10 times larger or smaller
    guessed_shape: Ratio  # of a model known by its parameter counts alone
    extrapolated: Ratio  # of a configuration beyond what was measured
    rest: Ratio


class Years(Numbers):
    """At which the coefficients hold; of engines without date, of a configuration and of measured rows."""

    values: dict[Literal["reference", "present", "undated"], Annotated[float, Field(ge=2020, le=2040)]]


class Trend(Section):
    """What a year of software does to overheads and to what a request costs, ln a year: centre and spread."""

    a_year: AYear
    years: Years


class PowerSpreads(Numbers):
    """As Spreads, of GPU power; `generation`: of chips, on each of what is powered and arithmetic."""

    values: dict[PowerSpread, float]


class Tuned(Section):
    """Whose rows are tuned point by point by the makers of chip or engine."""

    laboratories: Names
    unstated: Fraction  # of a service whose laboratory is not stated
    source: Text
    reason: Text


class Port(Section):
    """Chips for which engines are written first; on each version all others are a port of their own."""

    usual_generations: Names
    source: Text
    reason: Text


class Nearness(Numbers):
    """Farther from the nearest measured row of its chip than this, a configuration is extrapolated; ln."""

    values: dict[Literal["batch", "lengths"], float]


class Shape(Numbers):
    """Fixed numbers of the terms and of the fit."""

    values: dict[ShapeNumber, float]


class Serving(Section):
    """Settings of the fit and of its predictions."""

    step: StepPrior
    trend: Trend
    spreads: Spreads
    power: PowerPrior
    power_spreads: PowerSpreads
    tuned: Tuned
    port: Port
    residual_scale: Ratio  # in the fit
    above_roofline: Ratio
    engine_share: ByEngine  # of services whose engine is not stated
    prompt_tokens: dict[Task, Tokens]  # where rows do not state the length of their prompts
    nearness: Nearness
    shape: Shape
    output_cv: Ratio  # of the answers of a service
    unstated_output_cv: Ratio  # of a configuration that does not give its own
    memory_share: Fraction
    cached_work: Fraction  # what a prompt token that the cache holds takes, of the time to compute it
    draws: int = Field(ge=200, le=2**16)

    @model_validator(mode="after")
    def _shares_add_up(self) -> "Serving":
        if abs(sum(self.engine_share.values.values()) - 1) > 1e-9:
            raise ValueError("shares of engines add up to another number, expected 1")
        return self


SETTINGS = Serving
