"""Draw the figures of water.

Inputs: data/results/{prior_water_compared,water_sites,water_split}.csv.
Outputs: figures/fig-w{1..3}-*.{pdf,svg,png,json}. Settings: figures; for the sidecars, build/parameters.
"""

from pathlib import Path

from pipeline.assumptions.load import load
from pipeline.errors import run
from pipeline.files import read_json
from pipeline.present.figures import water as group
from pipeline.present.figures.registry import draw_all
from pipeline.present.figures.water.tables import read_tables

PARAMETERS = Path("build/parameters/draw_water_figures.json")


def main() -> None:
    """Load the tables, draw, save."""
    profile = load("figures")

    draw_all(group.FIGURES, read_tables(), profile, seed=None, traced=read_json(PARAMETERS))


if __name__ == "__main__":
    run(main)
