"""Energy and water of a query of one service under the settings of what_if."""

from pipeline.core.catalogue import RESULTS, write
from pipeline.core.errors import run
from pipeline.core.files import write_json, write_metrics
from pipeline.core.settings import load
from pipeline.water.model.sites import read_sites
from pipeline.what_if.model.answer import Inputs, answer, headline


def main() -> None:
    """Draw, summarise, save."""
    chosen, settings, water, published, simulation = load(
        "what_if", "energy", "water", "published.base", "simulation"
    )
    inputs = Inputs.read(read_sites(water), published, simulation, settings.serving)

    table = answer(chosen, settings, inputs)

    write("what_if", table)
    service = headline(table)
    write_json(service, f"{RESULTS}/what_if_metrics.json")
    write_metrics("own", own_wh=service["facility_energy (Wh/query)"]["p50"])


if __name__ == "__main__":
    run(main)
