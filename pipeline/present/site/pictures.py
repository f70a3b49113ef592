"""Every figure: its words, its files, the tables that it draws and what stands behind them.

Figures stand under the headings of GROUPS, in that order.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import InputError
from pipeline.files import read_json
from pipeline.present.provenance import SECTIONS, Origin
from pipeline.present.release.figures import numbered

FIGURES, TEXT = Path("figures"), Path("paper/sections")
FORMATS = ("svg", "pdf")  # PNG and TIFF: figures/ and `make export`
GROUPS = {  # those of pipeline/present/figures/catalogue.py, by the names of their figures
    "published": ("The published analysis", r"fig-s?\d"),
    "validation": ("The models against measurements", r"fig-r[1-5]-"),
    "re_estimated": ("Energy, re-estimated", r"fig-r[6-9]-"),
    "fleet": ("Routing, sites, fleets", r"fig-f\d"),
    "levers": ("Levers", r"fig-l\d"),
    "water": ("Water", r"fig-w\d"),
}


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
    """One figure; `parameters` and `sections` are what it and its data rest on."""

    name: str
    title: str
    label: str
    caption: str
    alt: str
    column: str
    width_mm: float
    height_mm: float
    files: list[tuple[str, str]]
    data: list[Data]
    parameters: str
    seed: int | None
    sections: list[tuple[str, str]]


@dataclass(frozen=True)
class Group:
    """Figures under one heading."""

    name: str
    heading: str
    pictures: list[Picture]


def groups(root: Path, origin: Origin) -> list[Group]:
    """Every figure under the heading of its group; raises InputError for one of the paper that is missing."""
    labels = {figure.name: figure.label for figure in numbered(root / TEXT, root / FIGURES)}
    grouped: dict[str, list[str]] = {group: [] for group in GROUPS}
    for name in sorted(labels, key=_natural):
        grouped[group_of(name)].append(name)
    return [
        Group(
            f"{group.replace('_', '-')}-figures",
            GROUPS[group][0],
            [_picture(root, name, labels[name], origin) for name in names],
        )
        for group, names in grouped.items()
    ]


def group_of(name: str) -> str:
    """The group of a figure; raises InputError for a name that is in none."""
    for group, (_, pattern) in GROUPS.items():
        if re.match(pattern, name):
            return group
    raise InputError(f"{FIGURES / name}.svg: name of no group, expected one of {list(GROUPS)}")


def _natural(name: str) -> list[tuple[int, str]]:
    """r9 before r10."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", name)]


def _picture(root: Path, name: str, label: str, origin: Origin) -> Picture:
    about: dict[str, Any] = read_json(root / FIGURES / f"{name}.json")
    paths = [item["path"] for item in about["inputs"]]
    sections = sorted({section for path in paths for section in origin.assumptions(path)})
    return Picture(
        name=name,
        title=about["title"],
        label=label,
        caption=about["caption"],
        alt=about["alt"],
        column=about["column"],
        width_mm=about["width_mm"],
        height_mm=about["height_mm"],
        files=[(suffix.upper(), f"figures/{name}.{suffix}") for suffix in FORMATS],
        data=[
            Data(
                item["path"],
                shipped(item["path"]),
                page_of(item["path"]),
                origin.stage(item["path"]),
                item["sha256"],
            )
            for item in about["inputs"]
        ],
        parameters=json.dumps(about["parameters"], indent=2, ensure_ascii=False)
        if about["parameters"]
        else "",
        seed=about["seed"],
        sections=[(section, shipped(f"{SECTIONS}/{section}.json")) for section in sections],
    )


def page_of(path: str) -> str:
    """The page of a table; nothing for an intermediate, which has none."""
    slug = path.removesuffix(".csv").replace("/", "-").replace("_", "-")
    return f"tables/{slug}.html" if path.endswith(".csv") else ""


def shipped(path: str) -> str:
    """Where a file of the project stands in the site; a Parquet table is handed on as CSV."""
    return f"files/{path.removesuffix('.parquet')}.csv" if path.endswith(".parquet") else f"files/{path}"
