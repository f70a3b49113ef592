"""What the published analysis assumes (Oviedo et al. 2026), and the variants of it that explain differences.

A variant in params.yaml states only what it replaces; on load it becomes a complete `Base`.
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError, model_validator

from pipeline.core.assumption import (
    ONE_LINE,
    Assumption,
    Constant,
    Fraction,
    Names,
    PerDay,
    PowerKw,
    Pue,
    Section,
    Text,
    Tokens,
    expect,
    variant,
)

Count = Annotated[int, Field(gt=0, le=1000, strict=True)]
Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
NodePower = Literal["node_power_8xh100", "node_power_10xh100"]


def _known(assumption: Assumption) -> Assumption:
    """The recipe draws only lengths, utilisation, PUE and levers; the rest has to be one value."""
    if not isinstance(assumption.distribution, Constant):
        raise ValueError(f"family {assumption.distribution.family!r}, expected 'constant'")
    return assumption


def _ordered(bounds: tuple[float, float]) -> tuple[float, float]:
    if bounds[0] >= bounds[1]:
        raise ValueError(f"lower percentile {bounds[0]} must be below upper percentile {bounds[1]}")
    return bounds


Known = AfterValidator(_known)
Gain = Annotated[Assumption, AfterValidator(expect("ratio", minimum=1))]
Share = Annotated[Fraction, Known]
Factor = Annotated[Gain, Known]
EnergyPerDay = Annotated[Assumption, AfterValidator(expect("GWh/day", minimum=0)), Known]
# YAML gives a list; the settings are frozen, so keep a tuple.
Percentiles = Annotated[tuple[Percent, Percent], ONE_LINE, AfterValidator(_ordered)]


class PublishedModel(Section):
    """How the throughput of one model is had from its rows, and which node it is charged to."""

    name: Text  # as in data/published/throughput.csv
    precision: Literal["FP8", "FP16"] = "FP8"
    throughput: Literal["regression", "constant"] = "regression"
    node_power: NodePower = "node_power_8xh100"
    source: Text
    reason: Text


class Blend(Section):
    """How many models make the blend: those with the highest median energy, in equal parts."""

    models: Count
    source: Text
    reason: Text


class Trim(Section):
    """Percentiles to which each model's draws are cut before the blend; `inner` applies to what is left."""

    outer: Percentiles
    inner: Percentiles
    source: Text
    reason: Text


class PowerCoupling(Section):
    """Utilisation = at_zero + span * throughput / largest throughput, in place of a draw."""

    at_zero: Share
    span: Share


class Base(Section):
    """One complete set of assumptions. `null` switches trimming, coupling or input weighting off."""

    node_power_8xh100: Annotated[PowerKw, Known]
    node_power_10xh100: Annotated[PowerKw, Known]
    power_utilisation: Fraction
    pue: Pue
    input_tokens: Annotated[Tokens, Known]
    output_tokens_short: Tokens
    output_tokens_long: Tokens
    input_tokens_per_output_token: Factor | None
    power_coupling: PowerCoupling | None
    blend: Blend
    trim: Trim | None
    lever_hardware: Gain
    lever_model: Gain
    lever_serving: Gain
    lever_routing: Gain
    improved_short: Gain
    improved_long: Gain
    queries_per_day: Annotated[PerDay, Known]
    overheads_short: Annotated[list[Factor], Field(min_length=1)]
    overheads_long: Annotated[list[Factor], Field(min_length=1)]
    long_share: Share


class AuthorsStream(Section):
    """The released scripts' random stream: each inner list is one script, run from the seed on."""

    seed: Annotated[int, Field(ge=0, lt=2**32, strict=True)]
    draws_per_model: Annotated[int, Field(ge=100, le=10**8, strict=True)]
    bootstrap_resamples: Annotated[int, Field(ge=20, le=10**6, strict=True)]
    scripts: Annotated[list[Annotated[Names, Field(min_length=1)]], Field(min_length=1)]
    fleet: Text  # the variant that the fleet scripts run


class ReferenceLines(Section):
    """Energy a day that the fleet figure compares with."""

    datacentre: EnergyPerDay
    web_search: EnergyPerDay


def _complete(data: Any) -> Any:
    """Lay each variant's replacements over the base, so that it is validated as a whole.

    A base that is wrong is reported once, not again for every variant.
    """
    if not (isinstance(data, dict) and isinstance(data.get("base"), dict)):
        return data
    variants = data.get("variants")
    if not (isinstance(variants, dict) and all(isinstance(item, dict) for item in variants.values())):
        return data
    try:
        Base.model_validate(data["base"])
    except ValidationError:
        return {**data, "variants": {}}
    coupling = data.get("power_coupling")
    filled = {name: variant(name, data["base"], variants) for name in variants}
    for item in filled.values():
        if item.get("power_coupling") is True:
            item["power_coupling"] = coupling
    return {**data, "variants": filled}


class AsPublished(Section):
    """The published analysis: models in the authors' order, base assumptions, variants, their stream."""

    models: Annotated[list[PublishedModel], Field(min_length=1)]
    base: Base
    variants: dict[str, Base]
    power_coupling: PowerCoupling  # of the variants that say `power_coupling: true`
    authors_stream: AuthorsStream
    reference_lines: ReferenceLines

    _lay_variants_over_base = model_validator(mode="before")(_complete)

    @model_validator(mode="after")
    def _names_resolve(self) -> "AsPublished":
        names = [model.name for model in self.models]
        if len(set(names)) < len(names):
            raise ValueError(f"models: a name stands twice in {names}")
        stream = self.authors_stream
        for named in [*(name for script in stream.scripts for name in script), stream.fleet]:
            if self.variants and named not in self.variants:
                raise ValueError(f"authors_stream: {named!r} is none of {sorted(self.variants)}")
        return self


def known(assumption: Assumption) -> float:
    """The value of an assumption that is one value (see `_known`)."""
    return assumption.distribution.median()


SETTINGS = AsPublished
