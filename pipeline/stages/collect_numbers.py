"""Collect every number that the paper may use under one key each.

Inputs: data/results/{energy_per_query,fleet,claims,published_throughput_fit}.csv and, of the re-estimate, the
tables of ReEstimateTables in the same folder.
Outputs: build/paper/numbers.json. Settings: assumptions.as_published, assumptions.re_estimate.
"""

from dataclasses import fields
from pathlib import Path

import pandas as pd

from pipeline.assumptions import load
from pipeline.contracts import read_table
from pipeline.contracts.ledger import LEDGER
from pipeline.contracts.results import ENERGY_PER_QUERY, FLEET
from pipeline.errors import run
from pipeline.files import write_json
from pipeline.present.numbers import collect
from pipeline.present.re_estimate_numbers import ReEstimateTables, collect_re_estimate

RESULTS = Path("data/results")
OUTPUT = Path("build/paper/numbers.json")


def main() -> None:
    """Load the results, key them, save."""
    published, re_estimate = load("assumptions.as_published", "assumptions.re_estimate")
    energy = read_table(RESULTS / "energy_per_query.csv", ENERGY_PER_QUERY)
    fleet = read_table(RESULTS / "fleet.csv", FLEET)
    ledger = read_table(RESULTS / "claims.csv", LEDGER)
    fits = pd.read_csv(RESULTS / "published_throughput_fit.csv")
    tables = ReEstimateTables(
        **{table.name: pd.read_csv(RESULTS / f"{table.name}.csv") for table in fields(ReEstimateTables)}
    )

    numbers = collect(energy, fleet, fits, ledger, published) | collect_re_estimate(tables, re_estimate)

    write_json(numbers, OUTPUT)


if __name__ == "__main__":
    run(main)
