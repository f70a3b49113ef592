"""Draw the figures of the re-estimate.

Inputs: data/results/{energy_per_query,re_estimated,variance_shares,bridge,length_quantiles}.csv.
Outputs: figures/fig-r{6..9}-*.{pdf,svg,png,json}. Settings: figures; for the sidecars, build/parameters.
"""

from pathlib import Path

from pipeline.assumptions.load import load
from pipeline.errors import run
from pipeline.files import read_json
from pipeline.present.figures import re_estimated as group
from pipeline.present.figures.re_estimated.tables import read_tables
from pipeline.present.figures.registry import draw_all

PARAMETERS = Path("build/parameters/draw_re_estimated_figures.json")


def main() -> None:
    """Load the tables, draw, save."""
    profile = load("figures")

    draw_all(group.FIGURES, read_tables(), profile, seed=None, traced=read_json(PARAMETERS))


if __name__ == "__main__":
    run(main)
