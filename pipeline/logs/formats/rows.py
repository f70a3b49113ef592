"""Raw rows from tables, JSON lines and lines of text, by the fields that a format declares."""

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pandas as pd

from pipeline.core.errors import InputError
from pipeline.logs.deployment import Deployment
from pipeline.logs.encoding import NOT_UTF8, open_text
from pipeline.logs.formats.declare import Format, Head, Raw, at
from pipeline.logs.formats.files import load_json
from pipeline.logs.values import decimal_comma, header_name, header_unit

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
    """Cells of a table as text, blocks of CHUNK rows; the index is the row of the file, the header being
    1."""
    positions = [head.header.index(name) for name in columns]
    with open_text(head.path) as text:
        for _ in range(head.skip):
            next(text)
        reader = csv.reader(_utf8(head, text), delimiter=head.separator, skipinitialspace=True, strict=True)
        block: list[list[str]] = []
        rows: list[int] = []
        try:
            for cells in reader:
                if not cells or _is_header(cells, head):  # tools that append write the header again
                    continue
                if len(cells) < len(head.header) and next(reader, None) is None:
                    break  # a tool that was ended in the middle of its last line
                if len(cells) != len(head.header):
                    shown = head.separator.join(cells)[:60]
                    expected = f"expected {len(head.header)} values"
                    raise InputError(f"{head.path}, row {reader.line_num + head.skip}: {shown!r}, {expected}")
                block.append([cells[position] for position in positions])
                rows.append(reader.line_num + head.skip)
                if len(block) == CHUNK:
                    yield pd.DataFrame(block, index=pd.Index(rows), columns=pd.Index(columns), dtype="str")
                    block, rows = [], []
        except csv.Error as error:
            raise InputError(f"{head.path}, row {reader.line_num}: not a table ({error})") from None
    if block:
        yield pd.DataFrame(block, index=pd.Index(rows), columns=pd.Index(columns), dtype="str")


def _utf8(head: Head, lines: Iterable[str]) -> Iterator[str]:
    for row, line in enumerate(lines, start=1):
        if not line.isascii() and NOT_UTF8.search(line):
            raise InputError(f"{head.path}, row {row}: {line.strip()[:60]!r}, expected UTF-8 text")
        yield line


def _is_header(cells: list[str], head: Head) -> bool:
    return tuple(cell.strip().removeprefix("\ufeff") for cell in cells) == head.header


def objects(head: Head) -> Iterator[tuple[int, Any]]:
    """The objects of JSON lines, or of a document that is a list, with their rows."""
    if head.whole:
        found = head.json if isinstance(head.json, list) else [head.json]
        yield from enumerate(found, start=1)
        return
    with open_text(head.path) as text:
        for row, line in enumerate(text, start=1):
            if line.strip():
                if NOT_UTF8.search(line):
                    raise InputError(f"{head.path}, row {row}: expected UTF-8 text")
                yield row, load_json(head.path, row, line)


def record_rows(head: Head, of: Format, _: Deployment) -> Iterator[Raw]:
    """Rows of JSON lines: the declared paths only; nothing else of a record is kept."""
    block: list[dict[str, Any]] = []
    for row, record in objects(head):
        if not isinstance(record, dict):
            raise InputError(f"{head.path}, row {row}: {str(record)[:60]!r}, expected one JSON object a line")
        named = {header_name(key): value for key, value in record.items()}
        found = {ours: _first(record | named, paths) for ours, paths in of.fields.items()}
        block.append(found | {"row": row})
        if len(block) == CHUNK:
            yield Raw(pd.DataFrame(block))
            block = []
    if block:
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

    def rows(head: Head, _: Format, __: Deployment) -> Iterator[Raw]:
        block: list[dict[str, Any]] = []
        with open_text(head.path) as text:
            for row, line in enumerate(text, start=1):
                if not line.strip() or line.startswith(remarks):
                    continue
                found = pattern.fullmatch(line.strip())
                if found is None:
                    raise InputError(
                        f"{head.path}, row {row}: {line.strip()[:60]!r}, expected a whole sample"
                    )
                block.append(found.groupdict() | {"row": row})
                if len(block) == CHUNK:
                    yield Raw(pd.DataFrame(block))
                    block = []
        if block:
            yield Raw(pd.DataFrame(block))

    return rows
