"""The lever of the datacentre: from fleet averages to the best sites, by PUE.

Inputs: none but settings. Output: data/results/datacentre_lever.csv.
Settings: scenario.fleet, assumptions.re_estimate.pue, simulation.
"""

from pathlib import Path

from pipeline.assumptions.load import load
from pipeline.errors import run
from pipeline.estimate.fleet.sites import datacentre_lever
from pipeline.files import write_csv

LEVER = Path("data/results/datacentre_lever.csv")


def main() -> None:
    """Draw both ends of every move, save the ratio."""
    fleet, drawn, simulation = load("scenario.fleet", "assumptions.re_estimate.pue", "simulation")

    table = datacentre_lever(fleet.sites, drawn, fleet.propagation, simulation)

    write_csv(table, LEVER)


if __name__ == "__main__":
    run(main)
