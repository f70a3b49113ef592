"""Figures, tables and numbers of the text are declared where they are made, by the function that makes them.

The positional arguments of such a function name tables of the catalogue (two underscores: a slash), its
keyword-only ones options of the declaration or sections of params.yaml. What it needs is stated nowhere else.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import pandas as pd

from pipeline.core import catalogue

Function = TypeVar("Function", bound=Callable[..., Any])
PROFILE = "profile"  # the journal's, which figures take before their tables


@dataclass(frozen=True)
class Declared:
    """A name, the function that makes what bears it, and its options."""

    name: str
    make: Callable[..., Any]
    options: Mapping[str, Any]

    @property
    def tables(self) -> list[str]:
        """The tables of the catalogue that it is made from."""
        names = self._arguments(inspect.Parameter.POSITIONAL_OR_KEYWORD)
        return [name.replace("__", "/") for name in names if name != PROFILE]

    @property
    def sections(self) -> list[str]:
        """The sections of params.yaml that it reads itself."""
        names = self._arguments(inspect.Parameter.KEYWORD_ONLY)
        return [name for name in names if name not in self.options]

    def _arguments(self, kind: Any) -> list[str]:
        found = inspect.signature(self.make).parameters.values()
        return [parameter.name for parameter in found if parameter.kind == kind]

    def made(self, given: Mapping[str, Any], *first: Any) -> Any:
        """Make it from tables and sections by name, of which it takes its own."""
        wanted = (*self.tables, *self.sections)
        own = {name.replace("/", "__"): given[name] for name in wanted}
        return self.make(*first, **own, **self.options)

    def given(self, settings: Callable[[str], Any]) -> dict[str, Any]:
        """What it needs, by name; `settings` gives a section of params.yaml."""
        tables = {name: read(name) for name in self.tables}
        return tables | {name: settings(name) for name in self.sections}


def note(function: Function, entry: Declared) -> Function:
    """Remember with a function what it makes."""
    vars(function).setdefault("declared", []).append(entry)
    return function


def declared(*modules: ModuleType) -> list[Any]:
    """What is declared in some modules, in the order in which it stands there."""
    found: dict[int, Declared] = {}
    for module in modules:
        for value in filter(inspect.isfunction, vars(module).values()):
            found |= {id(entry): entry for entry in vars(value).get("declared", [])}
    return list(found.values())


@cache
def read(table: str) -> pd.DataFrame:
    """A table, read once in a process; of a hand-kept one what is kept by hand."""
    return catalogue.transcription(table) if catalogue.find(table).origin else catalogue.read(table)


def path_of(table: str) -> Path:
    """The file of a table; of a hand-kept one that in which it is kept."""
    return catalogue.origin_of(table) if catalogue.find(table).origin else catalogue.path_of(table)
