"""Levers: what each named system gains, on what evidence, and what they gain together.

With them the lever of the datacentre: from fleet averages to the best sites by PUE, and cooling.
"""

from dataclasses import replace
from typing import Any

from pipeline.core.catalogue import read, write
from pipeline.core.errors import run
from pipeline.core.settings import load
from pipeline.energy.model.samples import design_of
from pipeline.energy.model.study import read_lengths, read_servers, read_serving
from pipeline.fleet.model.draws import cooling_lever, datacentre_lever, draw_fleet
from pipeline.levers.model.evaluator import Evaluator
from pipeline.levers.model.rows import PublishedEvidence
from pipeline.levers.model.tables import READ, lever_tables
from pipeline.water.model.sites import read_factors


def main() -> None:
    """Draw both ends of every move between sites, evaluate every system in the same samples, save."""
    settings, fleet, energy, water, simulation = load("levers", "fleet", "energy", "water", "simulation")
    published = {name: load(f"published.base.lever_{name}") for name in ("model", "serving", "hardware")}
    # Sites alone are cheap to draw: as many as the published analysis takes.
    design = replace(design_of(simulation.seed, fleet.propagation), outer=simulation.draws_per_replicate)
    moves = {
        "datacentre_lever": datacentre_lever(fleet.sites, energy.pue, design),
        "cooling_lever": cooling_lever(water, read_factors(), design),
    }
    tables = {name: read(name) for name in READ} | moves
    model = read_serving(energy.serving, simulation)
    draws = draw_fleet(fleet, energy, read_lengths(), read_servers(), simulation, model)
    rows = PublishedEvidence.of(settings, tables["levers"], tables["routers"])
    share = energy.deployments.tensorrt_share
    facts: Any = tables["hardware"].set_index("gpu").to_dict("index")
    evaluator = Evaluator.of(settings, fleet.sites, share, draws, model, rows, facts)

    found = lever_tables(evaluator, tables, fleet, energy.serving, published)

    for name, table in (moves | found).items():
        write(name, table)


if __name__ == "__main__":
    run(main)
