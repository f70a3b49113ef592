"""Energy and water of a query of one service under the settings of scenario.what_if.

Inputs: as estimate_re_estimated, and build/published/{sites,pue,wue,electricity_water}.parquet.
Outputs: data/results/what_if.csv, and its headline, data/results/what_if_metrics.json.
Settings: scenario.what_if, assumptions.re_estimate, assumptions.water, the levers of
assumptions.as_published.base, simulation.
"""

from pathlib import Path

import pandas as pd

from pipeline.assumptions.load import load
from pipeline.contracts.read import validate
from pipeline.contracts.what_if import WHAT_IF
from pipeline.errors import run
from pipeline.estimate.water.sites import SITE_TABLES
from pipeline.estimate.what_if.answer import answer, headline
from pipeline.estimate.what_if.inputs import read_inputs
from pipeline.files import write_csv, write_json

PUBLISHED = Path("build/published")
OUTPUT = Path("data/results/what_if.csv")
METRICS = Path("data/results/what_if_metrics.json")


def main() -> None:
    """Draw, summarise, save."""
    chosen, settings, water, published, simulation = load(
        "scenario.what_if",
        "assumptions.re_estimate",
        "assumptions.water",
        "assumptions.as_published.base",
        "simulation",
    )
    facts = {name: pd.read_parquet(PUBLISHED / f"{name}.parquet") for name in SITE_TABLES}
    inputs = read_inputs(facts, water, published, simulation, settings.serving)

    table = answer(chosen, settings, inputs)

    write_csv(validate(table, WHAT_IF, OUTPUT), OUTPUT)
    write_json(headline(table), METRICS)


if __name__ == "__main__":
    run(main)
