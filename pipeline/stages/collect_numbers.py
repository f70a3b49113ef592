"""Collect every number that the paper may use under one key each.

Inputs: data/results/{energy_per_query,fleet,claims,published_throughput_fit}.csv and, of the re-estimate, the
tables of ReEstimateTables in the same folder; of routing and fleets those of FleetNumberTables, and
data/published/routers.csv; of levers lever_{combinations,systems,scale,needed}.csv; of water those of
WaterNumberTables.
Outputs: build/paper/numbers.json.
Settings: assumptions.as_published, assumptions.re_estimate, assumptions.levers, assumptions.water,
scenario.fleet.
"""

from dataclasses import fields
from pathlib import Path

import pandas as pd

from pipeline.assumptions import load
from pipeline.contracts import read_table
from pipeline.contracts.ledger import LEDGER
from pipeline.contracts.levers import LEVER_COMBINATIONS, LEVER_NEEDED, LEVER_SCALE, LEVER_SYSTEMS
from pipeline.contracts.results import ENERGY_PER_QUERY, FLEET
from pipeline.contracts.routing import ROUTERS
from pipeline.errors import run
from pipeline.files import write_json
from pipeline.present.fleet_numbers import FleetNumberTables, collect_fleet
from pipeline.present.lever_numbers import collect_lever_systems, collect_levers
from pipeline.present.numbers import collect
from pipeline.present.re_estimate_numbers import ReEstimateTables, collect_re_estimate
from pipeline.present.water_numbers import WaterNumberTables, collect_water

RESULTS = Path("data/results")
ROUTERS_CSV = Path("data/published/routers.csv")
OUTPUT = Path("build/paper/numbers.json")


def main() -> None:
    """Load the results, key them, save."""
    published, re_estimate, settings, water, levers = load(
        "assumptions.as_published",
        "assumptions.re_estimate",
        "scenario.fleet",
        "assumptions.water",
        "assumptions.levers",
    )
    energy = read_table(RESULTS / "energy_per_query.csv", ENERGY_PER_QUERY)
    fleet = read_table(RESULTS / "fleet.csv", FLEET)
    ledger = read_table(RESULTS / "claims.csv", LEDGER)
    fits = pd.read_csv(RESULTS / "published_throughput_fit.csv")
    tables = ReEstimateTables(
        **{table.name: pd.read_csv(RESULTS / f"{table.name}.csv") for table in fields(ReEstimateTables)}
    )

    fleets = FleetNumberTables(
        **{table.name: pd.read_csv(RESULTS / f"{table.name}.csv") for table in fields(FleetNumberTables)}
    )
    routers = read_table(ROUTERS_CSV, ROUTERS)
    waters = WaterNumberTables(
        **{table.name: pd.read_csv(RESULTS / f"{table.name}.csv") for table in fields(WaterNumberTables)}
    )

    numbers = collect(energy, fleet, fits, ledger, published) | collect_re_estimate(tables, re_estimate)
    numbers |= collect_levers(read_table(RESULTS / "lever_combinations.csv", LEVER_COMBINATIONS))
    numbers |= collect_lever_systems(
        read_table(RESULTS / "lever_systems.csv", LEVER_SYSTEMS),
        read_table(RESULTS / "lever_scale.csv", LEVER_SCALE),
        read_table(RESULTS / "lever_needed.csv", LEVER_NEEDED),
        levers,
    )
    numbers |= collect_fleet(fleets, routers, settings) | collect_water(waters, water)

    write_json(numbers, OUTPUT)


if __name__ == "__main__":
    run(main)
