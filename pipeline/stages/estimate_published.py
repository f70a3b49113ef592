"""Estimate energy per query and fleet energy as published, precisely: every variant on Sobol points.

Inputs: build/as_published/throughput_fit.parquet.
Outputs: build/as_published/sobol/ (energy, fleet, tokens, energy_histograms, token_histograms).
Settings: assumptions.as_published, simulation.
"""

from pathlib import Path

import pandas as pd

from pipeline.assumptions.load import load
from pipeline.errors import run
from pipeline.estimate.published_sobol import estimate
from pipeline.fit.published_throughput import from_table

FIT = Path("build/as_published/throughput_fit.parquet")
OUTPUT = Path("build/as_published/sobol")


def main() -> None:
    """Load the fits, draw and summarise, save."""
    published, simulation = load("assumptions.as_published", "simulation")
    fits = from_table(pd.read_parquet(FIT))

    tables = estimate(published, fits, simulation)

    tables.save(OUTPUT)


if __name__ == "__main__":
    run(main)
