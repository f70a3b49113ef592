"""The assumptions of the published analysis as a table: what, in which variant, how much, from where, why."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from pipeline.assumptions.base import Assumption, Section
from pipeline.assumptions.published import AsPublished
from pipeline.distributions import Beta, Constant, Distribution, Exponential, LogNormal, Uniform

COLUMNS = ["key", "variant", "value", "unit", "source", "reason"]
BASE = "base"
EXPLAINING = ("name", "source", "reason")
OFF = "off"


def assumption_rows(published: AsPublished) -> pd.DataFrame:
    """One row an assumption: the base first, then what each variant replaces; then models and fleet lines."""
    rows = [row for key, item in _fields(published.base) for row in _rows(key, BASE, item)]
    for name, variant in published.variants.items():
        for key, item in _fields(variant):
            if item != getattr(published.base, key):
                rows += _rows(key, name, item)
    for model in published.models:
        rows += _rows(f"model.{model.name}", BASE, model)
    rows += [
        row
        for key, item in _fields(published.reference_lines)
        for row in _rows(f"reference.{key}", BASE, item)
    ]
    return pd.DataFrame(rows, columns=pd.Index(COLUMNS))


def describe(distribution: Distribution) -> str:
    """A distribution in a few words."""
    match distribution:
        case Constant(value=value):
            return f"{value:,g}" if abs(value) < 1e6 else f"{value:g}"
        case LogNormal(p5=p5, p95=p95, above=above):
            bound = f" (excess over {above:g})" if above else ""
            return f"log-normal, P5–P95 {p5:g}–{p95:g}{bound}"
        case Exponential(median_value=median):
            return f"exponential, median {median:g}"
        case Beta(alpha=alpha, beta=beta):
            return f"beta ({alpha:g}, {beta:g}), median {distribution.median():.2g}"
        case Uniform(low=low, high=high):
            return f"uniform, {low:g}–{high:g}"
    raise TypeError(f"no words for {type(distribution).__name__}")


def _fields(section: Section) -> Iterator[tuple[str, Any]]:
    return ((name, getattr(section, name)) for name in type(section).model_fields)


def _rows(key: str, variant: str, item: Any) -> list[dict[str, str]]:
    if item is None:
        row = {"key": key, "variant": variant, "value": OFF, "unit": "", "source": "", "reason": ""}
        return [row]
    if isinstance(item, list | tuple):
        return [row for n, part in enumerate(item, start=1) for row in _rows(f"{key}.{n}", variant, part)]
    if isinstance(item, Assumption):
        row = {"key": key, "variant": variant, "value": describe(item.distribution), "unit": item.unit}
        return [row | {"source": item.source, "reason": item.reason}]
    settings = [(name, value) for name, value in _fields(item) if name not in EXPLAINING]
    if not hasattr(item, "source"):
        return [row for name, value in settings for row in _rows(f"{key}.{name}", variant, value)]
    value = "; ".join(f"{name.replace('_', ' ')} {_plain(value)}" for name, value in settings)
    row = {"key": key, "variant": variant, "value": value, "unit": "", "source": item.source}
    return [row | {"reason": item.reason}]


def _plain(value: Any) -> str:
    if isinstance(value, tuple):
        return "–".join(f"P{bound:g}" for bound in value)
    return str(value).replace("_", " ")
