"""Write the tables of the paper, each as CSV, LaTeX and Markdown.

Inputs: build/published/throughput.parquet, data/results/{energy_per_query,fleet,claims,table_1}.csv,
data/results/published_throughput_fit.csv.
Outputs: paper/tables/. Settings: assumptions.as_published and, to be listed, assumptions.re_estimate,
assumptions.validation, assumptions.water, assumptions.levers and scenario.fleet.
"""

from pathlib import Path

import pandas as pd

from pipeline.assumptions import load
from pipeline.contracts import read_table
from pipeline.contracts.ledger import LEDGER
from pipeline.contracts.results import ENERGY_PER_QUERY, FLEET
from pipeline.contracts.table_1 import TABLE_1
from pipeline.errors import run
from pipeline.present.published_tables import all_tables
from pipeline.present.tables import save_table

THROUGHPUT = Path("build/published/throughput.parquet")
RESULTS = Path("data/results")
OUTPUT = Path("paper/tables")


def main() -> None:
    """Load the results, choose columns and words, save."""
    published, re_estimate, validation, water, levers, scenario = load(
        "assumptions.as_published",
        "assumptions.re_estimate",
        "assumptions.validation",
        "assumptions.water",
        "assumptions.levers",
        "scenario.fleet",
    )
    ours = {
        "re-estimate": re_estimate,
        "validation": validation,
        "water": water,
        "levers": levers,
        "fleet": scenario,
    }
    energy = read_table(RESULTS / "energy_per_query.csv", ENERGY_PER_QUERY)
    fleet = read_table(RESULTS / "fleet.csv", FLEET)
    ledger = read_table(RESULTS / "claims.csv", LEDGER)
    fits = pd.read_csv(RESULTS / "published_throughput_fit.csv")

    table_1 = read_table(RESULTS / "table_1.csv", TABLE_1)

    tables = all_tables(energy, fleet, pd.read_parquet(THROUGHPUT), fits, ledger, table_1, published, ours)

    for table in tables:
        save_table(table, OUTPUT)


if __name__ == "__main__":
    run(main)
