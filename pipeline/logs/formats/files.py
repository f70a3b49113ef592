"""Opening a file of unknown format: its first lines, its separator and header, its JSON; bounded in size
and depth."""

import csv
import json
import re
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

from pipeline.core.errors import InputError
from pipeline.logs.encoding import NOT_UTF8, open_text, refuse_other_starts
from pipeline.logs.formats.declare import Head
from pipeline.logs.values import header_name

LINES = 50
MOST_OF_A_LINE = 1 << 24
MOST_OF_A_DOCUMENT = 1 << 29  # characters; a JSON document is held in memory whole
BEFORE = re.compile(r"\ufeff?(sep=.|#)")
SEPARATORS = (",", ";", "\t", "|")


def read_head(path: Path) -> Head:
    """The start of a file; raises InputError where it is no text."""
    try:
        if not path.stat().st_size:
            raise InputError(f"{path}: the file is empty")
        refuse_other_starts(path, may_have_mark=True)
        with open_text(path) as text:
            lines = [line.rstrip("\r\n") for line in islice(_bounded(path, text), LINES)]
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    if wrong := next((k for k, line in enumerate(lines, 1) if NOT_UTF8.search(line)), 0):
        raise InputError(f"{path}, row {wrong}: expected UTF-8 text")
    shown = next((line.strip() for line in lines if line.strip()), "")
    if not shown:
        raise InputError(f"{path}: the file is empty")
    if shown[0] in "{[":
        return _json_head(path, tuple(lines), shown)
    # spreadsheets put `sep=,` and tools remarks before a table
    skip = next((k for k, line in enumerate(lines) if line.strip() and not BEFORE.match(line)), 0)
    separator, header = _table(lines[skip:])
    skip = skip if len(header) > 1 else 0
    names = tuple(header_name(name) for name in header)
    return Head(path, tuple(lines[skip:]), separator, header, names, skip=skip)


def document(path: Path) -> Any:
    """A JSON document, whole."""
    with open_text(path) as text:
        content = text.read(MOST_OF_A_DOCUMENT + 1)
    if len(content) > MOST_OF_A_DOCUMENT:
        raise InputError(
            f"{path}: a JSON document of more than {MOST_OF_A_DOCUMENT} characters, expected JSON lines"
        )
    return load_json(path, None, content)


def load_json(path: Path, row: int | None, text: str) -> Any:
    """One JSON value; a key that stands twice, NaN, deep nesting and half a value are one line of refusal."""
    where = f"{path}, row {row}" if row else f"{path}"
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except RecursionError:
        raise InputError(f"{where}: nested too deeply") from None
    except json.JSONDecodeError as error:
        raise InputError(f"{where}: {text.strip()[:60]!r}, expected JSON ({error.msg})") from None
    except ValueError as error:
        raise InputError(f"{where}: {error}") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise ValueError(f"key {twice[:60]!r} stands twice in one object")
    return found


def _no_constant(word: str) -> None:
    """NaN and Infinity, which Python writes and JSON does not have, are missing."""


def _bounded(path: Path, text: Any) -> Any:
    while line := text.readline(MOST_OF_A_LINE):
        if len(line) == MOST_OF_A_LINE and line.lstrip()[:1] not in ("{", "["):
            raise InputError(f"{path}: a line of more than {MOST_OF_A_LINE} characters")
        yield line


def _json_head(path: Path, lines: tuple[str, ...], first: str) -> Head:
    try:
        found = load_json(path, 1, first)
    except InputError:
        # not one object a line: one document, or not JSON
        return Head(path, lines, json=document(path), whole=True)
    return Head(path, lines, json=found, whole=len([line for line in lines if line.strip()]) == 1)


def _table(lines: list[str]) -> tuple[str, tuple[str, ...]]:
    """The separator of the first line (outside quotes) that cuts the next lines alike, and its cells."""
    first = next(line for line in lines if line.strip())
    best: tuple[int, str, tuple[str, ...]] = (1, ",", (first,))
    for separator in SEPARATORS:
        try:
            cells = next(csv.reader([first], delimiter=separator, skipinitialspace=True))
        except (csv.Error, StopIteration):
            continue
        if len(cells) > best[0]:
            best = (len(cells), separator, tuple(cell.strip() for cell in cells))
    return best[1], best[2]
