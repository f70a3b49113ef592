"""What a format is: how a file of it is known, and which of its fields are which of ours.

A format is a declaration. Tables and JSON lines only map names; documents and reports have a function that
gives rows. All of them give raw rows (text or numbers as they stand), which `tidy` turns into the columns
of the logs.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from pipeline.logs.deployment import Deployment

Log = Literal["power", "requests"]
Kind = Literal["table", "records", "document", "lines"]


@dataclass(frozen=True)
class Head:
    """The start of a file, taken apart as far as it goes.

    separator, header: of a table, else blank; names: the header without units; json: the first object of JSON
    lines, or the whole document; whole: whether the file is one JSON document; skip: lines before a header.
    """

    path: Path
    lines: tuple[str, ...]
    separator: str = ""
    header: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    json: Any = None
    whole: bool = False
    skip: int = 0


@dataclass(frozen=True)
class Raw:
    """Rows as they stand, under our names; `row` is the line of the file or the place in the document."""

    table: pd.DataFrame
    units: dict[str, str] = field(default_factory=dict)  # of watts and energy, from the header
    comma: bool = False  # numbers have decimal commas
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Format:
    """One format: `known` says whether a file is of it, `rows` gives its raw rows."""

    name: str
    log: Log
    kind: Kind
    source: str  # the documentation or code that the declaration follows, with its version
    example: str
    known: Callable[[Head], bool]
    rows: Callable[[Head, "Format", Deployment], Iterator[Raw]]
    fields: dict[str, tuple[str, ...]] = field(
        default_factory=dict
    )  # ours -> theirs, the first that is there
    scope: str = ""
    relative: float = 0.0  # microseconds of a unit of times that count from the start of the trace
    ends_at: bool = False  # `time` is when requests ended
    of_runs: bool = False  # gives the times of whole runs, not of single requests
    notes: tuple[str, ...] = ()


def at(value: Any, path: str) -> Any:
    """The value at a dotted path of nested objects; none where it is not there."""
    for key in path.split("."):
        if isinstance(value, list) and key.isdigit():
            value = value[int(key)] if int(key) < len(value) else None
        else:
            value = value.get(key) if isinstance(value, dict) else None
        if value is None:
            return None
    return value
