"""What a log does not say about the service it is from: `deployment.yaml`, all of it optional.

A default is used for what is not stated, and the report names every one.
"""

from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from pipeline.core.errors import InputError
from pipeline.core.parse import read_yaml_file

NAME = "deployment.yaml"
MOST_BYTES = 1_000_000
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Deployment(BaseModel):
    """Facts of a service; a blank one is not stated."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    node: str = Field("", description="the node of meters and requests that name none")
    model: str = Field("", description="the model of requests that name none")
    nodes: dict[str, str] = Field(
        {}, description="node of a meter or file, by its name (an outlet, a file, a host)"
    )
    instances: dict[str, list[str]] = Field({}, description="nodes of an instance that runs over several")
    scope: Literal["", "gpu", "node_wall"] = Field(
        "", description="what meters measure whose tool does not say"
    )
    gpu: str = Field("", description="accelerator, as nvidia-smi or a product page names it")
    gpus: int | None = Field(None, gt=0, description="accelerators of a node")
    gpus_per_instance: int | None = Field(None, gt=0, description="accelerators of one instance of a model")
    precision: str = Field("", description="bf16, fp8 or fp4")
    engine: str = Field("", description="vLLM, TensorRT-LLM, ...")
    gpu_to_node: Positive | None = Field(None, description="power of the node over that of its accelerators")
    pue: Annotated[float, Field(ge=1, le=5)] | None = Field(None, description="of the site")
    wue_l_per_kwh: NotNegative | None = Field(None, description="water on site a kWh of the node")
    electricity_l_per_kwh: NotNegative | None = Field(None, description="water a kWh of the electricity")
    carbon_g_per_kwh: NotNegative | None = Field(None, description="CO2e a kWh of the electricity")
    grid: str = Field("", description="country of the electricity, as FRA: its water and carbon")
    time_zone: str = Field("", description="of times without one, as Europe/Berlin")
    dates: Literal["", "day_first", "month_first"] = Field("", description="of dates such as 05/01/2026")
    starts: dict[str, str] = Field(
        {}, description="when a trace began whose times count from its start, by file"
    )
    price_ratios: dict[str, Positive] = Field(
        {}, description="cost of an output token of each model, in any unit"
    )
    cached_price: Annotated[float, Field(ge=0, le=1)] | None = Field(
        None, description="of a cached, in uncached input tokens (else of the model of serving)"
    )
    output_includes_reasoning: bool | None = Field(
        None, description="whether output_tokens hold the reasoning tokens (else: unless they are more)"
    )

    @model_validator(mode="after")
    def _known_zone(self) -> Self:
        if self.time_zone:
            try:
                ZoneInfo(self.time_zone)
            except (ValueError, KeyError, OSError) as error:
                raise ValueError(
                    f"time_zone: {self.time_zone!r}, expected a name such as Europe/Berlin"
                ) from error
        return self

    def node_of(self, *names: str) -> str:
        """The node of the first of these names (meter, host, file) that `nodes` has; else `node`, maybe
        blank."""
        return next((self.nodes[name] for name in names if name in self.nodes), self.node)


def read_deployment(path: Path) -> Deployment:
    """The facts of a file; raises InputError with the key and what was expected."""
    if path.is_file() and path.stat().st_size > MOST_BYTES:
        raise InputError(f"{path}: larger than {MOST_BYTES} bytes, expected a short list of facts")
    facts = read_yaml_file(path)
    if not isinstance(facts, dict | None):
        raise InputError(f"{path}: expected `key: value` lines, such as `pue: 1.2`")
    try:
        return Deployment.model_validate(facts or {})
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        known = ", ".join(Deployment.model_fields)
        hint = f", expected one of {known}" if first["type"] == "extra_forbidden" else ""
        raise InputError(f"{path}, key {key!r}: {first['msg']}{hint}") from None
