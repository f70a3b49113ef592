"""Draw the figures of levers.

Inputs: data/results/lever_{systems,hardware,scale,combinations,needed}.csv.
Outputs: figures/fig-l*.{pdf,svg,png,json}. Settings: figures; for the sidecars, build/parameters.
"""

from pathlib import Path

from pipeline.assumptions.load import load
from pipeline.errors import run
from pipeline.files import read_json
from pipeline.present.figures import levers as group
from pipeline.present.figures.levers.tables import read_tables
from pipeline.present.figures.registry import draw_all

PARAMETERS = Path("build/parameters/draw_lever_figures.json")


def main() -> None:
    """Load the tables, draw, save."""
    profile = load("figures")

    draw_all(group.FIGURES, read_tables(), profile, seed=None, traced=read_json(PARAMETERS))


if __name__ == "__main__":
    run(main)
