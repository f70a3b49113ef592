"""Read a CSV against its contract; every way it can be wrong gives one message that says where.

Rows are counted as lines of the file, the header being row 1.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Hashable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pipeline.core.errors import InputError

if TYPE_CHECKING:  # half a second with what it loads, which readers of checked tables need not spend
    import pandera.pandas as pa
    from pandera.errors import SchemaError, SchemaErrors

BOM = b"\xef\xbb\xbf"
PLAIN_WORDS = {
    "greater_than": "more than {min_value}",
    "greater_than_or_equal_to": "at least {min_value}",
    "less_than": "less than {max_value}",
    "less_than_or_equal_to": "at most {max_value}",
    "in_range": "between {min_value} and {max_value}",
    "isin": "one of {allowed_values}",
    "str_matches": "text that matches {pattern}",
}
UNIQUENESS = ("field_uniqueness", "multiple_fields_uniqueness")


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

    try:
        return schema.validate(table, lazy=True)
    except SchemaErrors as errors:
        raise _first_failure(name, table, schema, errors) from None


def rows_where(data: pd.DataFrame, **wanted: Any) -> pd.DataFrame:
    """The rows with these values, columns by name; raises KeyError when there is none."""
    rows = data[(data[[*wanted]] == pd.Series(wanted)).all(axis=1)]
    if rows.empty:
        raise KeyError(f"no row with {wanted}")
    return rows


def row_where(data: pd.DataFrame, **wanted: Any) -> pd.Series:
    """The one row with these values; raises KeyError when there is none or more than one."""
    rows = rows_where(data, **wanted)
    if len(rows) != 1:
        raise KeyError(f"{len(rows)} rows with {wanted}, expected one")
    return rows.iloc[0]


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


def _first_failure(
    name: Path | str, table: pd.DataFrame, schema: pa.DataFrameSchema, errors: SchemaErrors
) -> InputError:
    """The failure nearest to the top, in plain words; those without a row (a missing column) come first."""
    position = {label: number for number, label in enumerate(table.index)}
    located = [(_row(error, position), number, error) for number, error in enumerate(errors.schema_errors)]
    row, _, error = min(located, key=lambda item: (-1 if item[0] is None else item[0], item[1]))
    if row is None:
        return _without_row(name, error)
    line = row + 2  # the header is row 1
    if _check_name(error) in UNIQUENESS:
        columns = list(schema.unique or []) if error.schema.name is None else [error.schema.name]
        return _repeated(name, table, columns, line)
    column = _column(error)
    value = table[column].iloc[row] if column in table else _plain(error.failure_cases)
    if _check_name(error) == "not_nullable":
        return InputError.at(name, row=line, column=column, value="", expected="a value, not a blank")
    return InputError.at(name, row=line, column=column, value=_plain(value), expected=_expected(error))


def _check_name(error: SchemaError) -> str:
    return str(getattr(error.check, "name", error.check))


def _row(error: SchemaError, position: dict[Hashable, int]) -> int | None:
    """Position of the first failing row; of the second one where a value stands twice."""
    cases = error.failure_cases
    if not isinstance(cases, pd.DataFrame) or "index" not in cases or cases["index"].isna().any():
        return None
    rows = sorted({position[label] for label in cases["index"]})
    return rows[1] if _check_name(error) in UNIQUENESS and len(rows) > 1 else rows[0]


def _column(error: SchemaError) -> str:
    """The column of the check; a check over whole rows points at the column that it is named after."""
    return str(error.schema.name if error.schema.name is not None else _check_name(error))


def _expected(error: SchemaError) -> str:
    name = _check_name(error)
    statistics: dict[str, Any] = getattr(error.check, "statistics", None) or {}
    stated = str(getattr(error.check, "error", None) or name)
    if name in PLAIN_WORDS and stated.startswith(f"{name}("):  # no words of its own
        words = {
            key: ", ".join(map(repr, item)) if isinstance(item, list | tuple) else item
            for key, item in statistics.items()
        }
        return PLAIN_WORDS[name].format(**words)
    return stated


def _repeated(name: Path | str, table: pd.DataFrame, columns: list[str], line: int) -> InputError:
    values = table[columns]
    same = (values == values.iloc[line - 2]) | (values.isna() & values.iloc[line - 2].isna())
    first = int(same.all(axis="columns").to_numpy().argmax()) + 2
    found = [_plain(value) for value in values.iloc[line - 2]]
    expected = f"values that stand once; row {first} has the same"
    value = found[0] if len(found) == 1 else found
    return InputError.at(name, row=line, column=", ".join(columns), value=value, expected=expected)


def _without_row(name: Path | str, error: SchemaError) -> InputError:
    column = error.schema.name
    where = f"{name}, column {column!r}" if column else f"{name}"
    return InputError(f"{where}: {str(error).splitlines()[0]}")


def _plain(value: Any) -> Any:
    """The value as a person would write it: no NumPy type, a blank for a missing value."""
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return ""
    return value.item() if hasattr(value, "item") else value
