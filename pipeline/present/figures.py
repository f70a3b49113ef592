"""All figures of the project, in the order in which they are read, and how one is drawn.

A figure is declared where it is drawn (pipeline/<topic>/figures); a topic's figures stand under one heading,
by their numbers.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.core.errors import InputError
from pipeline.core.processes import side_by_side
from pipeline.core.settings import load
from pipeline.energy.figures import change, spread
from pipeline.fleet import figures as fleets
from pipeline.levers import figures as levers
from pipeline.published.figures import draws, energy, fleet
from pipeline.report import style
from pipeline.report.declared import declared, path_of
from pipeline.report.figures import Entry, by_number, save_figure
from pipeline.report.settings import Figures
from pipeline.validation.figures import batch, measured, outside
from pipeline.water import figures as waters

FOLDER = Path("figures")
HEADINGS = {  # of topics, as the paper has them: our results before the reproduction
    "energy": "What a query takes",
    "water": "Water",
    "levers": "Measures that save energy",
    "fleet": "Routing and fleets",
    "validation": "The models against measurements",
    "published": "The published analysis, reproduced",
}
FIGURES = {
    "published": sorted(declared(draws, energy, fleet), key=by_number),
    "validation": sorted(declared(batch, measured, outside), key=by_number),
    "energy": sorted(declared(change, spread), key=by_number),
    "fleet": sorted(declared(fleets), key=by_number),
    "levers": sorted(declared(levers), key=by_number),
    "water": sorted(declared(waters), key=by_number),
}
ALL: list[Entry] = [entry for topic in HEADINGS for entry in FIGURES[topic]]


def find(name: str) -> Entry:
    """The figure of that name; raises InputError naming those that there are."""
    for entry in ALL:
        if entry.name == name:
            return entry
    raise InputError(f"figure {name!r}, expected one of {', '.join(entry.name for entry in ALL)}")


def draw(name: str, settings: Callable[[str], Any] = load, folder: Path | str = FOLDER) -> None:
    """Draw one figure from its tables and save it; `settings` gives a section of params.yaml."""
    entry = find(name)
    profile: Figures = settings("figures")
    given = entry.given(settings)
    with style.context(profile):
        drawing = entry.made(given, profile)
        save_figure(drawing, folder, entry, profile, [path_of(table) for table in entry.tables])


def draw_all() -> None:
    """Draw all figures, two at a time."""
    side_by_side(draw, [entry.name for entry in ALL])
