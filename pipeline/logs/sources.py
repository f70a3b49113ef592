"""The files of one log: their format, whether they are whole, and where in them a value stands.

A source is a file, a folder of files of one format, or an address with `://` that only the engine can
reach. In a folder, names that start with `.` or `_` are marks of other programs (`_SUCCESS`) and no part of
the log.
"""

import csv
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.core.errors import InputError
from pipeline.logs.cells import header_name
from pipeline.logs.contract import LogColumn
from pipeline.logs.formats.declare import POWER_FIELDS, REQUEST_FIELDS
from pipeline.logs.formats.files import BLOCK, NOT_UTF8, is_utf8, open_bytes, open_text, refuse_other_starts

Format = Literal["parquet", "csv", "jsonl"]
LONGEST_LINE = 1_000_000  # characters; the limit of the csv module is whoever sets it
SUFFIXES: dict[str, Format] = {
    ".parquet": "parquet", ".csv": "csv", ".csv.gz": "csv", ".jsonl": "jsonl", ".jsonl.gz": "jsonl",
    ".ndjson": "jsonl", ".ndjson.gz": "jsonl",
}  # fmt: skip
SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}
MARKS = (".", "_")
NEAR = 0.85  # similarity of names, of 1, from which a column counts as misspelt
KEYED_LINES = 1000  # lines of JSON whose keys are the columns


@dataclass(frozen=True)
class Source:
    """One log: its files (none when only the engine reaches it), their format, the columns of a text log."""

    name: str
    format: Format
    files: tuple[Path, ...]
    columns: tuple[str, ...]
    of_runs: bool = False  # has whole runs, not single requests or readings
    turned: bool = False  # the files are ours, written from those of `name`
    renamed: dict[str, str] = field(default_factory=dict)  # ours -> theirs, columns by another usual name

    @property
    def is_text(self) -> bool:
        """CSV and JSON lines hold text; Parquet has types."""
        return self.format != "parquet"


def open_source(name: str, contract: dict[str, LogColumn]) -> Source:
    """Check that the files of a log are there, whole, and have the contract's columns; raises InputError."""
    if "://" in name:
        return Source(name, _format(name.rstrip("/")), (), tuple(contract))
    path = Path(name)
    if not path.exists():
        raise InputError(f"{path}: no such file")
    return open_files(name, _files_of(path) if path.is_dir() else (path,), contract)


def open_files(name: str, files: tuple[Path, ...], contract: dict[str, LogColumn]) -> Source:
    """The same for files that are known to be there; `name` is what messages call the log."""
    formats = {_format(str(file)) for file in files}
    if len(formats) > 1:
        raise InputError(f"{name}: files of several formats ({', '.join(sorted(formats))}), expected one")
    try:
        headers = {_checked_header(file, contract) for file in files}
    except OSError as error:
        raise InputError(f"{error.filename}: cannot be read ({error.strerror})") from None
    if len(headers) > 1:
        raise InputError(f"{name}: files with different columns, expected the same in all")
    if formats == {"parquet"}:
        _refuse_mixed_kinds(files)
    columns = headers.pop()
    source = Source(name, formats.pop(), files, columns, renamed=_renamed(files[0], columns, contract))
    # no engine looks: Spark puts a sign in its place, DuckDB passes over columns that it does not need
    if source.is_text and not all(map(is_utf8, files)) and (found := malformed(source)):
        raise found
    return source


def _renamed(file: Path, columns: tuple[str, ...], contract: dict[str, LogColumn]) -> dict[str, str]:
    """Columns of the contract that stand under another usual name, and that name."""
    theirs = {header_name(column): column for column in reversed(columns) if column not in contract}
    names = POWER_FIELDS if "watts" in contract else REQUEST_FIELDS
    found = {}
    for ours in set(contract) - set(columns):
        if there := [theirs[name] for name in names.get(ours, ()) if name in theirs]:
            found[ours] = there[0]
    # a card's number in the column of its name
    if "watts" in contract and "gpu" in columns and not {"device", *found} & {"device"}:
        first = next((cells.get("gpu") for _, cells in _rows(file)), None)
        if str(first).isdigit():
            found["device"] = "gpu"
    return found


def locate(source: Source, column: str, value: object) -> tuple[str, int | None]:
    """The file and row (line; the header of a CSV is 1) of the first cell of `column` that holds `value`."""
    theirs = source.renamed.get(column, column)
    for file in () if source.turned else source.files:
        for row, cells in _rows(file):
            if cells.get(theirs) == value:
                return str(file), row
    return source.name, None


def malformed(source: Source) -> InputError | None:
    """The first row of a text log that cannot be taken apart into its columns, if there is one."""
    for file in source.files if source.is_text else ():
        with open_text(file) as lines:
            for row, line in enumerate(lines, start=1):
                expected = _line_problem(source, line)
                if expected:
                    return InputError(f"{file}, row {row}: {line.strip()[:60]!r}, expected {expected}")
    return None


def _line_problem(source: Source, line: str) -> str | None:
    if NOT_UTF8.search(line):
        return "UTF-8 text"
    if len(line) > LONGEST_LINE:
        return f"at most {LONGEST_LINE:,} characters a line"
    if source.format == "csv":
        try:
            fields = len(next(csv.reader([line]), []))
        except csv.Error as error:
            return f"{len(source.columns)} fields, found none ({error})"
        return None if fields == len(source.columns) else f"{len(source.columns)} fields, found {fields}"
    try:
        return None if isinstance(json.loads(line), dict) else "one JSON object a line"
    except json.JSONDecodeError:
        return "one JSON object a line"


def _files_of(folder: Path) -> tuple[Path, ...]:
    """All files of the folder; nothing in it is passed over, so what is no file is refused."""
    entries = tuple(entry for entry in sorted(folder.iterdir()) if not entry.name.startswith(MARKS))
    for entry in entries:
        if not entry.is_file():
            raise InputError(f"{entry}: not a file, expected only files in the folder of a log")
    if not entries:
        raise InputError(f"{folder}: the folder holds no log, expected {', '.join(SUFFIXES)}")
    return entries


def _format(name: str) -> Format:
    for suffix, found in SUFFIXES.items():
        if name.endswith(suffix):
            return found
    raise InputError(f"{name}: unknown kind of file, expected {', '.join(SUFFIXES)}")


def _checked_header(file: Path, contract: dict[str, LogColumn]) -> tuple[str, ...]:
    if file.stat().st_size == 0:
        raise InputError(f"{file}: the file is empty")
    kind = _format(str(file))
    columns = _parquet_header(file) if kind == "parquet" else _text_header(file, kind)
    separator = next((name for sign, name in SEPARATORS.items() if sign in columns[0]), None)
    if kind == "csv" and len(columns) == 1 and separator:
        raise InputError(f"{file}, row 1: {columns[0]!r} is separated by {separator}, expected commas")
    renamed = _renamed(file, columns, contract)
    for column in set(columns) - set(renamed.values()):
        near = get_close_matches(column.strip().lower(), list(contract), n=1, cutoff=NEAR)
        if column not in contract and near:
            expected = f"expected {near[0]!r} or another name (columns of your own are passed over)"
            raise InputError(f"{file}, row 1: unknown column {column!r}, {expected}")
    known = {*columns, *renamed}
    for column, wanted in contract.items():
        if wanted.required and column not in known:
            needed = ", ".join(name for name, one in contract.items() if one.required)
            raise InputError(f"{file}, row 1: column {column!r} is missing, expected {needed}")
    if len(set(columns)) < len(columns):
        raise InputError(f"{file}, row 1: a column stands twice in {list(columns)}")
    return columns


def _parquet_header(file: Path) -> tuple[str, ...]:
    try:
        metadata = pq.ParquetFile(file)
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(f"{file}: not a whole Parquet file ({str(error).splitlines()[0]})") from None
    if metadata.metadata.num_rows == 0:
        raise InputError(f"{file}: a header without rows, expected at least one row")
    return tuple(metadata.schema_arrow.names)


def _refuse_mixed_kinds(files: tuple[Path, ...]) -> None:
    """Refuse Parquet parts that differ in what a column holds: the engine would cast to the first part's."""
    first = pq.read_schema(files[0])
    for file in files[1:]:
        for column in pq.read_schema(file):
            found, expected = _kind(column.type), _kind(first.field(column.name).type)
            if found != expected:
                raise InputError(
                    f"{file}, column {column.name!r}: {found}, expected {expected} as in {files[0].name}"
                )


def _kind(of: pa.DataType) -> str:
    if pa.types.is_timestamp(of):
        return "times with a zone" if of.tz else "times without a zone"
    if pa.types.is_integer(of):
        return "whole numbers"
    return "numbers" if pa.types.is_floating(of) or pa.types.is_decimal(of) else "text"


def _text_header(file: Path, kind: Format) -> tuple[str, ...]:
    """Columns of a text log; also that its last line is whole, which needs all of a compressed file."""
    refuse_other_starts(file, may_have_mark=kind == "csv")
    last, lines = _last_byte_and_lines(file)
    if not last:
        raise InputError(f"{file}: the file is empty")
    if last != b"\n":
        raise InputError(f"{file}: the last line does not end in a line feed, so it may be half-written")
    if lines < (2 if kind == "csv" else 1):
        raise InputError(f"{file}: a header without rows, expected at least one row")
    with open_text(file) as text:
        first = list(islice(text, KEYED_LINES if kind == "jsonl" else 1))
    if kind == "csv":
        if NOT_UTF8.search(first[0]):
            raise InputError(f"{file}, row 1: {first[0].strip()[:60]!r}, expected UTF-8 text")
        return tuple(next(csv.reader(first), []))
    keys: dict[str, None] = {}
    for row, line in enumerate(first, start=1):
        try:
            keys |= dict.fromkeys(json.loads(line))
        except (json.JSONDecodeError, TypeError):
            shown = line.strip()[:60]
            raise InputError(f"{file}, row {row}: {shown!r}, expected one JSON object a line") from None
    return tuple(keys)


def _last_byte_and_lines(file: Path) -> tuple[bytes, int]:
    """The last byte, and the number of lines (counted up to 2)."""
    lines, last = 0, b""
    if file.suffix != ".gz":
        with file.open("rb") as plain:
            plain.seek(-1, 2)
            last = plain.read(1)
            plain.seek(0)
            # no line of a log is as long as a block, and a file without line feeds may not fit the memory
            while lines < 2 and (line := plain.readline(BLOCK)):
                lines += line.endswith(b"\n")
            return last, lines
    try:
        with open_bytes(file) as packed:
            while block := packed.read(BLOCK):
                lines, last = min(2, lines + block.count(b"\n")), block[-1:]
    except (EOFError, gzip.BadGzipFile, OSError) as error:
        raise InputError(f"{file}: not a whole gzip file ({error})") from None
    return last, lines


def _rows(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    kind = _format(str(file))
    if kind == "parquet":
        row = 0
        for batch in pq.ParquetFile(file).iter_batches():
            for cells in batch.to_pylist():
                row += 1
                yield row, cells
        return
    with open_text(file) as text:
        if kind == "csv":
            for row, cells in enumerate(csv.DictReader(text), start=2):
                yield row, cells
            return
        for row, line in enumerate(text, start=1):
            # the engine reads every JSON value as text, so a value is looked for as text
            yield (
                row, {key: item if isinstance(item, str) else json.dumps(item) for key,
                item in json.loads(line).items()},
            )  # fmt: skip
