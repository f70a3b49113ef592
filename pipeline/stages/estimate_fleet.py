"""Fleets: energy, power and servers of a day by scenario, the sweep, and what the bands rest on.

Inputs: data/results/{length_fits,length_parameters,length_traffic,node_power_fits}.csv,
data/results/serving_model/, build/published/{claims,comparisons,sites,pue,wue,electricity_water}.parquet.
Outputs: data/results/fleet_{unit_costs,scenarios,sweep,shares,overheads,comparisons}.csv, and the headline of
the base scenario, data/results/fleet_metrics.json. Settings: scenario.fleet, assumptions.re_estimate,
assumptions.water, simulation, the published overheads of assumptions.as_published.
"""

from pathlib import Path

import pandas as pd

from pipeline.assumptions.load import load
from pipeline.assumptions.published import known
from pipeline.errors import run
from pipeline.estimate.fleet.account import unit_costs
from pipeline.estimate.fleet.draws import Picks, draw_fleet
from pipeline.estimate.fleet.overheads import overheads
from pipeline.estimate.fleet.places import Places
from pipeline.estimate.fleet.shares import shares
from pipeline.estimate.fleet.tables import comparisons, headline, scenarios, sweep, unit_cost_table
from pipeline.estimate.study_inputs import read_lengths, read_servers, read_serving
from pipeline.estimate.water.sites import site_factors
from pipeline.files import write_csv, write_json

PUBLISHED = Path("build/published")
RESULTS = Path("data/results")
SITE_TABLES = ("sites", "pue", "wue", "electricity_water")


def main() -> None:
    """Draw the fleet once, account for every scenario, save."""
    settings, re_estimate, water, simulation, factors = load(
        "scenario.fleet",
        "assumptions.re_estimate",
        "assumptions.water",
        "simulation",
        "assumptions.as_published.base.overheads_short",
    )
    claims = pd.read_parquet(PUBLISHED / "claims.parquet").set_index("key")["value"]
    facts = pd.read_parquet(PUBLISHED / "comparisons.parquet")
    model = read_serving(re_estimate.serving)
    draws = draw_fleet(settings, re_estimate, read_lengths(), read_servers(), simulation, model)

    tables = {name: pd.read_parquet(PUBLISHED / f"{name}.parquet") for name in SITE_TABLES}
    places = Places.draw(settings, draws, water, site_factors(tables))

    costs = unit_costs(draws, Picks.as_drawn(draws.worlds))
    found = {
        "unit_costs": unit_cost_table(costs, draws.worlds.replicates),
        "scenarios": scenarios(settings, draws, costs, places, claims),
        "sweep": sweep(settings, draws, costs, places),
        "shares": shares(settings, draws, places, settings.shares_of),
        "overheads": overheads(draws, [known(item) for item in factors], factors[0].source),
        "comparisons": comparisons(settings, draws, costs, places, facts),
    }

    for name, table in found.items():
        write_csv(table, RESULTS / f"fleet_{name}.csv")
    write_json(headline(found["scenarios"]), RESULTS / "fleet_metrics.json")


if __name__ == "__main__":
    run(main)
