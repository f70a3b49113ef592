"""Draw the figures of fleets and routing.

Inputs: data/results/{fleet_scenarios,fleet_shares,fleet_sweep,fleet_comparisons,datacentre_lever,
cooling_lever}.csv, data/results/routing_{curve,profiles,needed}.csv,
data/published/{routers,comparisons}.csv.
Outputs: figures/fig-f*.{pdf,svg,png,json}. Settings: figures.
"""

from pipeline.assumptions.load import load
from pipeline.errors import run
from pipeline.present.figures import fleet as group
from pipeline.present.figures.fleet.tables import read_tables
from pipeline.present.figures.registry import draw_all


def main() -> None:
    """Load the tables, draw, save."""
    profile = load("figures")

    draw_all(group.FIGURES, read_tables(), profile, {}, seed=None)


if __name__ == "__main__":
    run(main)
