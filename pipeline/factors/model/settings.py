"""What the factor table is worked out for: reference instances of model classes, batch bands."""

from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from pipeline.core.assumption import ONE_LINE, Names, Section, Text
from pipeline.serving.model.deployments import Count, Propagation, instance_parts

Requests = Annotated[float, Field(ge=1, le=1e6)]
Fraction01 = Annotated[float, Field(ge=0, le=1)]
Precision = Literal["fp4", "fp8", "bf16"]


class BatchBand(Section):
    """Requests in flight on an instance, between two bounds; anywhere between is equally likely in ln."""

    low: Requests
    high: Requests

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"low ({self.low}) must be below high ({self.high})")
        return self

    @property
    def name(self) -> str:
        """`9 to 64`, which no spreadsheet takes for a date."""
        return f"{self.low:g} to {self.high:g}"


class ContextBand(BatchBand):
    """Tokens of input between two bounds; its geometric middle stands for it."""

    @property
    def name(self) -> str:
        """`to 8,192 tokens`."""
        return f"to {self.high:,.0f} tokens"

    @property
    def middle(self) -> float:
        """Geometric mean of the ends."""
        return float((self.low * self.high) ** 0.5)


def _instance(value: Any) -> Any:
    """`2 B200 in fp8, fp4` as its parts."""
    if not isinstance(value, str):
        return value
    parts = instance_parts(value)
    return parts | {"precisions": parts.pop("precision").split(", ")}


class Instance(Section):
    """Accelerators that serve the reference model of a class, and the precisions of its weights there."""

    gpu: Text
    gpus: Annotated[Count, Field(le=8)]
    precisions: Annotated[list[Precision], Field(min_length=1)]


class ModelClass(Section):
    """Models of like size; `model` stands for them, with an instance for each generation that can hold it."""

    name: Text
    model: Text  # of data/published/models.csv, which has its parameters
    instances: Annotated[list[Annotated[Instance, BeforeValidator(_instance)]], ONE_LINE, Field(min_length=1)]
    reason: Text


class Package(Section):
    """What estimates of the package rest on: the first of the accelerators that holds a model serves it."""

    accelerators: Annotated[Names, Field(min_length=1)]  # of an instance, the first that holds a model
    requests: Requests  # in flight
    checked: Count  # deployments, and lengths in each band, that the error is found at


def _band(value: Any) -> Any:
    """`9 to 64` as its parts."""
    return dict(zip(("low", "high"), value.split(" to "), strict=False)) if isinstance(value, str) else value


class Factors(Section):
    """Classes, bands, and how many samples are drawn."""

    classes: Annotated[list[ModelClass], Field(min_length=1)]
    batch_bands: Annotated[list[Annotated[BatchBand, BeforeValidator(_band)]], ONE_LINE, Field(min_length=1)]
    contexts: Annotated[list[Annotated[ContextBand, BeforeValidator(_band)]], ONE_LINE, Field(min_length=1)]
    context_output_tokens: Annotated[float, Field(gt=0, le=1e8)]  # answers at which tokens are priced
    cached_share: Annotated[float, Field(gt=0, lt=1)]  # of the input, where cached tokens are priced
    sites: Annotated[Names, Field(min_length=1)]  # scenarios of water, as in production
    stated_sites: Annotated[Names, Field(min_length=1)]  # those for stated deployments
    propagation: Propagation
    package: Package
    same_size_within: Annotated[float, Field(gt=0, le=1)]  # share by which parameters of one class may differ
    least_share: Fraction01  # of the samples have to reach a band, or it is left out
    report_change_above: Annotated[float, Field(gt=0, le=10)]  # of a median between two releases, as a share

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        for names in ([item.name for item in self.classes], [band.name for band in self.batch_bands]):
            if len(set(names)) < len(names):
                raise ValueError(f"a name stands twice in {names}")
        return self

    @model_validator(mode="after")
    def _bands_share_no_end(self) -> Self:
        for below, above in pairwise(self.batch_bands):
            if above.low <= below.high:
                raise ValueError(f"batch_bands: {above.name} starts within {below.name}")
        return self


SETTINGS = Factors
