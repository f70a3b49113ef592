"""Raw rows from tables, JSON lines and lines of text, by the fields that a format declares."""

import csv
import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import pandas as pd

from pipeline.core.errors import InputError
from pipeline.logs.cells import decimal_comma, header_name, header_unit
from pipeline.logs.deployment import Deployment
from pipeline.logs.formats.declare import Format, Head, Raw, at
from pipeline.logs.formats.files import load_json, numbered_lines

CHUNK = 200_000
MEASURED = ("watts", "energy")
COUNTED = ("input_tokens", "output_tokens", "cached_input_tokens", "reasoning_tokens")


def table_rows(head: Head, of: Format, _: Deployment) -> Iterator[Raw]:
    """Rows of a delimited table, the declared columns only, a block at a time."""
    chosen = columns_of(head, of)
    comma: bool | None = None
    for table in table_blocks(head, list(chosen.values())):
        found = pd.DataFrame({ours: table[theirs] for ours, theirs in chosen.items()}, table.index)
        numeric = [found[name] for name in (*MEASURED, *COUNTED) if name in found]
        comma = decimal_comma(numeric, head.separator) if comma is None else comma
        units = {name: header_unit(chosen[name]) for name in MEASURED if name in chosen}
        yield Raw(found.assign(row=table.index), units, comma)


def columns_of(head: Head, of: Format) -> dict[str, str]:
    """Our columns and the header of theirs: the first alias that is there."""
    where = dict(zip(reversed(head.names), reversed(head.header), strict=True))
    found = {
        ours: next((where[alias] for alias in aliases if alias in where), None)
        for ours, aliases in of.fields.items()
    }
    return {ours: theirs for ours, theirs in found.items() if theirs is not None}


def table_blocks(head: Head, columns: list[str]) -> Iterator[pd.DataFrame]:
    """Cells of a table as text, blocks of CHUNK rows; the index is the row, the header being 1."""
    positions = [head.header.index(name) for name in columns]
    cells = _cells(head)
    while block := list(islice(cells, CHUNK)):
        found = [[values[position] for position in positions] for _, values in block]
        rows = pd.Index([row for row, _ in block])
        yield pd.DataFrame(found, index=rows, columns=pd.Index(columns), dtype="str")


def _cells(head: Head) -> Iterator[tuple[int, list[str]]]:
    lines = (line for row, line in numbered_lines(head.path) if row > head.skip)
    reader = csv.reader(lines, delimiter=head.separator, skipinitialspace=True, strict=True)
    try:
        for cells in reader:
            row = reader.line_num + head.skip
            if not cells or _is_header(cells, head):  # tools that append write the header again
                continue
            if len(cells) < len(head.header) and next(reader, None) is None:
                return  # a tool that was ended in the middle of its last line
            if len(cells) != len(head.header):
                shown = head.separator.join(cells)[:60]
                raise InputError(f"{head.path}, row {row}: {shown!r}, expected {len(head.header)} values")
            yield row, cells
    except csv.Error as error:
        raise InputError(f"{head.path}, row {reader.line_num + head.skip}: not a table ({error})") from None


def _is_header(cells: list[str], head: Head) -> bool:
    return tuple(cell.strip().removeprefix("\ufeff") for cell in cells) == head.header


def objects(head: Head) -> Iterator[tuple[int, Any]]:
    """The objects of JSON lines, or of a document that is a list, with their rows."""
    if head.whole:
        found = head.json if isinstance(head.json, list) else [head.json]
        yield from enumerate(found, start=1)
        return
    for row, line in numbered_lines(head.path):
        if line.strip():
            yield row, load_json(head.path, row, line)


def record_rows(head: Head, of: Format, _: Deployment) -> Iterator[Raw]:
    """Rows of JSON lines: the declared paths only; nothing else of a record is kept."""

    def rows() -> Iterator[dict[str, Any]]:
        for row, record in objects(head):
            if not isinstance(record, dict):
                shown = str(record)[:60]
                raise InputError(f"{head.path}, row {row}: {shown!r}, expected one JSON object a line")
            named = record | {header_name(key): value for key, value in record.items()}
            yield {ours: _first(named, paths) for ours, paths in of.fields.items()} | {"row": row}

    yield from _blocks(rows())


def _blocks(rows: Iterator[dict[str, Any]]) -> Iterator[Raw]:
    while block := list(islice(rows, CHUNK)):
        yield Raw(pd.DataFrame(block))


def _first(record: dict[str, Any], paths: tuple[str, ...]) -> Any:
    found = next((value for path in paths if (value := at(record, path)) is not None), None)
    # half of a surrogate pair is no text
    return found.encode("utf-8", "replace").decode("utf-8") if isinstance(found, str) else found


def document_rows(
    give: Callable[[Head, Any, Deployment], tuple[list[dict[str, Any]], tuple[str, ...]]],
) -> Callable[[Head, Format, Deployment], Iterator[Raw]]:
    """Rows of a JSON document, from a function that gives them with its notes."""

    def rows(head: Head, _: Format, given: Deployment) -> Iterator[Raw]:
        found, notes = give(head, head.json, given)
        if not found:
            raise InputError(f"{head.path}: holds no rows, expected some")
        table = pd.DataFrame(found)
        yield Raw(table.assign(row=table["row"] if "row" in table else range(1, len(table) + 1)), notes=notes)

    return rows


def line_rows(
    pattern: re.Pattern[str], remarks: str = "\n"
) -> Callable[[Head, Format, Deployment], Iterator[Raw]]:
    """Rows of lines of text that a pattern takes apart, its groups being our columns; not of `remarks`."""

    def samples(head: Head) -> Iterator[dict[str, Any]]:
        for row, line in numbered_lines(head.path):
            if not line.strip() or line.startswith(remarks):
                continue
            found = pattern.fullmatch(line.strip())
            if found is None:
                raise InputError(f"{head.path}, row {row}: {line.strip()[:60]!r}, expected a whole sample")
            yield found.groupdict() | {"row": row}

    return lambda head, _, __: _blocks(samples(head))
