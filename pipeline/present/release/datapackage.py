"""The data of the project as a Frictionless data package, described by the contracts of the tables.

A table is described by its contract, with the columns that its file has; a table without one (the
parameters of a fitted model) is described by the types of its values.

In the workbook an interval is three numbers (low, mid, high) and never text, so that it can be sorted and
drawn; headings are words with units. Its first sheet says what each shows, its last what each column is.
"""

import datetime
import hashlib
import re
import shutil
from collections.abc import Container, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pandera.pandas as pa
import xlsxwriter

from pipeline.core.catalogue import everything
from pipeline.core.files import write_atomically
from pipeline.core.parse import Citation
from pipeline.ingest.contract_sources import SERVING_FILE
from pipeline.ingest.sources import FOLDER as SERVING
from pipeline.report.formats import Table

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


KINDS = {"integer": "sc:Integer", "number": "sc:Float", "boolean": "sc:Boolean", "string": "sc:Text"}
CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "recordSet": "cr:recordSet",
    "source": "cr:source",
}


def croissant(package: dict[str, Any], citation: Citation, date: str) -> dict[str, Any]:
    """The same tables as a Croissant description (MLCommons, version 1.0), from the data package.

    date: of the release, YYYY-MM-DD.
    """
    files, records = [], []
    for one in package["resources"]:
        files.append(
            {
                "@type": "cr:FileObject",
                "@id": one["path"],
                "name": one["path"],
                "description": one["description"],
                "contentUrl": one["path"],
                "contentSize": f"{one['bytes']} B",
                "encodingFormat": one["mediatype"],
                "sha256": one["hash"].removeprefix("sha256:"),
            }
        )
        fields = [_croissant_field(one, field) for field in one["schema"]["fields"]]
        records.append({"@type": "cr:RecordSet", "@id": one["name"], "name": one["name"], "field": fields})
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": package["name"],
        "description": package["title"],
        "version": package["version"],
        "license": LICENCE["path"],
        "datePublished": date,
        "keywords": package["keywords"],
        "creator": [{"@type": "Organization", "name": name} for name in citation.authors],
        "isBasedOn": [f"https://doi.org/{doi}" for _, doi in citation.reanalyses],
        "distribution": files,
        "recordSet": records,
    }


def _croissant_field(table: dict[str, Any], field: dict[str, Any]) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": f"{table['name']}/{field['name']}",
        "name": field["name"],
        "description": field.get("description", ""),
        "dataType": KINDS[field["type"]],
        "source": {"fileObject": {"@id": table["path"]}, "extract": {"column": field["name"]}},
    }


def resource(path: Path, name: str) -> dict[str, Any]:
    """One table: where it is, its bytes and hash, its columns."""
    content = path.read_bytes()
    table = contract(Path(name))
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
        "schema": described(table, header(path)) if table else inferred(path),
    }


def contract(path: Path) -> pa.DataFrameSchema | None:
    """The contract of a table, by its path from the root: files of several folders may have one name."""
    if path.parent == SERVING:
        return SERVING_FILE
    for name, table in everything().items():
        if name.rpartition("/")[2] == path.stem and path.parent == Path(table.origin or table.folder):
            return table.contract
    return None


def header(path: Path) -> list[str]:
    """Names of the columns, in the order of the file."""
    return [str(name) for name in pd.read_csv(path, nrows=0).columns]


def described(table: pa.DataFrameSchema, names: list[str]) -> dict[str, Any]:
    """Fields of the columns named and the uniqueness of rows, as the contract has them."""
    schema: dict[str, Any] = {
        "fields": [_field(name, table.columns[name]) for name in names],
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


NEVER = datetime.datetime(1980, 1, 1)
LONGEST_SHEET_NAME = 31  # of a workbook
NARROWEST, WIDEST = 10, 60  # characters
CONTENTS, COLUMNS = "Contents", "Columns"
BAND = re.compile(r"(?P<mid>[\d.,]+)(?: %)?(?: \((?P<low>[\d.,]+)[–-](?P<high>[\d.,]+)\))?(?: %)?")
ENDS = {"p5": "low (P5)", "p25": "P25", "p50": "mid (P50)", "p75": "P75", "p95": "high (P95)"}
SPLIT = ("low", "mid", "high")
UNITS = {
    "wh": "Wh",
    "ml": "mL",
    "w": "W",
    "mw": "MW",
    "gwh_per_day": "GWh/day",
    "million_l_per_day": "million L/day",
    "l_per_kwh": "L/kWh",
    "j_per_output_token": "J/output token",
    "output_tokens_per_s": "output tokens/s",
    "tokens_per_s": "tokens/s",
    "input_tokens": "tokens",
    "output_tokens": "tokens",
}
CAPITALS = ("pue", "gpu", "wue", "mc")  # set in capitals


def copy_tables(folder: Path, target: Path) -> list[Path]:
    """Copy CSV, LaTeX and Markdown of every table into `target`; returns the CSV files, sorted."""
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(folder.iterdir()):
        if path.suffix in (".csv", ".tex", ".md"):
            shutil.copyfile(path, target / path.name)
    return sorted(target.glob("*.csv"))


def workbook(
    tables: Mapping[str, pd.DataFrame], target: Path, about: Mapping[str, Table] | None = None
) -> None:
    """Write contents, one sheet a table with filters, and what the columns are; the same bytes each time.

    `about` has the declarations of the tables, for captions and headings.
    """
    declared = about or {}
    numeric = {name: in_numbers(table) for name, table in tables.items()}
    sheets: dict[str, str] = {}
    for name in numeric:
        sheets[name] = sheet_name(name, {CONTENTS, COLUMNS, *sheets.values()})
    contents, columns = [], []
    for name, table in numeric.items():
        caption = declared[name].caption if name in declared else ""
        contents.append({"Sheet": sheets[name], "Rows": len(table), "What it shows": caption})
        for column, (words, unit) in headings(table, declared.get(name)).items():
            columns.append({"Sheet": sheets[name], "Column": column, "Heading": words, "Unit": unit})
    units = pd.DataFrame(columns, columns=["Sheet", "Column", "Heading", "Unit"])

    def write(path: Path) -> None:
        with xlsxwriter.Workbook(str(path), {"strings_to_urls": False, "strings_to_formulas": False}) as book:
            book.set_properties({"created": NEVER})
            first = _sheet(book, CONTENTS, pd.DataFrame(contents))
            for row, sheet in enumerate(sheets.values(), start=1):
                first.write_url(row, 0, f"internal:'{sheet}'!A1", string=sheet)
            for name, table in numeric.items():
                named = units[units["Sheet"] == sheets[name]]
                heads = [
                    f"{words}, {unit}" if unit else words
                    for words, unit in zip(named["Heading"], named["Unit"], strict=True)
                ]
                _sheet(book, sheets[name], table.set_axis(heads, axis="columns"))
            _sheet(book, COLUMNS, units)

    write_atomically(target, write)


def in_numbers(table: pd.DataFrame) -> pd.DataFrame:
    """A table in which no interval is text: three columns instead, or none if its numbers stand there."""
    found: dict[str, pd.Series] = {}
    numbers = table.select_dtypes("number")
    for column in table.columns:
        parts = _parts(table[column].where(table[column].notna()).astype("object"))
        if parts["low"].isna().all():
            found[column] = table[column]
        elif not _stands(parts["mid"], numbers):
            whole = parts["mid"].notna().eq(table[column].notna()).all()
            split = {f"{column}_{end}": parts[end] for end in SPLIT}
            found |= split if whole else {str(column): table[column]}
    return pd.DataFrame(found, index=table.index)


def _parts(texts: pd.Series) -> pd.DataFrame:
    """Low, mid and high of texts such as `0.82 (0.19–4.8)`; nothing for any other."""
    matches = [BAND.fullmatch(text) if isinstance(text, str) else None for text in texts]
    rows = [
        {end: float(match[end].replace(",", "")) if match and match[end] else None for end in SPLIT}
        for match in matches
    ]
    return pd.DataFrame(rows, index=texts.index, columns=list(SPLIT), dtype=float)


def _stands(middle: pd.Series, numbers: pd.DataFrame) -> bool:
    """Whether a column of numbers has these, but for rounding to two digits (or as shares, not per cent)."""
    near = [
        ((numbers[name] * scale - middle).abs() <= 0.06 * middle.abs())[middle.notna()].all()
        for name in numbers
        for scale in (1, 100)
    ]
    return any(near)


def headings(table: pd.DataFrame, about: Table | None = None) -> dict[str, tuple[str, str]]:
    """Words and unit of every column; one whose words another has already keeps its name."""
    found: dict[str, tuple[str, str]] = {}
    for column in map(str, table.columns):
        words = heading(column, about)
        found[column] = (column, words[1]) if words in found.values() else words
    return found


def heading(column: str, about: Table | None = None) -> tuple[str, str]:
    """A column in words, and its unit: `median_p50_wh` is (`Median, mid (P50)`, `Wh`)."""
    end = next((part for part in column.split("_") if part in ENDS), "")
    bare = "_".join(part for part in column.split("_") if part != end) if end else column
    last = bare.rpartition("_")[2]
    side = ENDS.get(end, "")
    if not side and last in SPLIT and bare != last:
        side, bare = last, bare.removesuffix(f"_{last}")
    declared = about.columns.get(bare) if about else None
    if declared:
        words, unit = declared if isinstance(declared, str) else declared[0], ""
    else:
        unit = next((suffix for suffix in UNITS if bare == suffix or bare.endswith(f"_{suffix}")), "")
        kept = bare.removesuffix(unit).removesuffix("_") if unit else bare
        words = " ".join(part.upper() if part in CAPITALS else part for part in kept.split("_"))
    words = ", ".join(part for part in (words, side) if part)
    return f"{words[:1].upper()}{words[1:]}", UNITS.get(unit, "")


def _sheet(book: xlsxwriter.Workbook, name: str, table: pd.DataFrame) -> "xlsxwriter.worksheet.Worksheet":
    """One sheet: bold frozen header with filters, numbers as numbers."""
    bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
    sheet = book.add_worksheet(name)
    sheet.freeze_panes(1, 0)
    sheet.write_row(0, 0, [str(column) for column in table.columns], bold)
    blank = table.astype(object).where(table.notna(), None)
    for row, values in enumerate(blank.itertuples(index=False), start=1):
        sheet.write_row(row, 0, values)
    for at in range(len(table.columns)):
        longest = max((len(str(value)) for value in blank.iloc[:, at] if value is not None), default=0)
        sheet.set_column(at, at, min(WIDEST, max(NARROWEST, longest + 1)))
    if len(table.columns):
        sheet.autofilter(0, 0, len(table), len(table.columns) - 1)
    return sheet


def sheet_name(name: str, taken: set[str]) -> str:
    """Of at most 31 characters; a number ends one that is cut to a name which another sheet has."""
    short, at = name[:LONGEST_SHEET_NAME], 2
    while short.lower() in {other.lower() for other in taken}:
        short, at = f"{name[: LONGEST_SHEET_NAME - 1 - len(str(at))]}~{at}", at + 1
    return short
