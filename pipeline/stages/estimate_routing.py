"""Routing: energy over the share that a small model takes, where a commercial router lies, what a gain needs.

Inputs: data/results/{length_fits,length_parameters,length_traffic,node_power_fits}.csv,
data/results/serving_model/, build/published/{routing,routers}.parquet.
Outputs: data/results/routing_{curve,profiles,published,needed}.csv.
Settings: scenario.fleet, assumptions.re_estimate, simulation.
"""

from pathlib import Path

import pandas as pd

from pipeline.assumptions.load import load
from pipeline.contracts.routing import PAIRS
from pipeline.errors import run
from pipeline.estimate.fleet.account import unit_costs
from pipeline.estimate.fleet.draws import Picks, draw_fleet
from pipeline.estimate.fleet.router_energy import routed_energies
from pipeline.estimate.fleet.routing import curves, needed, profiles, published
from pipeline.estimate.study_inputs import read_lengths, read_servers, read_serving
from pipeline.files import write_csv

PUBLISHED = Path("build/published")
RESULTS = Path("data/results")


def main() -> None:
    """Price the models that routers choose among, mix them, save."""
    settings, re_estimate, simulation = load("scenario.fleet", "assumptions.re_estimate", "simulation")
    choices, routers = (pd.read_parquet(PUBLISHED / f"{name}.parquet") for name in ("routing", "routers"))
    model = read_serving(re_estimate.serving)
    draws = draw_fleet(settings, re_estimate, read_lengths(), read_servers(), simulation, model)
    costs = unit_costs(draws, Picks.as_drawn(draws.worlds))
    share = re_estimate.deployments.tensorrt_share
    found = routed_energies(settings.routing, choices, draws, costs, model, share, simulation)

    replicates = draws.worlds.replicates
    closed = {regime: one for (pair, regime), one in found.pairs.items() if pair == PAIRS[1]}
    tables = {
        "curve": curves(found.pairs, replicates),
        "profiles": profiles(choices, found.models, closed, replicates),
        "published": published(found.pairs, routers, replicates),
        "needed": needed(found.pairs, settings.routing.gains, routers),
    }

    for name, table in tables.items():
        write_csv(table, RESULTS / f"routing_{name}.csv")


if __name__ == "__main__":
    run(main)
