"""Writing results: whole files or none, and the same bytes on every run.

Floats are written with six significant digits, so that processors which differ in the last bits of a
float write the same file; logarithms, which are differences and may lie near zero, with six decimals.
"""

import json
import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.core.errors import InputError

SIGNIFICANT_DIGITS = 6
PARQUET_DIGITS = 9
MOST_DECIMALS = 22  # powers of ten up to which are floats without error, so that 3.1 stays 3.1
LOGARITHM = re.compile(r"(^|_)ln(_|$)")  # of a column's name
UMASK = os.umask(0)
os.umask(UMASK)


def write_atomically(path: Path | str, write: Callable[[Path], Any]) -> None:
    """Call `write` on a temporary file beside `path` and move it there only when all went well.

    What a link points to is written, and the link stays; into a device or a pipe the bytes are written as
    they are. The file may be read by whom the umask lets.
    """
    path, temporary = Path(os.path.realpath(path)), None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        device = path.exists() and not (path.is_file() or path.is_dir())
        folder = None if device else path.parent
        descriptor, name = tempfile.mkstemp(dir=folder, prefix=f".{path.name}.", suffix=path.suffix)
        os.close(descriptor)
        temporary = Path(name)
        write(temporary)
        if device:
            path.write_bytes(temporary.read_bytes())
            return
        temporary.chmod(0o666 & ~UMASK)
        temporary.replace(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror or error})") from error
    finally:
        if temporary:
            temporary.unlink(missing_ok=True)


def writable_folder(folder: Path) -> Path:
    """`folder` or the one above it that is there; an InputError, before the work, when it takes no files."""
    there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            return there
    except OSError:
        message = f"{there}: not a folder that can be written, expected one for the results"
        raise InputError(message) from None


def round_significant(value: Any) -> Any:
    """Round every float in a nested structure of dicts and lists to six significant digits."""
    if isinstance(value, dict):
        return {key: round_significant(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [round_significant(item) for item in value]
    if isinstance(value, float):
        return float(f"{value:.{SIGNIFICANT_DIGITS}g}")
    return value


def write_csv(table: pd.DataFrame, path: Path | str) -> None:
    """Write a table without its index; floats with six significant digits; raises InputError for infinity."""
    for column in table.columns[[dtype.kind == "f" for dtype in table.dtypes]]:
        if np.isinf(table[column].to_numpy(float, na_value=np.nan)).any():
            raise InputError(
                f"{path}, column {str(column)!r}: an infinite value, expected a number or a blank"
            )
    logarithms = [name for name in table.columns if LOGARITHM.search(str(name))]
    table = table.round(dict.fromkeys(logarithms, SIGNIFICANT_DIGITS))
    text = table.to_csv(index=False, float_format=f"%.{SIGNIFICANT_DIGITS}g", lineterminator="\n")
    write_text(text, path)


def write_json(data: Any, path: Path | str) -> None:
    """Write a nested structure as indented JSON with sorted keys; raises InputError for NaN and infinity."""
    layout: dict[str, Any] = {"indent": 2, "sort_keys": True, "ensure_ascii": False, "allow_nan": False}
    try:
        text = json.dumps(round_significant(data), **layout)
    except ValueError as error:
        raise InputError(f"{path}: not written, a value is missing or infinite ({error})") from None
    write_text(text + "\n", path)


def write_text(text: str, path: Path | str) -> None:
    """Write UTF-8 text with LF line ends."""
    write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8", newline="\n"))


def write_parquet(table: pd.DataFrame, path: Path | str) -> None:
    """Write a table as Parquet (zstd), without its index; floats with nine significant digits."""
    floats = table.columns[[dtype == np.float64 for dtype in table.dtypes]]
    table = table.assign(**{name: without_noise(table[name].to_numpy()) for name in floats})
    write_atomically(path, lambda temporary: table.to_parquet(temporary, index=False, compression="zstd"))


def without_noise(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rounded to PARQUET_DIGITS significant digits: later ones differ between processors."""
    with np.errstate(divide="ignore", invalid="ignore"):
        decimals = PARQUET_DIGITS - 1 - np.floor(np.log10(np.abs(values)))
    sure = np.abs(decimals) <= MOST_DECIMALS  # also not zero, missing or infinite
    decimals = np.where(sure, decimals, 0)
    up, down = 10.0 ** np.maximum(decimals, 0), 10.0 ** np.maximum(-decimals, 0)
    return np.where(sure, np.round(values / down * up) / up * down, values)


def read_json(path: Path | str) -> Any:
    """Read a JSON file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def write_metrics(name: str, **values: float) -> None:
    """Write a few numbers for `dvc metrics`, whose table has a column for each: four digits, short names."""
    write_json({key: float(f"{value:.4g}") for key, value in values.items()}, f"metrics/{name}.json")
