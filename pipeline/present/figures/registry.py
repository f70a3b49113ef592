"""What a figure is, and how a list of them is drawn and saved.

A group of figures is a module with a list `FIGURES` of `Entry`; catalogue.py lists the groups. A stage
draws one group: `draw_all(FIGURES, tables, profile, ...)`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.assumptions.figures import Figures, Width
from pipeline.present import style
from pipeline.present.save import Drawing, Provenance, save_figure

Draw = Callable[[Any, Figures], Drawing]


@dataclass(frozen=True)
class Entry:
    """One figure: file name, title, column, the function that draws it, the files it reads.

    `settings` names the parts of the group's parameters that the figure rests on, for its sidecar.
    """

    name: str
    title: str
    width: Width
    draw: Draw
    inputs: Sequence[str]
    settings: Sequence[str] = ()


def draw_all(
    entries: Sequence[Entry],
    tables: Any,
    profile: Figures,
    parameters: Mapping[str, Any],
    seed: int | None,
    folder: Path | str = "figures",
) -> None:
    """Draw and save every figure of a list from the tables of its group."""
    with style.context():
        for entry in entries:
            behind = {name: parameters[name] for name in entry.settings}
            provenance = Provenance(entry.inputs, behind, seed)
            drawing = entry.draw(tables, profile)
            save_figure(drawing, folder, entry.name, entry.title, entry.width, profile, provenance)
