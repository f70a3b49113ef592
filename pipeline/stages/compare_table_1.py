"""Table 1 of the published analysis from its sources' own rows, and at one boundary.

Inputs: build/published/{comparators,claims}.parquet, data/telemetry/serving_measurements.csv and, of
data/results, energy_per_query and token_lengths.
Outputs: data/results/table_1.csv. Settings: none.
"""

from pathlib import Path

import pandas as pd

from pipeline.contracts import read_table, validate
from pipeline.contracts.results import ENERGY_PER_QUERY, TOKEN_LENGTHS
from pipeline.contracts.table_1 import TABLE_1
from pipeline.contracts.telemetry import SERVING_MEASUREMENTS
from pipeline.errors import run
from pipeline.estimate.table_1 import table_1
from pipeline.files import write_csv

PUBLISHED = Path("build/published")
RESULTS = Path("data/results")
MEASURED = Path("data/telemetry/serving_measurements.csv")
OUTPUT = RESULTS / "table_1.csv"


def main() -> None:
    """Find the rows, recompute, save."""
    comparators, claims = (
        pd.read_parquet(PUBLISHED / f"{name}.parquet") for name in ("comparators", "claims")
    )
    measured = read_table(MEASURED, SERVING_MEASUREMENTS)
    energy = read_table(RESULTS / "energy_per_query.csv", ENERGY_PER_QUERY)
    lengths = read_table(RESULTS / "token_lengths.csv", TOKEN_LENGTHS)

    table = table_1(comparators, claims, measured, energy, lengths)

    write_csv(validate(table, TABLE_1, OUTPUT), OUTPUT)


if __name__ == "__main__":
    run(main)
