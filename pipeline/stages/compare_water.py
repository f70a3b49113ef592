"""Published waters per query from their own inputs and beside ours, and what the published range rests on.

Inputs: build/published/{prior_water,sites,pue,wue,electricity_water,claims,comparisons}.parquet,
data/results/{water_sites,water_split,water_fleet,energy_per_query,re_estimated}.csv.
Outputs: data/results/{prior_water_compared,water_claim_assumptions,water_fleet_compared}.csv.
Settings: assumptions.water.headline.
"""

from pathlib import Path

import pandas as pd

from pipeline.assumptions.load import load
from pipeline.contracts.re_estimated import RE_ESTIMATED
from pipeline.contracts.read import read_table
from pipeline.contracts.results import ENERGY_PER_QUERY
from pipeline.contracts.water_results import WATER_FLEET, WATER_SITES, WATER_SPLIT
from pipeline.errors import run
from pipeline.estimate.water.claim import assumptions, energies
from pipeline.estimate.water.published_waters import beside, compared
from pipeline.estimate.water.sites import SITE_TABLES, site_factors
from pipeline.files import write_csv

PUBLISHED = Path("build/published")
RESULTS = Path("data/results")
CLAIM = "blog.water"


def main() -> None:
    """Load, compare, save."""
    headline = load("assumptions.water.headline")
    facts = {
        name: pd.read_parquet(PUBLISHED / f"{name}.parquet")
        for name in (*SITE_TABLES, "prior_water", "claims", "comparisons")
    }
    factors = site_factors(facts)
    sites = read_table(RESULTS / "water_sites.csv", WATER_SITES)
    split = read_table(RESULTS / "water_split.csv", WATER_SPLIT)
    energy = energies(
        read_table(RESULTS / "energy_per_query.csv", ENERGY_PER_QUERY),
        read_table(RESULTS / "re_estimated.csv", RE_ESTIMATED),
    )
    claim = facts["claims"][facts["claims"]["key"] == CLAIM]
    claim_ml = float(claim["low"].item()), float(claim["high"].item())
    day = read_table(RESULTS / "water_fleet.csv", WATER_FLEET)

    table = compared(facts["prior_water"], factors, sites, split, headline)
    behind = assumptions(energy, factors, claim_ml)
    others = beside(day, facts["comparisons"], headline)

    write_csv(table, RESULTS / "prior_water_compared.csv")
    write_csv(behind, RESULTS / "water_claim_assumptions.csv")
    write_csv(others, RESULTS / "water_fleet_compared.csv")


if __name__ == "__main__":
    run(main)
