"""Write the tables of levers, each as CSV, LaTeX and Markdown.

Inputs: data/results/lever_{systems,hardware,scale,combinations}.csv.
Outputs: paper/tables/ of the same names. Settings: none.
"""

from pathlib import Path

from pipeline.contracts.levers import LEVER_COMBINATIONS, LEVER_HARDWARE, LEVER_SCALE, LEVER_SYSTEMS
from pipeline.contracts.read import read_table
from pipeline.errors import run
from pipeline.present.lever_tables import lever_tables
from pipeline.present.tables import save_table

RESULTS = Path("data/results")
OUTPUT = Path("paper/tables")


def main() -> None:
    """Load the results, choose columns and words, save."""
    systems = read_table(RESULTS / "lever_systems.csv", LEVER_SYSTEMS)
    hardware = read_table(RESULTS / "lever_hardware.csv", LEVER_HARDWARE)
    scale = read_table(RESULTS / "lever_scale.csv", LEVER_SCALE)
    combinations = read_table(RESULTS / "lever_combinations.csv", LEVER_COMBINATIONS)

    for table in lever_tables(systems, hardware, scale, combinations):
        save_table(table, OUTPUT)


if __name__ == "__main__":
    run(main)
