"""The factor table as JSON, one factor a line, so that a change of one shows as one line.

{"version", "schema_version", "licence", "method", "interval", "percentiles": [5, 50, 95],
 "sites": {key: title}, "beyond": {word: meaning}, "services": [{load, model_class, ..., "factors": [
   {"boundary", "site", "per", "wh": [low, middle, high], "onsite_ml": ..., "total_ml": ..., "evidence",
    "beyond": [word, ...]}]}]}
"""

import json
from collections.abc import Hashable, Iterable, Mapping
from itertools import groupby
from typing import Any

import pandas as pd
import pandera.pandas as pa

from pipeline.contracts.factors import BEYOND, FACTORS, PERCENTS, SCHEMA_VERSION, VALUES
from pipeline.files import round_significant

LICENCE = "CC-BY-4.0"
INTERVAL = "over what is not known, of the mean over queries of a service; a single query varies more"
PLACE = ["boundary", "site", "per"]
COMMON = ["version", "schema_version", "method"]
RESTS = ["evidence", "beyond"]
SERVICE = [
    name
    for name in FACTORS.columns
    if name not in [*PLACE, *COMMON, *RESTS, "site_title"]
    and not name.endswith(tuple(f"_{unit}" for unit in VALUES))
]
TYPES = {"int64": "integer", "float64": "number"}  # of pandera's columns; else text


def as_json(table: pd.DataFrame) -> str:
    """The text of factors.json from a FACTORS table, valid by `json_schema`."""
    first = table.iloc[0]
    head = {
        "version": first["version"],
        "schema_version": int(first["schema_version"]),
        "licence": LICENCE,
        "method": first["method"],
        "interval": INTERVAL,
        "percentiles": [int(name[1:]) for name in PERCENTS],
        "sites": dict(table[["site", "site_title"]].drop_duplicates().to_numpy().tolist()),
        "beyond": BEYOND,
    }
    plain = table.astype(object).where(table.notna(), None)  # NaN is no JSON, and not even equal to itself
    by_service = groupby(plain.to_dict("records"), lambda row: {name: row[name] for name in SERVICE})
    services = [_service(about, rows) for about, rows in by_service]
    return f'{_line(head)[:-1]}, "services": [\n' + ",\n".join(services) + "\n]}\n"


def _service(about: dict[str, Any], rows: Iterable[Mapping[Hashable, Any]]) -> str:
    factors = ",\n".join(_line(_factor(row)) for row in rows)
    return f'{_line(about)[:-1]}, "factors": [\n{factors}\n]}}'


def _factor(row: Mapping[Hashable, Any]) -> dict[str, Any]:
    values = {unit: [row[f"{name}_{unit}"] for name in PERCENTS] for unit in VALUES}
    known = {unit: value for unit, value in values.items() if value[0] is not None}
    beyond = row["beyond"].split("; ") if row["beyond"] else []
    return {**{name: row[name] for name in PLACE}, **known, "evidence": row["evidence"], "beyond": beyond}


def _line(data: Any) -> str:
    return json.dumps(round_significant(data), ensure_ascii=False, allow_nan=False)


def json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of factors.json, from the contract of the table."""
    band = {"type": "array", "items": {"type": "number", "minimum": 0}, "minItems": 3, "maxItems": 3}
    bands = {unit: {**band, "description": what} for unit, what in VALUES.items()}
    beyond = {"type": "array", "uniqueItems": True, "items": {"enum": list(BEYOND)}}
    beyond["description"] = "; ".join(f"{word}: {what}" for word, what in BEYOND.items())
    columns = {**_columns([*PLACE, "evidence"]), **bands, "beyond": beyond}
    factor = _object(columns, [*PLACE, "wh", *RESTS])
    service = _object(
        {**_columns(SERVICE), "factors": {"type": "array", "minItems": 1, "items": factor}},
        [*SERVICE, "factors"],
    )
    text = {"type": "string"}
    top = {
        "version": text,
        "schema_version": {"const": SCHEMA_VERSION},
        "licence": text,
        "method": text,
        "interval": text,
        "percentiles": {"const": [int(name[1:]) for name in PERCENTS]},
        "sites": {"type": "object", "additionalProperties": text},
        "beyond": {"type": "object", "additionalProperties": text},
        "services": {"type": "array", "minItems": 1, "items": service},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "perquery factors",
        "description": FACTORS.description,
        **_object(top, list(top)),
    }


def _object(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {"type": "object", "required": required, "additionalProperties": False, "properties": properties}


def _columns(names: list[str]) -> dict[str, Any]:
    return {name: _column(FACTORS.columns[name]) for name in names}


def _column(column: pa.Column) -> dict[str, Any]:
    kind = TYPES.get(str(column.dtype), "string")
    about: dict[str, Any] = {
        "type": [kind, "null"] if column.nullable else kind,
        "description": column.description,
    }
    for check in column.checks or []:
        words = check.statistics.get("allowed_values")
        if words is not None:
            about["enum"] = list(words)
    return about
