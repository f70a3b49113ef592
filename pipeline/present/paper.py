"""Typeset the paper: the same PDF on every machine, with the fonts that come with the typesetter."""

from collections.abc import Iterator, Mapping
from itertools import takewhile
from pathlib import Path
from typing import Any

import pandas as pd
import typst

from pipeline.core.assumption import (
    Assumption,
    Beta,
    Constant,
    Distribution,
    Exponential,
    LogNormal,
    Section,
    Uniform,
)
from pipeline.core.errors import InputError
from pipeline.core.files import write_atomically
from pipeline.published.model.settings import AsPublished
from pipeline.report import FONTS
from pipeline.report.formats import table


def typeset(source: Path, target: Path, root: Path = Path()) -> None:
    """Compile `source` to a PDF; raises InputError with the typesetter's reason."""
    try:
        write_atomically(
            target,
            lambda path: typst.compile(
                source, output=path, root=root, ignore_system_fonts=True, font_paths=[FONTS]
            ),
        )
    except typst.TypstError as error:
        raise InputError(f"{source}: {error.message}") from None


EXPLAINED = {"value": "Value", "unit": "Unit", "source": "Source", "reason": "Reason"}
BASE = "base"
EXPLAINING = ("name", "source", "reason")
OFF = "off"
NAMED = 4  # things named in one row; of more, the first and how many others
NAMING = ("name", "model", "id")  # what a part of a list is called by


@table(
    "assumptions",
    "Assumptions of the published analysis; a variant replaces only what is listed under it.",
    {"key": "Assumption", "variant": "Variant", **EXPLAINED},
)
def as_published(*, published: AsPublished) -> pd.DataFrame:
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
    return pd.DataFrame(rows, columns=pd.Index(["key", "variant", *EXPLAINED]))


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


@table(
    "priors",
    "What the re-estimate, its validation, water, levers and fleets take for granted: distributions and "
    "constants of params.yaml.",
    {"section": "Part", "key": "Quantity", "of": "Of", **EXPLAINED},
)
def ours(
    *, energy: Section, validation: Section, water: Section, levers: Section, fleet: Section
) -> pd.DataFrame:
    """Sections of params.yaml by what they are for."""
    parts = {
        "re-estimate": energy,
        "validation": validation,
        "water": water,
        "levers": levers,
        "fleet": fleet,
    }
    return quantities(parts)


def quantities(sections: Mapping[str, Section]) -> pd.DataFrame:
    """One row a quantity, in the order of params.yaml; what is alike for several things stands once."""
    things: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
    for section, part in sections.items():
        for (*of, key), item in _assumptions((), part):
            alike = (section, key, describe(item.distribution), item.unit, item.source, item.reason)
            things.setdefault(alike, []).append(tuple(of))
    rows = [(section, key, _joined(of), *rest) for (section, key, *rest), of in things.items()]
    return pd.DataFrame(rows, columns=pd.Index(["section", "key", "of", *EXPLAINED]))


def _joined(paths: list[tuple[str, ...]]) -> str:
    """`server_power A100, H100, B200`: what the paths have in common, then what each has of its own."""
    shared = takewhile(lambda parts: len(set(parts)) == 1, zip(*paths, strict=False))
    common = [parts[0] for parts in shared]
    own = [" ".join(path[len(common) :]) for path in paths if len(path) > len(common)]
    if len(own) > NAMED:
        own = [own[0], f"{len(own) - 1} others"]
    return " ".join([*common, ", ".join(own)]).strip()


def _assumptions(path: tuple[str, ...], item: Any) -> Iterator[tuple[tuple[str, ...], Assumption]]:
    """Every quantity below an item, with the names on the way to it."""
    if isinstance(item, Assumption):
        yield path, item
        return
    for name, part in _parts(item):
        yield from _assumptions((*path, name), part)


def _parts(item: Any) -> list[tuple[str, Any]]:
    """The named parts of a section, a mapping or a list."""
    if isinstance(item, Section):
        return [(name, getattr(item, name)) for name in type(item).model_fields]
    if isinstance(item, Mapping):
        return list(item.items())
    if isinstance(item, list | tuple):
        return [(_name(part) or str(at), part) for at, part in enumerate(item, start=1)]
    return []


def _name(item: Any) -> str:
    return next((str(getattr(item, name)) for name in NAMING if hasattr(item, name)), "")
