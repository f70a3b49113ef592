"""Fleets: energy, power and servers of a day by scenario, the sweep, what the bands rest on; and routing."""

from pipeline.core.catalogue import RESULTS, read, write
from pipeline.core.errors import run
from pipeline.core.files import write_json, write_metrics
from pipeline.core.settings import load
from pipeline.energy.model.study import read_lengths, read_servers, read_serving
from pipeline.fleet.model.draws import Places, draw_fleet
from pipeline.fleet.model.routing import routing_results
from pipeline.fleet.model.tables import fleet_results, headline
from pipeline.water.model.sites import read_factors


def main() -> None:
    """Draw the fleet once, account for every scenario, mix the models that routers choose among, save."""
    settings, energy, water, simulation = load("fleet", "energy", "water", "simulation")
    overheads = load("published.base.overheads_short")
    model = read_serving(energy.serving, simulation)
    draws = draw_fleet(settings, energy, read_lengths(), read_servers(), simulation, model)
    places = Places.draw(settings, draws.samples, water, read_factors())
    share = energy.deployments.tensorrt_share

    claims = read("claims_gwh_per_day").set_index("key")["value"]
    found = fleet_results(settings, draws, places, claims, overheads, read("comparisons"))
    found |= routing_results(settings.routing, draws, model, share, read("routing"), read("routers"))

    for name, table in found.items():
        write(name, table)
    day = headline(found["fleet_scenarios"])
    write_json(day, f"{RESULTS}/fleet_metrics.json")
    write_metrics("day", day_gwh=day["energy (GWh/day)"]["p50"])


if __name__ == "__main__":
    run(main)
