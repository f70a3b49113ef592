"""What the re-estimate, water, levers and fleets take for granted, as a table: how much, from where, why."""

from collections.abc import Iterator, Mapping
from itertools import takewhile
from typing import Any

import pandas as pd

from pipeline.assumptions.base import Assumption, Section
from pipeline.present.assumption_rows import describe

COLUMNS = ["section", "key", "of", "value", "unit", "source", "reason"]
NAMED = 4  # things named in one row; of more, the first and how many others
NAMING = ("name", "model", "id")  # what a part of a list is called by


def prior_rows(sections: Mapping[str, Section]) -> pd.DataFrame:
    """One row a quantity, in the order of params.yaml; what is alike for several things stands once."""
    things: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
    for section, part in sections.items():
        for (*of, key), item in _assumptions((), part):
            alike = (section, key, describe(item.distribution), item.unit, item.source, item.reason)
            things.setdefault(alike, []).append(tuple(of))
    rows = [(section, key, _joined(of), *rest) for (section, key, *rest), of in things.items()]
    return pd.DataFrame(rows, columns=pd.Index(COLUMNS))


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
