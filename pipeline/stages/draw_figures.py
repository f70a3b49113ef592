"""Draw all figures.

Inputs: the files that the entries of pipeline/present/figures/catalogue.py name.
Outputs: figures/NAME.{pdf,svg,png,json}. Settings: figures; for what the published figures name and for their
sidecars assumptions.as_published and simulation, for the other sidecars build/parameters.
"""

from pathlib import Path

import pandas as pd

from pipeline.assumptions.load import load
from pipeline.assumptions.published import AsPublished
from pipeline.contracts.published import CLAIMS
from pipeline.contracts.read import read_table
from pipeline.contracts.results import ENERGY_PER_QUERY, FLEET, TOKEN_LENGTHS
from pipeline.errors import run
from pipeline.files import read_json
from pipeline.present.figures import fleet, levers, published, re_estimated, validation, water
from pipeline.present.figures.fleet.tables import read_tables as fleet_tables
from pipeline.present.figures.levers.tables import read_tables as lever_tables
from pipeline.present.figures.published.settings import fleet_settings, parameters
from pipeline.present.figures.published.tables import PublishedTables
from pipeline.present.figures.re_estimated.tables import read_tables as re_estimated_tables
from pipeline.present.figures.registry import Group, draw_all
from pipeline.present.figures.validation.tables import read_tables as validation_tables
from pipeline.present.figures.water.tables import read_tables as water_tables

PARAMETERS = Path("build/parameters/draw_figures.json")


def main() -> None:
    """Load the tables, draw, save."""
    as_published, simulation, profile = load("assumptions.as_published", "simulation", "figures")
    traced = read_json(PARAMETERS)

    groups = [
        Group(
            published.FIGURES, published_tables(as_published), simulation.seed, own=parameters(as_published)
        ),
        Group(validation.FIGURES, validation_tables(), traced=traced),
        Group(re_estimated.FIGURES, re_estimated_tables(), traced=traced),
        Group(fleet.FIGURES, fleet_tables(), traced=traced),
        Group(levers.FIGURES, lever_tables(), traced=traced),
        Group(water.FIGURES, water_tables(), traced=traced),
    ]
    draw_all(groups, profile)


def published_tables(settings: AsPublished) -> PublishedTables:
    """What the published figures are drawn from."""
    return PublishedTables(
        energy=read_table(published.ENERGY, ENERGY_PER_QUERY),
        tokens=read_table(published.TOKENS, TOKEN_LENGTHS),
        fleet=read_table(published.FLEET, FLEET),
        claims=read_table(published.CLAIMS, CLAIMS),
        energy_histograms=pd.read_parquet(published.ENERGY_HISTOGRAMS),
        token_histograms=pd.read_parquet(published.TOKEN_HISTOGRAMS),
        fleet_settings=fleet_settings(settings),
    )


if __name__ == "__main__":
    run(main)
