"""Draw the figures of the paper from the as-published analysis.

Inputs: data/results/{energy_per_query,token_lengths,fleet}.csv, data/published/claims.csv and
build/results/{energy_histograms,token_histograms}.parquet.
Outputs: figures/fig-*.{pdf,svg,png,json}. Settings: assumptions.as_published, simulation, figures.
"""

import pandas as pd

from pipeline.assumptions.load import load
from pipeline.contracts.published import CLAIMS
from pipeline.contracts.read import read_table
from pipeline.contracts.results import ENERGY_PER_QUERY, FLEET, TOKEN_LENGTHS
from pipeline.errors import run
from pipeline.present.figures import published as group
from pipeline.present.figures.published.settings import fleet_settings, parameters
from pipeline.present.figures.published.tables import PublishedTables
from pipeline.present.figures.registry import draw_all


def main() -> None:
    """Load the results, draw, save."""
    published, simulation, profile = load("assumptions.as_published", "simulation", "figures")
    tables = PublishedTables(
        energy=read_table(group.ENERGY, ENERGY_PER_QUERY),
        tokens=read_table(group.TOKENS, TOKEN_LENGTHS),
        fleet=read_table(group.FLEET, FLEET),
        claims=read_table(group.CLAIMS, CLAIMS),
        energy_histograms=pd.read_parquet(group.ENERGY_HISTOGRAMS),
        token_histograms=pd.read_parquet(group.TOKEN_HISTOGRAMS),
        fleet_settings=fleet_settings(published),
    )

    draw_all(group.FIGURES, tables, profile, simulation.seed, own=parameters(published))


if __name__ == "__main__":
    run(main)
