"""What a figure is, and how a list of them is drawn and saved.

A group of figures is a module with a list `FIGURES` of `Entry`; catalogue.py lists the groups. The stage
draw_figures draws them all.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.assumptions.figures import Figures, Width
from pipeline.present import style
from pipeline.present.provenance import parameters
from pipeline.present.save import Drawing, Provenance, save_figure

AT_ONCE = 2  # processes
Draw = Callable[[Any, Figures], Drawing]


@dataclass(frozen=True)
class Entry:
    """One figure: file name, title, column, the function that draws it, the files it reads.

    `settings` names the parts of the group's own parameters that stand in its sidecar, if it has any; else
    the sections of params.yaml behind its inputs do.
    """

    name: str
    title: str
    width: Width
    draw: Draw
    inputs: Sequence[str]
    settings: Sequence[str] = ()


@dataclass(frozen=True)
class Group:
    """Figures that are drawn from the same tables, and the seed of their draws, if any.

    For the sidecars: `own` parameters of the group by name, or those `traced` by the stage trace_parameters.
    """

    entries: Sequence[Entry]
    tables: Any
    seed: int | None = None
    own: Mapping[str, Any] | None = None
    traced: Mapping[str, Any] | None = None

    def provenance(self, entry: Entry) -> Provenance:
        """What one of the figures is drawn from."""
        behind = {name: self.own[name] for name in entry.settings} if self.own else {}
        behind |= parameters(entry.inputs, self.traced) if self.traced else {}
        return Provenance(entry.inputs, behind, self.seed)


def draw_all(groups: Sequence[Group], profile: Figures, folder: Path | str = "figures") -> None:
    """Draw and save every figure of some groups, two at a time."""
    with ProcessPoolExecutor(AT_ONCE) as pool:
        drawn = [
            pool.submit(_draw, entry, group.tables, profile, group.provenance(entry), folder)
            for group in groups
            for entry in group.entries
        ]
        for future in drawn:
            future.result()


def _draw(entry: Entry, tables: Any, profile: Figures, provenance: Provenance, folder: Path | str) -> None:
    with style.context():
        drawing = entry.draw(tables, profile)
        save_figure(drawing, folder, entry.name, entry.title, entry.width, profile, provenance)
