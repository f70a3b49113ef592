"""Published energies per query beside the published median and ours.

Inputs: build/published/prior_estimates.parquet, data/results/energy_per_query.csv.
Outputs: data/results/prior_estimates_compared.csv.
Settings: assumptions.as_published.base.{output_tokens_short,output_tokens_long}.
"""

from pathlib import Path

import pandas as pd

from pipeline.assumptions import load
from pipeline.contracts import read_table, validate
from pipeline.contracts.results import ENERGY_PER_QUERY
from pipeline.contracts.validation import PRIOR_ESTIMATES_COMPARED
from pipeline.errors import run
from pipeline.estimate.prior_estimates import compared
from pipeline.files import write_csv

TABLE = Path("data/results/prior_estimates_compared.csv")


def main() -> None:
    """Select, group, compare."""
    short, long = load(
        "assumptions.as_published.base.output_tokens_short",
        "assumptions.as_published.base.output_tokens_long",
    )
    estimates = pd.read_parquet("build/published/prior_estimates.parquet")
    energy = read_table("data/results/energy_per_query.csv", ENERGY_PER_QUERY)

    table = compared(estimates, energy, short.distribution.median(), long.distribution.median())

    write_csv(validate(table, PRIOR_ESTIMATES_COMPARED, TABLE), TABLE)


if __name__ == "__main__":
    run(main)
