"""Every figure of the catalogue: its words, its files, the tables that it draws and what stands behind them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import InputError
from pipeline.files import read_json
from pipeline.present.figures.catalogue import GROUPS
from pipeline.present.release.figures import numbered
from pipeline.present.site.provenance import SECTIONS, Origin

FIGURES, TEXT = Path("figures"), Path("paper/sections")
FORMATS = ("svg", "pdf")  # PNG and TIFF: figures/ and `make export`
HEADINGS = {
    "published": "The published analysis",
    "validation": "The models against measurements",
    "re_estimated": "Energy, re-estimated",
    "water": "Water",
    "fleet": "Routing, sites, fleets",
    "levers": "Levers",
}


@dataclass(frozen=True)
class Data:
    """One input of a figure: its path in the project, its file in the site, the stage that made it."""

    path: str
    file: str
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
    """Every figure of the catalogue in its order; raises InputError for one that was not drawn."""
    labels = {figure.name: figure.label for figure in numbered(root / TEXT, root / FIGURES)}
    return [
        Group(
            name,
            HEADINGS.get(name, name.replace("_", " ").capitalize()),
            [_picture(root, entry.name, labels, origin) for entry in entries],
        )
        for name, entries in GROUPS.items()
    ]


def _picture(root: Path, name: str, labels: dict[str, str], origin: Origin) -> Picture:
    if name not in labels:
        raise InputError(f"{FIGURES / name}.svg: no such file, though the catalogue has the figure")
    about: dict[str, Any] = read_json(root / FIGURES / f"{name}.json")
    paths = [item["path"] for item in about["inputs"]]
    sections = sorted({section for path in paths for section in origin.assumptions(path)})
    return Picture(
        name=name,
        title=about["title"],
        label=labels[name],
        caption=about["caption"],
        alt=about["alt"],
        column=about["column"],
        width_mm=about["width_mm"],
        height_mm=about["height_mm"],
        files=[(suffix.upper(), f"figures/{name}.{suffix}") for suffix in FORMATS],
        data=[
            Data(item["path"], shipped(item["path"]), origin.stage(item["path"]), item["sha256"])
            for item in about["inputs"]
        ],
        parameters=json.dumps(about["parameters"], indent=2, ensure_ascii=False)
        if about["parameters"]
        else "",
        seed=about["seed"],
        sections=[(section, shipped(f"{SECTIONS}/{section}.json")) for section in sections],
    )


def shipped(path: str) -> str:
    """Where a file of the project stands in the site; a Parquet table is handed on as CSV."""
    return f"files/{path.removesuffix('.parquet')}.csv" if path.endswith(".parquet") else f"files/{path}"
