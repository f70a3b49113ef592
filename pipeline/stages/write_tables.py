"""Write the tables of the paper, each as CSV, LaTeX and Markdown.

Inputs: build/published/throughput.parquet, data/results/{energy_per_query,fleet,claims,table_1}.csv,
data/results/published_throughput_fit.csv; those of WATER, FLEETS and LEVERS below; the published levers.
Outputs: paper/tables/. Settings: assumptions.as_published, assumptions.water and, to be listed,
assumptions.re_estimate, assumptions.validation, assumptions.levers and scenario.fleet.
"""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from pandera.pandas import DataFrameSchema

from pipeline.assumptions import load
from pipeline.assumptions.base import Section
from pipeline.assumptions.published import AsPublished
from pipeline.contracts import read_table
from pipeline.contracts.fleet import COOLING_LEVER, DATACENTRE_LEVER, FLEET_OVERHEADS, FLEET_SCENARIOS
from pipeline.contracts.ledger import LEDGER
from pipeline.contracts.levers import LEVER_COMBINATIONS, LEVER_HARDWARE, LEVER_SCALE, LEVER_SYSTEMS
from pipeline.contracts.results import ENERGY_PER_QUERY, FLEET
from pipeline.contracts.routing import ROUTING_NEEDED, ROUTING_PROFILES
from pipeline.contracts.table_1 import TABLE_1
from pipeline.contracts.water_results import PRIOR_WATER_COMPARED, WATER_CLAIM_ASSUMPTIONS, WATER_SPLIT
from pipeline.errors import run
from pipeline.present.fleet_tables import fleet_tables
from pipeline.present.lever_tables import lever_tables
from pipeline.present.published_tables import all_tables
from pipeline.present.tables import Table, save_table
from pipeline.present.water_tables import water_tables

THROUGHPUT = Path("build/published/throughput.parquet")
EVIDENCE = Path("build/published/levers.parquet")
RESULTS = Path("data/results")
OUTPUT = Path("paper/tables")
WATER = {
    "water_split": WATER_SPLIT,
    "water_claim_assumptions": WATER_CLAIM_ASSUMPTIONS,
    "prior_water_compared": PRIOR_WATER_COMPARED,
}
FLEETS = {
    "fleet_scenarios": FLEET_SCENARIOS,
    "fleet_overheads": FLEET_OVERHEADS,
    "routing_profiles": ROUTING_PROFILES,
    "routing_needed": ROUTING_NEEDED,
    "datacentre_lever": DATACENTRE_LEVER,
    "cooling_lever": COOLING_LEVER,
}
LEVERS = {
    "lever_systems": LEVER_SYSTEMS,
    "lever_hardware": LEVER_HARDWARE,
    "lever_scale": LEVER_SCALE,
    "lever_combinations": LEVER_COMBINATIONS,
}


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
    split, claim, prior = results(WATER)
    systems, hardware, scale, combinations = results(LEVERS)
    tables = [
        *published_tables(published, ours),
        *water_tables(split, claim, prior, water),
        *fleet_tables(*results(FLEETS)),
        *lever_tables(systems, hardware, scale, combinations, pd.read_parquet(EVIDENCE)),
    ]

    for table in tables:
        save_table(table, OUTPUT)


def results(contracts: Mapping[str, DataFrameSchema]) -> list[pd.DataFrame]:
    """Tables of data/results, each by its contract."""
    return [read_table(RESULTS / f"{name}.csv", contract) for name, contract in contracts.items()]


def published_tables(published: AsPublished, ours: Mapping[str, Section]) -> list[Table]:
    """Those of the published analysis, and of what ours takes for granted."""
    energy = read_table(RESULTS / "energy_per_query.csv", ENERGY_PER_QUERY)
    fleet = read_table(RESULTS / "fleet.csv", FLEET)
    ledger = read_table(RESULTS / "claims.csv", LEDGER)
    table_1 = read_table(RESULTS / "table_1.csv", TABLE_1)
    fits = pd.read_csv(RESULTS / "published_throughput_fit.csv")
    return all_tables(energy, fleet, pd.read_parquet(THROUGHPUT), fits, ledger, table_1, published, ours)


if __name__ == "__main__":
    run(main)
