"""Figures and tables as the site shows them: captions, columns, what they rest on, where to take them.

A table of the paper is shown as it is typeset, under its caption; any other as its file has it. A page with
the first rows alone brings all along in a script beside it, so that search finds those that are not shown.
"""

import csv
import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pipeline.core.catalogue import everything, path_of
from pipeline.core.files import read_json
from pipeline.present.figures import FIGURES, HEADINGS
from pipeline.present.release.datapackage import contract, described, header, inferred
from pipeline.present.release.figures import numbered

FOLDER, TEXT = Path("figures"), Path("paper/sections")
FORMATS = ("png", "svg", "pdf")  # TIFF: `make export`


@dataclass(frozen=True)
class Data:
    """One input of a figure: path in the project, file and page in the site, the stage that made it."""

    path: str
    file: str
    page: str
    stage: str
    sha256: str


@dataclass(frozen=True)
class Picture:
    """One figure; `sections`: of params.yaml, that it names itself."""

    name: str
    title: str
    topic: str
    label: str
    caption: str
    alt: str
    description: str
    column: str
    width_mm: float
    height_mm: float
    panels_pt: list[list[list[float]]]
    files: list[tuple[str, str]]
    data: list[Data]
    sections: list[str]


@dataclass(frozen=True)
class Group:
    """Figures under one heading."""

    name: str
    heading: str
    pictures: list[Picture]


def groups(root: Path) -> list[Group]:
    """Every figure under the heading of its topic; raises InputError for one of the paper that is missing."""
    labels = {figure.name: figure.label for figure in numbered(root / TEXT, root / FOLDER)}
    return [
        Group(
            f"{topic}-figures",
            heading,
            [_picture(root, entry.name, labels[entry.name]) for entry in FIGURES[topic]],
        )
        for topic, heading in HEADINGS.items()
    ]


def _picture(root: Path, name: str, label: str) -> Picture:
    about: dict[str, Any] = read_json(root / FOLDER / f"{name}.json")
    return Picture(
        name=name,
        title=about["title"],
        label=label,
        topic=about["topic"],
        caption=about["caption"].removeprefix(f"{about['title']}. "),
        alt=about["alt"],
        description=about["description"],
        column=about["column"],
        width_mm=about["width_mm"],
        height_mm=about["height_mm"],
        panels_pt=about["panels_pt"],
        files=[(suffix.upper(), f"figures/{name}.{suffix}") for suffix in FORMATS],
        data=[
            Data(
                item["path"],
                shipped(item["path"]),
                page_of(item["path"]),
                writer_of(item["path"]),
                item["sha256"],
            )
            for item in about["inputs"]
        ],
        sections=about["sections"],
    )


def writer_of(path: str) -> str:
    """The stage that writes a table; nothing for what is kept by hand."""
    return _writers().get(path, "")


@cache
def _writers() -> dict[str, str]:
    return {path_of(name).as_posix(): table.writer for name, table in everything().items()}


def page_of(path: str) -> str:
    """The page of a table; nothing for an intermediate, which has none."""
    slug = path.removesuffix(".csv").replace("/", "-").replace("_", "-")
    return f"tables/{slug}.html" if path.endswith(".csv") else ""


def shipped(path: str) -> str:
    """Where a file of the project stands in the site; a Parquet table is handed on as CSV."""
    return f"files/{path.removesuffix('.parquet')}.csv" if path.endswith(".parquet") else f"files/{path}"


SHOWN = 200  # rows on a page at once
FOLDERS = {
    "paper/tables": "Tables of the paper",
    "data/results": "Results",
    "data/published": "Published inputs",
    "data/telemetry": "Measured inputs",
}
# Why a table may have no rows.
EMPTY = {
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


def sections(root: Path) -> list[tuple[str, list[Table]]]:
    """Heading and tables of every folder, in the order of their paths."""
    return [
        (heading, [_table(root, path) for path in sorted((root / folder).rglob("*.csv"))])
        for folder, heading in FOLDERS.items()
    ]


def _table(root: Path, path: Path) -> Table:
    name = path.relative_to(root).as_posix()
    found = contract(Path(name))
    schema: dict[str, Any] = described(found, header(path)) if found else inferred(path)
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
        stage=writer_of(name),
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
    """A table as Markdown with its caption, as pipeline.report.formats writes it; None for anything else."""
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
