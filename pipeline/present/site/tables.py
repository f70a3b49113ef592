"""Every table as a page: what its contract says of it and of its columns, its first rows, its files.

A table of the paper is shown as it is typeset, under its caption; any other as its file has it. A page with
the first rows alone brings all along in a script beside it, so that search finds those that are not shown.
"""

import csv
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.present.provenance import Origin
from pipeline.present.release.datapackage import contract, described, inferred
from pipeline.present.site.pictures import page_of, shipped

SHOWN = 200  # rows on a page at once
FOLDERS = {
    "paper/tables": "Tables of the paper",
    "data/results": "Results",
    "data/published": "Published inputs",
    "data/telemetry": "Measured inputs",
}
# Why a table may have no rows.
EMPTY = {
    "carbon_per_query": "It has rows only where params.yaml asks for them (assumptions.water.carbon): "
    "the paper that is re-analysed gives no carbon.",
    "factor_changes": "It lists factors that changed since the release before; there is none yet.",
}
OTHER_FORMATS = {"md": "Markdown", "tex": "LaTeX"}
NUMBERS = ("integer", "number")
CAPTION = re.compile(r"^\*\*(?P<caption>.+)\*\*$")
ACRONYMS = {"Pue": "PUE", "Wue": "WUE", "Mlperf": "MLPerf"}


@dataclass(frozen=True)
class Shown:
    """What is to be read: caption, headings, which columns stand on the right, rows."""

    caption: str
    headings: list[str]
    right: list[bool]
    rows: list[list[str]]


@dataclass(frozen=True)
class Column:
    """Name, type and, where the contract has them, description and words or limits."""

    name: str
    type: str
    description: str
    allowed: str


@dataclass(frozen=True)
class Table:
    """One table: `page` and `file` in the site, `path` in the project."""

    title: str
    path: str
    page: str
    file: str
    description: str
    stage: str
    formats: list[tuple[str, str]]
    columns: list[Column]
    shown: Shown
    count: int
    why_empty: str
    bytes: int
    script: str  # file of the site with all rows; "": the page has them

    def all_rows(self, root: Path) -> str:
        """The content of `script`, a row a line."""
        rows = ",\n".join(json.dumps(row, ensure_ascii=False) for row in _rows(root / self.path))
        return f'"use strict";\nwindow.allRows = [\n{rows}\n];\n'


def sections(root: Path, origin: Origin) -> list[tuple[str, list[Table]]]:
    """Heading and tables of every folder, in the order of their paths."""
    return [
        (heading, [_table(root, path, origin) for path in sorted((root / folder).rglob("*.csv"))])
        for folder, heading in FOLDERS.items()
    ]


def _table(root: Path, path: Path, origin: Origin) -> Table:
    name = path.relative_to(root).as_posix()
    found = contract(path)
    schema: dict[str, Any] = described(found) if found else inferred(path)
    columns = [_column(field) for field in schema["fields"]]
    rows = _rows(path)
    in_paper = typeset(path.with_suffix(".md"))
    shown = in_paper or Shown(
        caption=(found.description if found else "") or "",
        headings=[column.name for column in columns],
        right=[column.type in NUMBERS for column in columns],
        rows=rows[:SHOWN],
    )
    return Table(
        title=_title(path.stem),
        path=name,
        page=page_of(name),
        file=shipped(name),
        description=shown.caption,
        stage=origin.stage(name),
        formats=[
            (label, shipped(other.relative_to(root).as_posix()))
            for suffix, label in OTHER_FORMATS.items()
            if (other := path.with_suffix(f".{suffix}")).is_file()
        ],
        columns=columns,
        shown=shown,
        count=len(rows),
        why_empty="" if rows else EMPTY.get(path.stem, "This run gave it none."),
        bytes=path.stat().st_size,
        script="" if in_paper or len(rows) <= SHOWN else page_of(name).replace(".html", ".js"),
    )


def typeset(path: Path) -> Shown | None:
    """A table as Markdown with its caption, as pipeline.present.tables writes it; None for anything else."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    caption = CAPTION.match(lines[0]) if lines else None
    if not caption:
        return None
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    headings, sides, *rows = cells
    return Shown(caption["caption"], headings, [side.endswith(":") for side in sides], rows[:SHOWN])


def _rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))[1:]


def _title(stem: str) -> str:
    first, *others = stem.replace("_", " ").capitalize().split(" ")
    return " ".join([ACRONYMS.get(first, first), *others])


def _column(field: dict[str, Any]) -> Column:
    limits = field.get("constraints", {})
    words = ", ".join(map(str, limits.get("enum", [])))
    ends = [
        f"{sign} {limits[name]:g}" for name, sign in (("minimum", "≥"), ("maximum", "≤")) if name in limits
    ]
    return Column(field["name"], field["type"], field.get("description", ""), words or " and ".join(ends))
