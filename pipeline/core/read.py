"""Read a CSV against its contract; every way it can be wrong gives one message that says where.

Rows are counted as lines of the file, the header being row 1.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pipeline.core.errors import InputError

if TYPE_CHECKING:  # half a second with what it loads, which readers of checked tables need not spend
    import pandera.pandas as pa

BOM = b"\xef\xbb\xbf"


def read_table(path: Path | str, schema: pa.DataFrameSchema) -> pd.DataFrame:
    """A CSV, held to a contract.

    Parameters
    ----------
    path : UTF-8, a header, then one row a line; a blank cell is missing.
    schema : columns with their types and bounds; those it does not require may be left out.

    Returns
    -------
    The schema's columns in its order, with its types.

    Raises
    ------
    InputError
        Naming file, row (the header is 1), column, value and what was expected.

    Examples
    --------
    >>> from pipeline.core.catalogue import find
    >>> table = read_table("data/published/pue.csv", find("pue").contract)
    >>> bool((table["value"] >= 1).all())
    True
    """
    path = Path(path)
    rows = _rows(path, read_text(path))
    _check_columns(path, rows[0], schema)
    _check_lengths(path, rows)
    table = pd.DataFrame(rows[1:], columns=pd.Index(rows[0]), dtype="str")
    table = table.reindex(columns=list(schema.columns)).astype("str").mask(table == "")
    for column in table.columns:
        table[column] = _typed(path, table[column], schema.columns[column])
    return validate(table, schema, path)


def read_checked(path: Path | str) -> pd.DataFrame:
    """A table that a stage or a test holds to its contract, without doing so again: types by its cells."""
    path = Path(path)
    try:
        return pd.read_csv(io.StringIO(read_text(path)), keep_default_na=False, na_values=[""])
    except pd.errors.ParserError as error:
        raise InputError(f"{path}: not valid CSV ({error})") from None


def validate(table: pd.DataFrame, schema: pa.DataFrameSchema, name: Path | str) -> pd.DataFrame:
    """Check a typed table against its schema; the first failure becomes an InputError with row and column."""
    from pandera.errors import SchemaErrors

    from pipeline.core.failures import first_failure

    try:
        return schema.validate(table, lazy=True)
    except SchemaErrors as errors:
        raise first_failure(name, table, schema, errors) from None


def read_text(path: Path) -> str:
    """The text of a UTF-8 file with LF line ends and without byte-order mark; raises InputError."""
    raw = _bytes(path)
    if raw.startswith(BOM):
        raise InputError(f"{path}, row 1: starts with a byte-order mark, expected plain UTF-8")
    return _decoded(path, raw)


def _bytes(path: Path) -> bytes:
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    if not raw.removeprefix(BOM).strip():
        raise InputError(f"{path}: the file is empty, expected a header and rows")
    return raw


def _decoded(path: Path, raw: bytes) -> str:
    if b"\r" in raw:
        row = raw[: raw.index(b"\r")].count(b"\n") + 1
        raise InputError(f"{path}, row {row}: ends with a carriage return (CRLF), expected LF line ends")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        row = raw[: error.start].count(b"\n") + 1
        raise InputError(f"{path}, row {row}: byte {raw[error.start]:#04x} is not UTF-8") from None


def _rows(path: Path, text: str) -> list[list[str]]:
    reader = csv.reader(io.StringIO(text), strict=True)
    rows: list[list[str]] = []
    try:
        for row in reader:
            rows.append(row)
            if reader.line_num != len(rows):
                raise InputError(
                    f"{path}, row {len(rows)}: a line break inside a value, or a quote left open"
                )
    except csv.Error as error:
        raise InputError(f"{path}, row {reader.line_num}: not valid CSV ({error})") from None
    if len(rows) < 2:
        raise InputError(f"{path}: a header without rows, expected at least one row")
    return rows


def _check_lengths(path: Path, rows: list[list[str]]) -> None:
    for number, row in enumerate(rows, start=1):
        if len(row) != len(rows[0]):
            problem = f"has {len(row)} values" if row else "is blank"
            raise InputError(f"{path}, row {number}: {problem}, expected {len(rows[0])} values")


def _check_columns(path: Path, found: list[str], schema: pa.DataFrameSchema) -> None:
    expected = list(schema.columns)
    for column, contract in schema.columns.items():
        if contract.required and column not in found:
            raise InputError(f"{path}, row 1: column {column!r} is missing, expected {', '.join(expected)}")
    for position, column in enumerate(found):
        if column not in expected:
            raise InputError(f"{path}, row 1: unknown column {column!r}, expected {', '.join(expected)}")
        if column in found[:position]:
            raise InputError(f"{path}, row 1: column {column!r} stands twice, expected {', '.join(expected)}")
        if schema.ordered and column != expected[position]:
            raise InputError(
                f"{path}, row 1: column {column!r} stands where {expected[position]!r} is expected"
            )


def _typed(path: Path, values: pd.Series, column: pa.Column) -> pd.Series:
    """Numbers from text, for columns whose contract asks for numbers; blanks stay missing."""
    kind = str(column.dtype)
    whole = kind.lower().startswith("int")
    if not whole and not kind.lower().startswith("float"):
        return values
    numbers = pd.to_numeric(values, errors="coerce").astype("float64")
    wrong = values.notna() & ~np.isfinite(numbers)
    if whole:
        wrong |= numbers.notna() & (numbers % 1 != 0)
    if wrong.any():
        at = int(wrong.to_numpy().argmax())
        expected = "a whole number" if whole else "a number"
        raise InputError.at(path, row=at + 2, column=str(values.name), value=values[at], expected=expected)
    if kind.startswith("int") and numbers.notna().all():
        return numbers.astype("int64")
    return numbers.astype("Int64") if whole else numbers
