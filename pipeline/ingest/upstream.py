"""Opening fetched upstream files: a missing or broken one gives one clear message."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
from pandas.errors import EmptyDataError, ParserError

from pipeline.errors import InputError

HINT = "`make telemetry` fetches it"


def load_json(path: Path) -> Any:
    """Parse a JSON file; raises InputError with the line that is wrong."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; {HINT}") from None
    except json.JSONDecodeError as error:
        raise InputError(f"{path}, line {error.lineno}: not valid JSON ({error.msg})") from None


def load_csv(path: Path, columns: list[str], **options: Any) -> pd.DataFrame:
    """Read a CSV that has at least `columns`; with `header=None` the columns name the fields."""
    if options.get("header", 0) is None:
        options["names"] = columns
    try:
        table = pd.read_csv(path, **options)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; {HINT}") from None
    except (EmptyDataError, ParserError) as error:
        raise InputError(f"{path}: not a table ({str(error).strip()})") from None
    require(path, table, columns)
    return table


def require(path: Path, table: pd.DataFrame, columns: list[str]) -> None:
    """Raise InputError when a column that a reader uses is missing."""
    for column in columns:
        if column not in table.columns:
            raise InputError(f"{path}: column {column!r} is missing, expected {columns}")
