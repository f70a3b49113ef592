"""The lever of the datacentre: from fleet averages to the best sites by PUE, and cooling with its water.

Inputs: build/published/{sites,pue,wue,electricity_water}.parquet.
Outputs: data/results/{datacentre_lever,cooling_lever}.csv.
Settings: scenario.fleet, assumptions.re_estimate.pue, assumptions.water, simulation.
"""

from pathlib import Path

import pandas as pd

from pipeline.assumptions.load import load
from pipeline.errors import run
from pipeline.estimate.fleet.sites import cooling_lever, datacentre_lever
from pipeline.estimate.water.sites import site_factors
from pipeline.files import write_csv

PUBLISHED = Path("build/published")
RESULTS = Path("data/results")
TABLES = ("sites", "pue", "wue", "electricity_water")


def main() -> None:
    """Draw both ends of every move, save the ratios."""
    fleet, drawn, water, simulation = load(
        "scenario.fleet", "assumptions.re_estimate.pue", "assumptions.water", "simulation"
    )
    factors = site_factors({name: pd.read_parquet(PUBLISHED / f"{name}.parquet") for name in TABLES})

    moves = datacentre_lever(fleet.sites, drawn, fleet.propagation, simulation)
    cooling = cooling_lever(water, factors, fleet.propagation, simulation)

    write_csv(moves, RESULTS / "datacentre_lever.csv")
    write_csv(cooling, RESULTS / "cooling_lever.csv")


if __name__ == "__main__":
    run(main)
