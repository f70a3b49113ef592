"""The what-if of one service: what is fixed; what is left null keeps its distribution.

dvc exp run -S what_if.requests=64 -S what_if.pue=1.12 what_if
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pipeline.core.assumption import Section, Text

Traffic = Literal["production_short", "production_long", "published_short", "published_long", "fixed"]
TokenCount = Annotated[float, Field(ge=1, le=1e8)]
Requests = Annotated[float, Field(ge=1, le=1e6)]
Utilisation = Annotated[float, Field(gt=0, le=1)]
Share = Annotated[float, Field(ge=0, le=1)]
PueValue = Annotated[float, Field(ge=1, le=10)]
LitresPerKwh = Annotated[float, Field(ge=0, le=1000)]
# 1 leaves a lever out, a number divides energy and water by it, "drawn" takes its distribution.
Gain = Literal["drawn"] | Annotated[float, Field(ge=1, le=1000)]
LEVERS = ("hardware", "model", "serving", "routing")


class Levers(Section):
    """The four published pathways; together they divide by the product of their gains."""

    hardware: Gain
    model: Gain
    serving: Gain
    routing: Gain


class WhatIf(Section):
    """One service: a deployment of the re-estimate (or the blend), its traffic, load, site and levers.

    `requests`: in flight on an instance at full load, if its cache holds them. PUE, WUE and grid that are
    given replace those of the sites of `site`, a scenario of water; PUE also that of the energy.
    """

    model: Text
    traffic: Traffic
    input_tokens: TokenCount | None  # of every query, with `traffic: fixed`
    output_tokens: TokenCount | None
    requests: Requests | None
    utilisation: Utilisation | None
    idle_share: Share | None
    pue: PueValue | None
    site: Text
    wue_l_per_kwh: LitresPerKwh | None
    electricity_l_per_kwh: LitresPerKwh | None
    levers: Levers

    @model_validator(mode="after")
    def _lengths_go_with_the_traffic(self) -> Self:
        given = [self.input_tokens is not None, self.output_tokens is not None]
        if self.traffic == "fixed" and not all(given):
            raise ValueError("traffic 'fixed' needs input_tokens and output_tokens")
        if self.traffic != "fixed" and any(given):
            raise ValueError(f"input_tokens and output_tokens need traffic 'fixed', not {self.traffic!r}")
        return self


SETTINGS = WhatIf
