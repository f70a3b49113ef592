"""Collect every number that the paper may use under one key each.

Inputs: data/results/{energy_per_query,fleet,claims}.csv, data/results/published_throughput_fit.csv.
Outputs: build/paper/numbers.json. Settings: assumptions.as_published.
"""

from pathlib import Path

import pandas as pd

from pipeline.assumptions import load
from pipeline.contracts import read_table
from pipeline.contracts.ledger import LEDGER
from pipeline.contracts.results import ENERGY_PER_QUERY, FLEET
from pipeline.errors import run
from pipeline.files import write_json
from pipeline.present.numbers import collect

RESULTS = Path("data/results")
OUTPUT = Path("build/paper/numbers.json")


def main() -> None:
    """Load the results, key them, save."""
    published = load("assumptions.as_published")
    energy = read_table(RESULTS / "energy_per_query.csv", ENERGY_PER_QUERY)
    fleet = read_table(RESULTS / "fleet.csv", FLEET)
    ledger = read_table(RESULTS / "claims.csv", LEDGER)
    fits = pd.read_csv(RESULTS / "published_throughput_fit.csv")

    numbers = collect(energy, fleet, fits, ledger, published)

    write_json(numbers, OUTPUT)


if __name__ == "__main__":
    run(main)
