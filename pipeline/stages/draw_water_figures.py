"""Draw the figures of water.

Inputs: data/results/{prior_water_compared,water_sites,water_split}.csv.
Outputs: figures/fig-w{1..3}-*.{pdf,svg,png,json}. Settings: figures.
"""

from pipeline.assumptions.load import load
from pipeline.errors import run
from pipeline.present.figures import water as group
from pipeline.present.figures.registry import draw_all
from pipeline.present.figures.water.tables import read_tables


def main() -> None:
    """Load the tables, draw, save."""
    profile = load("figures")

    draw_all(group.FIGURES, read_tables(), profile, {}, seed=None)


if __name__ == "__main__":
    run(main)
