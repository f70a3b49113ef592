"""Read a CSV against its contract; every way it can be wrong gives one message that says where.

Rows are counted as lines of the file, the header being row 1.
"""

import csv
import io
from pathlib import Path

import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors

from pipeline.errors import InputError

BOM = b"\xef\xbb\xbf"


def read_table(path: Path | str, schema: pa.DataFrameSchema) -> pd.DataFrame:
    """Read `path`, check it against `schema`, return it with the schema's types; raises InputError."""
    path = Path(path)
    rows = _rows(path, _text(path))
    table = pd.DataFrame(rows[1:], columns=pd.Index(rows[0]), dtype="str")
    _check_columns(path, table, schema)
    table = table.mask(table == "")
    for column in table.columns:
        table[column] = _typed(path, table[column], schema.columns[column])
    return validate(table, schema, path)


def validate(table: pd.DataFrame, schema: pa.DataFrameSchema, name: Path | str) -> pd.DataFrame:
    """Check a typed table against its schema; the first failure becomes an InputError with row and column."""
    try:
        return schema.validate(table, lazy=True)
    except SchemaErrors as errors:
        raise _first_failure(name, table, schema, errors) from None


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    if not raw.strip():
        raise InputError(f"{path}: the file is empty, expected a header and rows")
    if raw.startswith(BOM):
        raise InputError(f"{path}, row 1: starts with a byte-order mark, expected plain UTF-8")
    if b"\r" in raw:
        row = raw[: raw.index(b"\r")].count(b"\n") + 1
        raise InputError(f"{path}, row {row}: ends with a carriage return (CRLF), expected LF line ends")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        row = raw[: error.start].count(b"\n") + 1
        raise InputError(f"{path}, row {row}: byte {raw[error.start]:#04x} is not UTF-8") from None


def _rows(path: Path, text: str) -> list[list[str]]:
    rows = list(csv.reader(io.StringIO(text), strict=True))
    for number, row in enumerate(rows, start=1):
        if len(row) != len(rows[0]):
            raise InputError(f"{path}, row {number}: {len(row)} fields, expected {len(rows[0])}")
    if len(rows) < 2:
        raise InputError(f"{path}: a header without rows, expected at least one row")
    return rows


def _check_columns(path: Path, table: pd.DataFrame, schema: pa.DataFrameSchema) -> None:
    for column in schema.columns:
        if column not in table.columns:
            raise InputError(f"{path}, row 1: column {column!r} is missing, expected {list(schema.columns)}")
    for column in table.columns:
        if column not in schema.columns:
            raise InputError(f"{path}, row 1: unknown column {column!r}, expected {list(schema.columns)}")
    twice = table.columns[table.columns.duplicated()]
    if len(twice):
        raise InputError(f"{path}, row 1: column {twice[0]!r} stands twice")


def _typed(path: Path, values: pd.Series, column: pa.Column) -> pd.Series:
    """Numbers from text, for columns whose contract asks for numbers; blanks stay missing."""
    kind = str(column.dtype)
    if not kind.lower().startswith(("float", "int")):
        return values
    numbers = pd.to_numeric(values, errors="coerce")
    wrong = numbers.isna() & values.notna()
    if kind.lower().startswith("int"):
        wrong |= numbers.notna() & (numbers % 1 != 0)
    if wrong.any():
        at = int(wrong.to_numpy().argmax())
        expected = f"a {'whole ' if kind.lower().startswith('int') else ''}number"
        raise InputError.at(path, row=at + 2, column=str(values.name), value=values[at], expected=expected)
    if kind.startswith("int") and numbers.notna().all():
        return numbers.astype("int64")
    return numbers.astype("Int64" if kind.startswith("Int") else "float64")


def _first_failure(
    name: Path | str, table: pd.DataFrame, schema: pa.DataFrameSchema, errors: SchemaErrors
) -> InputError:
    cases = errors.failure_cases
    case = cases.sort_values("index", kind="stable").iloc[0]
    row = None if pd.isna(case["index"]) else list(table.index).index(case["index"]) + 2
    column = str(case["column"])
    if case["check"] in ("field_uniqueness", "multiple_fields_uniqueness"):
        expected = f"a value that stands once ({', '.join(schema.unique or [column])})"
    elif case["check"] == "not_nullable":
        expected = "a value, found a blank"
    else:
        expected = f"{case['check']}"
    return InputError.at(name, row=row, column=column, value=case["failure_case"], expected=expected)
