"""Write the tables of water, each as CSV, LaTeX and Markdown.

Inputs: data/results/{water_split,water_claim_assumptions,prior_water_compared}.csv.
Outputs: paper/tables/water_{scenarios,claim,published}.*. Settings: assumptions.water.
"""

from pathlib import Path

from pipeline.assumptions.load import load
from pipeline.contracts.read import read_table
from pipeline.contracts.water_results import PRIOR_WATER_COMPARED, WATER_CLAIM_ASSUMPTIONS, WATER_SPLIT
from pipeline.errors import run
from pipeline.present.tables import save_table
from pipeline.present.water_tables import water_tables

RESULTS = Path("data/results")
OUTPUT = Path("paper/tables")


def main() -> None:
    """Load the results, choose columns and words, save."""
    settings = load("assumptions.water")
    split = read_table(RESULTS / "water_split.csv", WATER_SPLIT)
    claim = read_table(RESULTS / "water_claim_assumptions.csv", WATER_CLAIM_ASSUMPTIONS)
    prior = read_table(RESULTS / "prior_water_compared.csv", PRIOR_WATER_COMPARED)

    for table in water_tables(split, claim, prior, settings):
        save_table(table, OUTPUT)


if __name__ == "__main__":
    run(main)
