"""Every figure: its words, its files, the tables that it draws and what stands behind them.

Figures are grouped by the stage that draws them, in the order of dvc.yaml.
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
HEADINGS = {
    "draw_published_figures": "The published analysis",
    "draw_validation_figures": "The models against measurements",
    "draw_re_estimated_figures": "Energy, re-estimated",
    "draw_lever_figures": "Levers",
    "draw_water_figures": "Water",
    "draw_fleet_figures": "Routing, sites, fleets",
}
STAGE = re.compile(r"draw_(?P<group>.+)_figures")


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
    """Every figure that a stage draws, under its heading; raises InputError for one that is missing."""
    labels = {figure.name: figure.label for figure in numbered(root / TEXT, root / FIGURES)}
    drawn: dict[str, list[str]] = {}
    for path, stage in origin.writers.items():
        if Path(path).parent == FIGURES and path.endswith(".svg"):
            drawn.setdefault(stage, []).append(Path(path).stem)
    return [
        Group(
            stage.replace("_", "-"),
            HEADINGS.get(stage) or STAGE.sub(r"\g<group>", stage).replace("_", " ").capitalize(),
            [_picture(root, name, labels, origin) for name in sorted(names, key=_natural)],
        )
        for stage, names in drawn.items()
    ]


def _natural(name: str) -> list[tuple[int, str]]:
    """r9 before r10."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", name)]


def _picture(root: Path, name: str, labels: dict[str, str], origin: Origin) -> Picture:
    if name not in labels:
        raise InputError(f"{FIGURES / name}.svg: no such file; run `make reproduce` first")
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
