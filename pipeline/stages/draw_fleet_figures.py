"""Draw the figures of fleets and routing.

Inputs: data/results/{fleet_scenarios,fleet_shares,fleet_sweep,fleet_comparisons,datacentre_lever,
cooling_lever}.csv, data/results/routing_{curve,profiles,needed}.csv,
data/published/{routers,comparisons}.csv.
Outputs: figures/fig-f*.{pdf,svg,png,json}. Settings: figures; for the sidecars, build/parameters.
"""

from pathlib import Path

from pipeline.assumptions.load import load
from pipeline.errors import run
from pipeline.files import read_json
from pipeline.present.figures import fleet as group
from pipeline.present.figures.fleet.tables import read_tables
from pipeline.present.figures.registry import draw_all

PARAMETERS = Path("build/parameters/draw_fleet_figures.json")


def main() -> None:
    """Load the tables, draw, save."""
    profile = load("figures")

    draw_all(group.FIGURES, read_tables(), profile, seed=None, traced=read_json(PARAMETERS))


if __name__ == "__main__":
    run(main)
