"""Write the tables of routing, sites and fleets, each as CSV, LaTeX and Markdown.

Inputs: data/results/{fleet_scenarios,fleet_overheads,routing_profiles,routing_needed,datacentre_lever,
cooling_lever}.csv.
Outputs: paper/tables/ of the same names. Settings: none.
"""

from pathlib import Path

from pipeline.contracts.fleet import COOLING_LEVER, DATACENTRE_LEVER, FLEET_OVERHEADS, FLEET_SCENARIOS
from pipeline.contracts.read import read_table
from pipeline.contracts.routing import ROUTING_NEEDED, ROUTING_PROFILES
from pipeline.errors import run
from pipeline.present.fleet_tables import fleet_tables
from pipeline.present.tables import save_table

RESULTS = Path("data/results")
OUTPUT = Path("paper/tables")


def main() -> None:
    """Load the results, choose columns and words, save."""
    scenarios = read_table(RESULTS / "fleet_scenarios.csv", FLEET_SCENARIOS)
    overheads = read_table(RESULTS / "fleet_overheads.csv", FLEET_OVERHEADS)
    profiles = read_table(RESULTS / "routing_profiles.csv", ROUTING_PROFILES)
    needed = read_table(RESULTS / "routing_needed.csv", ROUTING_NEEDED)
    sites = read_table(RESULTS / "datacentre_lever.csv", DATACENTRE_LEVER)
    cooling = read_table(RESULTS / "cooling_lever.csv", COOLING_LEVER)

    tables = fleet_tables(scenarios, overheads, profiles, needed, sites, cooling)

    for table in tables:
        save_table(table, OUTPUT)


if __name__ == "__main__":
    run(main)
