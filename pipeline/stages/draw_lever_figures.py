"""Draw the figures of levers.

Inputs: data/results/lever_{systems,hardware,scale,combinations,needed}.csv.
Outputs: figures/fig-l*.{pdf,svg,png,json}. Settings: figures.
"""

from pipeline.assumptions.load import load
from pipeline.errors import run
from pipeline.present.figures import levers as group
from pipeline.present.figures.levers.tables import read_tables
from pipeline.present.figures.registry import draw_all


def main() -> None:
    """Load the tables, draw, save."""
    profile = load("figures")

    draw_all(group.FIGURES, read_tables(), profile, {}, seed=None)


if __name__ == "__main__":
    run(main)
