"""Estimate energy per query and fleet energy as published, on the authors' own random stream.

Inputs: build/as_published/throughput_fit.parquet.
Outputs: build/as_published/authors/ (energy, fleet, tokens, energy_histograms, token_histograms).
Settings: assumptions.as_published.
"""

from pathlib import Path

import pandas as pd

from pipeline.assumptions.load import load
from pipeline.errors import run
from pipeline.estimate.published_authors import estimate
from pipeline.fit.published_throughput import from_table

FIT = Path("build/as_published/throughput_fit.parquet")
OUTPUT = Path("build/as_published/authors")


def main() -> None:
    """Load the fits, run the scripts, save."""
    published = load("assumptions.as_published")
    fits = from_table(pd.read_parquet(FIT))

    tables = estimate(published, fits)

    tables.save(OUTPUT)


if __name__ == "__main__":
    run(main)
