"""Where the re-estimate serves each model, and how many draws it takes."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from pipeline.assumptions.base import Assumption, Fraction, Ratio, Section, Text, expect

Count = Annotated[int, Field(gt=0, strict=True)]
Billions = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Requests = Annotated[Assumption, AfterValidator(expect("requests", minimum=1))]


def _power_of_two(count: int) -> int:
    if count & (count - 1):
        raise ValueError(f"{count} is not a power of two, which Sobol points need")
    return count


PowerOfTwo = Annotated[Count, AfterValidator(_power_of_two)]


class Deployment(Section):
    """One model on one instance: `gpus` accelerators that hold it and serve requests in one batch.

    `concurrency`: requests in flight for which the instance is configured, if its cache holds them.
    `fleet_gain`: times more requests served than by one instance alone, at the same power, where operators
    spread a model over many of them; absent: none.
    """

    model: Text  # as in the published analysis
    total_params_b: Billions
    active_params_b: Billions
    gpu: Text
    gpus: Annotated[int, Field(gt=0, le=8, strict=True)]
    precision: Literal["fp4", "fp8", "bf16"]
    source: Text
    reason: Text
    concurrency: Requests
    fleet_gain: Ratio | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.active_params_b > self.total_params_b:
            raise ValueError(f"active_params_b {self.active_params_b} exceeds total {self.total_params_b}")
        return self


class Deployments(Section):
    """The subjects; models above `blend_above_params_b` make the blend, in equal parts.

    `tensorrt_share`: probability that a service runs on TensorRT-LLM, else vLLM; the same for all its models.
    """

    models: Annotated[list[Deployment], Field(min_length=1)]
    blend_above_params_b: Billions
    tensorrt_share: Fraction

    @model_validator(mode="after")
    def _usable(self) -> Self:
        names = [item.model for item in self.models]
        if len(set(names)) < len(names):
            raise ValueError(f"models: a name stands twice in {names}")
        if not self.blend:
            raise ValueError(f"no model above {self.blend_above_params_b} B parameters for the blend")
        return self

    @property
    def blend(self) -> list[str]:
        """The models of the blend."""
        return [item.model for item in self.models if item.total_params_b > self.blend_above_params_b]


class Propagation(Section):
    """Nested draws: replicates x outer worlds (what we do not know) x inner queries.

    Replicates are independent; their spread is the Monte Carlo error.
    """

    replicates: Annotated[int, Field(ge=4, strict=True)]
    outer: PowerOfTwo
    inner: PowerOfTwo
    variance_points: PowerOfTwo

    @property
    def worlds(self) -> int:
        """Outer draws of all replicates together."""
        return self.replicates * self.outer
