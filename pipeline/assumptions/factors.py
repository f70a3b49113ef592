"""What the factor table is worked out for: reference instances of model classes, batch bands."""

from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pipeline.assumptions.base import Section, Text
from pipeline.assumptions.deployments import Billions, Count, Propagation

Requests = Annotated[float, Field(ge=1, allow_inf_nan=False)]


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


class Instance(Section):
    """Accelerators that serve the reference model of a class, and the precisions of its weights there."""

    gpu: Text
    gpus: Annotated[Count, Field(le=8)]
    precisions: Annotated[list[Literal["fp4", "fp8", "bf16"]], Field(min_length=1)]


class ModelClass(Section):
    """Models of like size; `model` stands for them, with an instance for each generation that can hold it."""

    name: Text
    model: Text
    total_params_b: Billions
    active_params_b: Billions
    instances: Annotated[list[Instance], Field(min_length=1)]
    reason: Text


class Factors(Section):
    """Classes, bands, and how many worlds are drawn."""

    classes: Annotated[list[ModelClass], Field(min_length=1)]
    batch_bands: Annotated[list[BatchBand], Field(min_length=1)]
    sites: Annotated[list[Text], Field(min_length=1)]  # scenarios of assumptions.water, as in production
    stated_sites: Annotated[list[Text], Field(min_length=1)]  # those for stated deployments
    propagation: Propagation
    report_change_above: Annotated[float, Field(gt=0)]  # of a median between two releases, as a share

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
