"""The factor table as JSON with its schema and README, and what changed since the release before.

One factor a line, so that a change of one shows as one line:

{"version", "schema_version", "licence", "method", "interval", "percentiles": [5, 50, 95],
 "sites": {key: title}, "beyond": {word: meaning}, "services": [{load, model_class, ..., "factors": [
   {"boundary", "site", "per", "wh": [low, middle, high], "onsite_ml": ..., "total_ml": ..., "evidence",
    "beyond": [word, ...]}]}]}
"""

import csv
import json
from collections.abc import Hashable, Iterable, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import pandas as pd
import pandera.pandas as pa
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pipeline.core.files import round_significant
from pipeline.core.parse import Citation
from pipeline.core.read import read_table
from pipeline.factors.model.contract import (
    BEYOND,
    EVIDENCE,
    FACTORS,
    KEYS,
    PERCENTS,
    SCHEMA_VERSION,
    STANDARDS,
    VALUES,
)
from pipeline.factors.model.settings import Factors

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
MEDIANS = [f"p50_{unit}" for unit in VALUES]
COLUMNS = [*KEYS, "quantity", "change", "before", "now", "ratio"]
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
        "x-standards": STANDARDS,  # no keyword of JSON Schema: validators pass over it
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


def compare(now: pd.DataFrame, version: str, folder: Path | str, above: float) -> tuple[pd.DataFrame, str]:
    """Changes since the newest older release in `folder`, and the change log; a change: of more than `above`.

    A release with other columns is not compared: its factors mean something else.
    """
    nothing = pd.DataFrame(columns=COLUMNS)
    before = release_before(version, folder)
    if before is None:
        return nothing, change_log(version, None, nothing, len(now), above)
    previous, path = before
    if _header(path) != list(FACTORS.columns):
        return nothing, other_columns(version, previous, len(now))
    found = changes(read_table(path, FACTORS), now, above)
    return found, change_log(version, previous, found, len(now), above)


def release_before(version: str, folder: Path | str) -> tuple[str, Path] | None:
    """Version and file of the newest release in `folder` older than `version`; None: there is none."""
    found = {path.stem.removeprefix("factors-"): path for path in sorted(Path(folder).glob("factors-*.csv"))}
    older = [name for name in found if _order(name) < _order(version)]
    if not older:
        return None
    newest = max(older, key=_order)
    return newest, found[newest]


def _header(path: Path) -> list[str]:
    with path.open(encoding="utf-8", newline="") as file:
        return next(csv.reader(file), [])


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def changes(before: pd.DataFrame, now: pd.DataFrame, above: float) -> pd.DataFrame:
    """COLUMNS: factors that are new, gone, or whose median moved by more than the share `above`."""
    old, new = (
        table.melt(KEYS, MEDIANS, "quantity").set_index([*KEYS, "quantity"])["value"].dropna()
        for table in (before, now)
    )
    both = pd.DataFrame({"before": old, "now": new})
    both["ratio"] = both["now"] / both["before"]
    moved = (both["ratio"] - 1).abs() > above
    both["change"] = "moved"
    both.loc[both["before"].isna(), "change"] = "new"
    both.loc[both["now"].isna(), "change"] = "gone"
    return both[moved | (both["change"] != "moved")].reset_index()[COLUMNS]


def other_columns(version: str, previous: str, rows: int) -> str:
    """The change log where the release before has other columns."""
    return (
        f"# Factors {version}\n\nThe table has other columns than that of {previous} (schema version "
        f"{SCHEMA_VERSION} now): its {rows:,} factors cannot be compared one by one.\n"
    )


def change_log(version: str, previous: str | None, found: pd.DataFrame, rows: int, above: float) -> str:
    """The change log as Markdown: how many factors changed, and by how much in each class."""
    head = f"# Factors {version}\n\n"
    if previous is None:
        return f"{head}The first release: {rows:,} factors, nothing to compare them with.\n"
    counted = found["change"].value_counts()
    kinds = {"moved": f"moved by more than {above:.0%}", "new": "are new", "gone": "are gone"}
    lines = [f"Against {previous}, of {rows:,} factors:\n"]
    lines += [f"- {counted.get(kind, 0):,} {words}" for kind, words in kinds.items()]
    moved = found[found["change"] == "moved"]
    if len(moved):
        table = moved.groupby(["quantity", "model_class", "boundary"])["ratio"].agg(
            ["size", "min", "median", "max"]
        )
        shown = table.reset_index().rename(columns={"size": "factors"})
        lines += ["\nThose that moved, now over before:\n", shown.to_markdown(index=False, floatfmt=".3g")]
    return head + "\n".join(lines) + "\n"


NAME = "README.md"
TEMPLATE = "readme.md.j2"


def readme(table: pd.DataFrame, citation: Citation, factors: Factors) -> str:
    """Markdown: what is there, columns, how it is computed, how uncertain, how to cite, changes."""
    folder = FileSystemLoader(Path(__file__).parent)
    jinja = Environment(
        loader=folder, undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True
    )
    return jinja.get_template(TEMPLATE).render(
        citation=citation,
        schema_version=SCHEMA_VERSION,
        columns=FACTORS.columns,
        beyond=BEYOND,
        tiers=counted(table),
        sites=table[["site", "site_title"]].drop_duplicates().to_numpy().tolist(),
        headline=headline(table),
        classes=factors.classes,
        bands=[band.name for band in factors.batch_bands],
        rows=len(table),
    )


def counted(table: pd.DataFrame) -> dict[str, int]:
    """Rows of every tier, the best first."""
    return {tier: int((table["evidence"] == tier).sum()) for tier in EVIDENCE}


def headline(table: pd.DataFrame) -> pd.DataFrame:
    """What is asked first: a query as in production, at a facility anywhere, of models taken together."""
    usual = {"load": "as in production", "boundary": "facility", "site": "any site", "per": "query"}
    rows = table[(table[[*usual]] == pd.Series(usual)).all(axis=1)]
    return rows[rows["total_params_b"].isna()]
