"""A table that somebody wrote with a tool of theirs: CSV, spreadsheets, Parquet, JSON lines.

What a file is shows in its first bytes, not in its name. Tools separate values by commas, semicolons, tabs or
bars, end lines with CRLF, write a byte-order mark, leave blank lines and columns at the end; none of these
changes a value, so all are read. A file that is no table is named for what it is.
"""

import csv
import faulthandler
import io
import json
import os
import sys
import zipfile
from collections.abc import Iterable
from concurrent.futures import BrokenExecutor
from datetime import date, time
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.core.errors import InputError
from pipeline.core.processes import pool

READ = "CSV, a spreadsheet (xlsx, xls, ods), Parquet or JSON lines"
SEPARATORS = ",;\t|"
MOST_BYTES = 1 << 30  # for the cells of a spreadsheet
DECIMAL = "decimal"  # attribute of the table: the sign of its decimals; "," only where it separates no values
NOTES = "notes"  # attribute of the table: what was not read
ROWS = "row"  # name of the index
ZIP, OLE, PARQUET = b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"PAR1"
SPREADSHEETS = ("xl/workbook.xml", "xl/workbook.bin", "content.xml")  # a file inside of xlsx, xlsb, ods
# What may be given by mistake, by its first bytes.
OTHERS = {
    b"\x1f\x8b": "a gzip file",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ": "an xz file",
    b"\x28\xb5\x2f\xfd": "a Zstandard file",
    b"7z\xbc\xaf": "a 7z archive",
    b"%PDF": "a PDF",
    b"ARROW1": "an Arrow file",
    b"SQLite format 3": "an SQLite database",
    b"\x89HDF": "an HDF5 file",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"\x80\x04": "a Python pickle",
    b"\x80\x05": "a Python pickle",
}
MARKUP = {"<!doctype html": "a web page", "<html": "a web page", "<?xml": "XML"}
ENCODINGS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def read_user_table(path: Path | str) -> pd.DataFrame:
    """The cells of a table that a person has, as they stand.

    Parameters
    ----------
    path : CSV with any separator, JSON lines, Parquet or a spreadsheet.

    Returns
    -------
    Text of text files, values of others; blanks are missing. The index says where a row stands: its line in
    a text file (the header of a CSV is 1), its row in a spreadsheet, its number in Parquet. Attributes:
    DECIMAL, NOTES.

    Raises
    ------
    InputError
        The file cannot be read as one table.

    Examples
    --------
    >>> table = read_user_table("data/examples/configurations.csv")
    >>> int(table.index[0]), table.attrs["decimal"]
    (2, '.')
    """
    path = Path(path)
    raw = _bytes(path)
    for start, kind in OTHERS.items():
        if raw.startswith(start):
            raise InputError(f"{path}: {kind}, expected {READ}")
    if raw.startswith(PARQUET):
        table = _parquet(path)
    elif raw.startswith((ZIP, OLE)):
        table = _spreadsheet(path, raw)
    else:
        table = _text(path, raw)
    return _without_blank_ends(path, table)


def _bytes(path: Path) -> bytes:
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise InputError(f"{path}: a folder, expected {READ}") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    if not raw.strip(b"\xef\xbb\xbf \t\r\n"):
        raise InputError(f"{path}: the file is empty, expected a header and rows")
    return raw


def _table(columns: Iterable[Any], rows: Iterable[Any], numbers: Iterable[int]) -> pd.DataFrame:
    table = pd.DataFrame(list(rows), columns=pd.Index(list(columns), dtype=object), dtype=object)
    table.index = pd.Index(list(numbers), name=ROWS)
    table.attrs.update({DECIMAL: ".", NOTES: []})
    return table.where(table.notna() & (table != ""), None)


def _parquet(path: Path) -> pd.DataFrame:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        columns = pq.read_table(path).to_pydict()
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        raise InputError(f"{path}: not a whole Parquet file ({_short(error)})") from None
    count = len(next(iter(columns.values()), []))
    plain = [[_plain(value) for value in values] for values in columns.values()]
    return _table(columns, zip(*plain, strict=True), range(1, count + 1))


def _spreadsheet(path: Path, raw: bytes) -> pd.DataFrame:
    """The first sheet with anything in it; the header is its first row that is not blank."""
    if raw.startswith(ZIP):
        try:
            inside = zipfile.ZipFile(io.BytesIO(raw)).namelist()
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
            raise InputError(f"{path}: not a whole spreadsheet or archive ({_short(error)})") from None
        if not any(name in inside for name in SPREADSHEETS):
            raise InputError(f"{path}: a zip archive, expected {READ}")
    try:
        with pool(1) as other:
            sheets: dict[str, list[list[Any]]] | str = other.submit(_sheets, str(path)).result()
    except (BrokenExecutor, MemoryError):
        sheets = "more than fits into memory: is there a cell far from the others?"
    if isinstance(sheets, str):
        raise InputError(f"{path}: not a spreadsheet that can be read ({sheets})")
    filled = {name: rows for name, rows in sheets.items() if any(map(_filled, rows))}
    if not filled:
        raise InputError(f"{path}: the sheets are empty, expected a header and rows")
    first, *others = filled
    numbered = [(at, row) for at, row in enumerate(filled[first], start=1) if _filled(row)]
    header = [str(_plain(cell) or "") for cell in numbered[0][1]]
    cells = [[_plain(cell) for cell in row] for _, row in numbered[1:]]
    table = _table(header, cells, (at for at, _ in numbered[1:]))
    table.attrs[NOTES] = [f"sheet {first!r} is read, not {', '.join(map(repr, others))}"] if others else []
    return table


def _sheets(path: str) -> dict[str, list[list[Any]]] | str:
    """The cells of every sheet, or what is wrong. In a process of its own, silent and with bounded memory.

    The reader takes room for every cell up to the last one, and ends its process where there is none.
    """
    from python_calamine import CalamineWorkbook

    faulthandler.disable()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    if sys.platform == "linux":
        import resource

        used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + MOST_BYTES, resource.RLIM_INFINITY))
    try:
        book = CalamineWorkbook.from_path(path)
        return {
            name: book.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in book.sheet_names
        }
    except MemoryError:
        raise
    except BaseException as error:  # a panic of the reader is no Exception
        return _short(error)


def _filled(row: list[Any]) -> bool:
    return any(cell not in ("", None) for cell in row)


def _plain(value: Any) -> Any:
    """A cell as text or number: dates as people write them, whole floats of spreadsheets stay numbers."""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, date | time):
        return value.isoformat()
    return value if value is None or isinstance(value, str | int | float) else str(value)


def _text(path: Path, raw: bytes) -> pd.DataFrame:
    encoding = next((name for mark, name in ENCODINGS.items() if raw.startswith(mark)), "utf-8")
    try:
        text = raw.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        row = raw[: error.start].count(b"\n") + 1
        raise InputError(
            f"{path}, row {row}: byte {raw[error.start]:#04x} is not {encoding.upper()}"
        ) from None
    if "\0" in text:
        raise InputError(f"{path}: a binary file, expected {READ}")
    start = text.lstrip()[:20].lower()
    for mark, kind in MARKUP.items():
        if start.startswith(mark):
            raise InputError(f"{path}: {kind}, expected {READ}")
    return _json(path, text) if start.startswith(("{", "[")) else _csv(path, text)


def _json(path: Path, text: str) -> pd.DataFrame:
    """One object a line, or one list of objects, whose rows are counted from 1."""
    if text.lstrip().startswith("["):
        objects = list(enumerate(_parsed(path, 1, text), start=1))
    else:
        lines = [(at, line) for at, line in enumerate(text.split("\n"), start=1) if line.strip()]
        objects = [(at, _parsed(path, at, line)) for at, line in lines]
    for at, one in objects:
        if not isinstance(one, dict) or any(isinstance(cell, dict | list) for cell in one.values()):
            raise InputError(
                f"{path}, row {at}: {_short(one)!r}, expected an object with a value for each key"
            )
    columns = list(dict.fromkeys(key for _, one in objects for key in one))
    rows = [[_plain(one.get(key)) for key in columns] for _, one in objects]
    return _table(columns, rows, (at for at, _ in objects))


def _parsed(path: Path, row: int, text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        line = row + error.lineno - 1
        raise InputError(f"{path}, row {line}: not JSON ({error.msg}), expected one object a line") from None
    except (RecursionError, ValueError) as error:
        raise InputError(f"{path}, row {row}: not JSON that can be read ({_short(error)})") from None


def _csv(path: Path, text: str) -> pd.DataFrame:
    first = 2 if text.lower().startswith("sep=") else 1  # a line that Excel writes and reads
    lines = text.split("\n")[first - 1 :]
    while not lines[-1].strip(" \t,;|"):
        lines.pop()
    mark = max(SEPARATORS, key=_unquoted(lines[0]).count)
    reader = csv.reader(io.StringIO("\n".join(lines)), delimiter=mark, strict=True, skipinitialspace=True)
    rows: list[list[str]] = []
    try:
        for row in reader:
            rows.append(row)
            if reader.line_num != len(rows):
                where = f"{path}, row {len(rows) + first - 1}"
                raise InputError(f"{where}: a line break inside a value, or a quote left open")
            if len(row) != len(rows[0]):
                found = f"has {len(row)} values" if row else "is blank"
                raise InputError(
                    f"{path}, row {len(rows) + first - 1}: {found}, expected {len(rows[0])} values"
                )
    except csv.Error as error:
        raise InputError(f"{path}, row {len(rows) + first}: not valid CSV ({error})") from None
    table = _table(rows[0], rows[1:], range(first + 1, len(rows) + first))
    table.attrs[DECIMAL] = "." if mark == "," else ","
    return table


def _unquoted(line: str) -> str:
    return "".join(line.split('"')[::2])


def _without_blank_ends(path: Path, table: pd.DataFrame) -> pd.DataFrame:
    """Without columns that have neither name nor value; raises InputError for a header or rows that lack."""
    names = [str(name).strip() for name in table.columns]
    kept = [bool(name) or bool(table.iloc[:, at].notna().any()) for at, name in enumerate(names)]
    table = table.loc[:, kept]
    table.columns = pd.Index([name for name, keep in zip(names, kept, strict=True) if keep])
    for position, name in enumerate(table.columns):
        if not name:
            raise InputError(f"{path}, row 1: column {position + 1} has no name")
        if name in table.columns[:position]:
            raise InputError(f"{path}, row 1: column {name!r} stands twice")
    if table.empty:
        raise InputError(f"{path}: a header without rows, expected at least one row")
    return table


def _short(found: object) -> str:
    return str(found).splitlines()[0][:80] if str(found) else type(found).__name__
