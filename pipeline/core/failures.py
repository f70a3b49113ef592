"""The first failure that pandera found in a table, as one error in plain words."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaError, SchemaErrors

from pipeline.core.errors import InputError

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


def first_failure(
    name: Path | str, table: pd.DataFrame, schema: pa.DataFrameSchema, errors: SchemaErrors
) -> InputError:
    """The failure nearest to the top of the table; failures without a row (a missing column) come first."""
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
