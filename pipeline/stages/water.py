"""Water of a query, on site and in its electricity, by scenario of sites."""

from pipeline.core.catalogue import RESULTS, read, write
from pipeline.core.errors import run
from pipeline.core.files import write_json, write_metrics
from pipeline.core.settings import load
from pipeline.energy.model.study import read_study
from pipeline.published.model.energy import from_table
from pipeline.water.model.queries import headline
from pipeline.water.model.sites import read_factors
from pipeline.water.model.tables import water_results


def main() -> None:
    """Draw sites for the queries of both analyses, summarise, save."""
    settings, energy, published, simulation = load("water", "energy", "published", "simulation")
    study, fits = read_study(energy, simulation), from_table(read("throughput_fit"))

    found = water_results(settings, read_factors(), study, published, fits, simulation)

    for name, table in found.items():
        write(name, table)
    waters = headline(found["water_split"], found["carbon_per_query"], settings.headline)
    write_json(waters, f"{RESULTS}/water_metrics.json")
    write_metrics("water", chat_ml=waters["production_lengths"]["short_total_ml"]["p50"])


if __name__ == "__main__":
    run(main)
