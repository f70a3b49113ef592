"""Tables by name: `read("lever_systems")` knows where the table lies, its contract and who writes it.

A table is declared once, in `TABLES` of its topic's contract module, under the name of its file; where files
of several folders have one name, the folder stands before it: `published/claims`, `results/claims`. Contract
modules are found by their file name (`pipeline/<topic>/model/contract*.py`) and imported when one of their
tables is asked for, so that a stage pays for the contracts that it uses.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from pipeline.core.errors import InputError
from pipeline.core.files import write_csv, write_parquet
from pipeline.core.read import read_table, validate

if TYPE_CHECKING:  # who asks for a checked table needs it, and not who reads one
    import pandera.pandas as pa

PACKAGE = Path(__file__).parents[1]
RESULTS = "data/results"
TELEMETRY = "data/telemetry"


@dataclass(frozen=True)
class Table:
    """A table that the pipeline keeps.

    Attributes
    ----------
    contract : columns, types, units and ranges.
    writer : the stage of dvc.yaml that writes it; blank for tables kept by hand.
    folder : where it lies; tables of git under data/, what a stage leaves for the next under build/.
    suffix : .csv, or .parquet for what is not read by people.
    origin : folder of the hand-kept CSV of which this is the checked copy; blank for others.
    """

    contract: pa.DataFrameSchema
    writer: str
    folder: str = RESULTS
    suffix: str = ".csv"
    origin: str = ""


def transcribed(contracts: Mapping[str, pa.DataFrameSchema], group: str = "") -> dict[str, Table]:
    """Hand-kept tables of data/published: `inputs` checks them and leaves typed copies in build/published.

    Those of a `group` are always read together: they lie in a folder, which a stage depends on.
    """
    folder = f"build/published/{group}".rstrip("/")
    return {
        name: Table(contract, "inputs", folder, ".parquet", origin="data/published")
        for name, contract in contracts.items()
    }


def read(name: str) -> pd.DataFrame:
    """A table of the pipeline, from wherever the stage that writes it puts it.

    Parameters
    ----------
    name : as a contract declares it (`TABLES` of pipeline/*/model/contract.py and pipeline/ingest).

    Returns
    -------
    Columns, types and units of its contract, `find(name).contract`.

    Raises
    ------
    InputError
        No contract declares it, its stage has not run, or a CSV breaks the contract.

    Examples
    --------
    >>> read("node_power_fits")["gpu"].unique().tolist()
    ['A100', 'H100', 'B200']
    """
    table, path = find(name), path_of(name)
    if table.suffix == ".csv":
        return read_table(path, table.contract)
    try:
        return pd.read_parquet(path)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file, expected what stage {table.writer!r} writes") from None


def transcription(name: str) -> pd.DataFrame:
    """A hand-kept table from its own CSV, for what has to work before any stage ran; raises InputError."""
    return read_table(origin_of(name), find(name).contract)


def write(name: str, values: pd.DataFrame) -> None:
    """Check the table against its contract and write it where it belongs; raises InputError."""
    table = find(name)
    values = validate(values, table.contract, name)
    (write_csv if table.suffix == ".csv" else write_parquet)(values, path_of(name))


def path_of(name: str) -> Path:
    """Where the table lies."""
    table = find(name)
    return Path(table.folder) / f"{_file(name)}{table.suffix}"


def origin_of(name: str) -> Path:
    """The hand-kept CSV of a transcribed table."""
    return Path(find(name).origin) / f"{_file(name)}.csv"


def find(name: str) -> Table:
    """The declaration of the table; raises InputError for a name that no contract module declares."""
    quoted = f'"{name}"'
    for module in modules():
        if quoted in module.read_text(encoding="utf-8") and name in declared(module):
            return declared(module)[name]
    raise InputError(
        f"table {name!r}, expected one that a contract declares: {', '.join(sorted(everything()))}"
    )


def everything() -> dict[str, Table]:
    """Every table by name; raises ValueError where two contracts declare one name."""
    tables: dict[str, Table] = {}
    for module in modules():
        if twice := tables.keys() & declared(module).keys():
            raise ValueError(f"{module}: table {min(twice)!r} is declared elsewhere too")
        tables |= declared(module)
    return tables


@cache
def declared(module: Path) -> dict[str, Table]:
    """`TABLES` of one contract module."""
    dotted = ".".join(("pipeline", *module.relative_to(PACKAGE).with_suffix("").parts))
    return dict(getattr(import_module(dotted), "TABLES", {}))


@cache
def modules() -> tuple[Path, ...]:
    """The contract modules, in the order of their paths."""
    return tuple(sorted(_contracts()))


def _file(name: str) -> str:
    return name.rpartition("/")[2]


def _contracts() -> Iterator[Path]:
    for pattern in ("*/contract*.py", "*/*/contract*.py"):
        yield from PACKAGE.glob(pattern)
