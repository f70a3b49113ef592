"""Write the tables of levers, each as CSV, LaTeX and Markdown.

Inputs: data/results/lever_{systems,hardware,scale,combinations}.csv, build/published/levers.parquet.
Outputs: paper/tables/ of the same names, and lever_evidence. Settings: none.
"""

from pathlib import Path

import pandas as pd

from pipeline.contracts.levers import LEVER_COMBINATIONS, LEVER_HARDWARE, LEVER_SCALE, LEVER_SYSTEMS
from pipeline.contracts.read import read_table
from pipeline.errors import run
from pipeline.present.lever_tables import lever_tables
from pipeline.present.tables import save_table

RESULTS = Path("data/results")
EVIDENCE = Path("build/published/levers.parquet")
OUTPUT = Path("paper/tables")


def main() -> None:
    """Load the results, choose columns and words, save."""
    systems = read_table(RESULTS / "lever_systems.csv", LEVER_SYSTEMS)
    hardware = read_table(RESULTS / "lever_hardware.csv", LEVER_HARDWARE)
    scale = read_table(RESULTS / "lever_scale.csv", LEVER_SCALE)
    combinations = read_table(RESULTS / "lever_combinations.csv", LEVER_COMBINATIONS)
    evidence = pd.read_parquet(EVIDENCE)

    for table in lever_tables(systems, hardware, scale, combinations, evidence):
        save_table(table, OUTPUT)


if __name__ == "__main__":
    run(main)
