"""The assumptions behind each figure, short enough for a sidecar."""

from typing import Any

from pydantic import BaseModel

from pipeline.assumptions.base import Assumption
from pipeline.assumptions.published import AsPublished, Base, known
from pipeline.present.figures.published.tables import VARIANT, FleetSettings


def parameters(published: AsPublished) -> dict[str, Any]:
    """Distribution and unit of every assumption of the main variant; of the others, what differs from it."""
    main = _short(published.variants[VARIANT])
    behind: dict[str, Any] = {"reference_lines": _short(published.reference_lines)}
    for name, variant in published.variants.items():
        own = _short(variant)
        differing = {key: value for key, value in own.items() if value != main[key]}
        behind[name] = main if name == VARIANT else differing
    return behind


def fleet_settings(published: AsPublished) -> FleetSettings:
    """What the fleet figures name, of the main variant."""
    base: Base = published.variants[VARIANT]
    lines = published.reference_lines
    values = (base.queries_per_day, base.long_share, lines.datacentre, lines.web_search)
    return FleetSettings(*map(known, values))


def _short(item: Any) -> Any:
    """Distributions with their units, plain values; sources and reasons stay in params.yaml."""
    if isinstance(item, Assumption):
        return {"unit": item.unit, **item.distribution.model_dump()}
    if isinstance(item, BaseModel):
        fields = [name for name in type(item).model_fields if name not in ("source", "reason")]
        return {name: _short(getattr(item, name)) for name in fields}
    if isinstance(item, list | tuple):
        return [_short(part) for part in item]
    return item
