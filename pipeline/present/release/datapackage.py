"""The data of the project as a Frictionless data package, described by the contracts of the tables.

A table is described by the contract with exactly its columns; a table without one (the parameters of a fitted
model) is described by the types of its values.
"""

import csv
import hashlib
import importlib
import pkgutil
from collections.abc import Container, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pandera.pandas as pa

from pipeline import contracts
from pipeline.present.citation import Citation

FOLDERS = ("data/published", "data/telemetry", "data/results")
LICENCE = {
    "name": "CC-BY-4.0",
    "title": "Creative Commons Attribution 4.0 International",
    "path": "https://creativecommons.org/licenses/by/4.0/",
}
TYPES = {"int64": "integer", "float64": "number", "bool": "boolean"}  # else text
LIMITS = {
    "greater_than_or_equal_to": ("minimum", "min_value"),
    "less_than_or_equal_to": ("maximum", "max_value"),
}


def data_package(
    citation: Citation, root: Path = Path(), handed_on: Container[str] | None = None
) -> dict[str, Any]:
    """The descriptor, with every table of FOLDERS, or those handed on, in the order of its path."""
    found = sorted(path for folder in FOLDERS for path in (root / folder).rglob("*.csv"))
    paths = [path for path in found if handed_on is None or path.relative_to(root).as_posix() in handed_on]
    return {
        "name": "perquery",
        "title": citation.title,
        "version": citation.version,
        "profile": "tabular-data-package",
        "keywords": citation.keywords,
        "licenses": [LICENCE],
        "contributors": [{"title": name, "role": "author"} for name in citation.authors],
        "resources": [resource(path, path.relative_to(root).as_posix()) for path in paths],
    }


def resource(path: Path, name: str) -> dict[str, Any]:
    """One table: where it is, its bytes and hash, its columns."""
    content = path.read_bytes()
    table = contract(path)
    return {
        "name": name.removeprefix("data/").removesuffix(".csv").replace("/", "-").replace("_", "-"),
        "path": name,
        "description": (table.description if table else "No contract: types follow the values.") or "",
        "profile": "tabular-data-resource",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": len(content),
        "hash": f"sha256:{hashlib.sha256(content).hexdigest()}",
        "schema": described(table) if table else inferred(path),
    }


def contract(path: Path) -> pa.DataFrameSchema | None:
    """The contract with the columns of the file; of several, the one with the name of the file."""
    with path.open(encoding="utf-8", newline="") as file:
        columns = next(csv.reader(file), [])
    fitting = {name: table for name, table in every_contract() if list(table.columns) == columns}
    return fitting.get(path.stem) or next(iter(fitting.values()), None)


def every_contract() -> Iterator[tuple[str, pa.DataFrameSchema]]:
    """Name and contract, from the modules of pipeline.contracts and the dictionaries in them."""
    for module in pkgutil.iter_modules(contracts.__path__):
        for name, value in vars(importlib.import_module(f"pipeline.contracts.{module.name}")).items():
            for key, table in value.items() if isinstance(value, dict) else [(name.lower(), value)]:
                if isinstance(table, pa.DataFrameSchema):
                    yield str(key), table


def described(table: pa.DataFrameSchema) -> dict[str, Any]:
    """Fields and the uniqueness of rows, as the contract has them."""
    schema: dict[str, Any] = {
        "fields": [_field(str(name), column) for name, column in table.columns.items()],
        "missingValues": [""],
    }
    if table.unique:
        schema["primaryKey"] = list(table.unique)
    return schema


def _field(name: str, column: pa.Column) -> dict[str, Any]:
    limits: dict[str, Any] = {} if column.nullable else {"required": True}
    if column.unique:
        limits["unique"] = True
    for check in column.checks or []:
        words = check.statistics.get("allowed_values")
        if words is not None:
            limits["enum"] = list(words)
        if check.name in LIMITS:
            key, statistic = LIMITS[check.name]
            limits[key] = check.statistics[statistic]
    field: dict[str, Any] = {"name": name, "type": TYPES.get(str(column.dtype), "string")}
    if column.description:
        field["description"] = column.description
    return {**field, "constraints": limits} if limits else field


def inferred(path: Path) -> dict[str, Any]:
    """Fields by the types that pandas reads."""
    kinds = pd.read_csv(path).dtypes
    fields = [{"name": str(name), "type": TYPES.get(str(kind), "string")} for name, kind in kinds.items()]
    return {"fields": fields, "missingValues": [""]}
