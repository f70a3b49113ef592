"""Every table as a page: what its contract says of it and of its columns, its first rows, its files."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.present.release.datapackage import contract, described, inferred
from pipeline.present.site.pictures import page_of, shipped
from pipeline.present.site.provenance import Origin

SHOWN = 100  # rows on a page; the file has all
FOLDERS = {
    "paper/tables": "Tables of the paper",
    "data/results": "Results",
    "data/published": "Published inputs",
    "data/telemetry": "Measured inputs",
}
OTHER_FORMATS = {"md": "Markdown", "tex": "LaTeX"}
NUMBERS = ("integer", "number")


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
    rows: list[list[str]]
    count: int
    bytes: int

    @property
    def numeric(self) -> list[bool]:
        """Which columns hold numbers."""
        return [column.type in NUMBERS for column in self.columns]


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
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[1:]
    return Table(
        title=path.stem.replace("_", " ").capitalize(),
        path=name,
        page=page_of(name),
        file=shipped(name),
        description=(found.description if found else "") or "",
        stage=origin.stage(name),
        formats=[
            (label, shipped(other.relative_to(root).as_posix()))
            for suffix, label in OTHER_FORMATS.items()
            if (other := path.with_suffix(f".{suffix}")).is_file()
        ],
        columns=[_column(field) for field in schema["fields"]],
        rows=rows[:SHOWN],
        count=len(rows),
        bytes=path.stat().st_size,
    )


def _column(field: dict[str, Any]) -> Column:
    limits = field.get("constraints", {})
    words = ", ".join(map(str, limits.get("enum", [])))
    ends = [
        f"{sign} {limits[name]:g}" for name, sign in (("minimum", "≥"), ("maximum", "≤")) if name in limits
    ]
    return Column(field["name"], field["type"], field.get("description", ""), words or " and ".join(ends))
