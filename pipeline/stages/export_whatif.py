"""What the what-if panel of the review site computes with.

Inputs: as estimate_what_if, and data/results/{what_if,water_split,lever_systems,lever_combinations}.csv.
Output: build/whatif/whatif.json.
Settings: scenario.what_if, assumptions.re_estimate, assumptions.water, the levers of
assumptions.as_published.base, simulation.
"""

import json
from pathlib import Path

import pandas as pd

from pipeline.assumptions.load import load
from pipeline.contracts import read_table
from pipeline.contracts.levers import LEVER_COMBINATIONS, LEVER_SYSTEMS
from pipeline.contracts.water_results import WATER_SPLIT
from pipeline.contracts.what_if import WHAT_IF
from pipeline.errors import run
from pipeline.estimate.water.sites import SITE_TABLES
from pipeline.estimate.what_if.answer import as_tabled
from pipeline.estimate.what_if.export import panel
from pipeline.estimate.what_if.inputs import read_inputs
from pipeline.files import round_significant, write_text

PUBLISHED = Path("build/published")
RESULTS = Path("data/results")
OUTPUT = Path("build/whatif/whatif.json")


def main() -> None:
    """Draw, compress, save."""
    chosen, settings, water, published, simulation = load(
        "scenario.what_if",
        "assumptions.re_estimate",
        "assumptions.water",
        "assumptions.as_published.base",
        "simulation",
    )
    facts = {name: pd.read_parquet(PUBLISHED / f"{name}.parquet") for name in SITE_TABLES}
    inputs = read_inputs(facts, water, published, simulation, settings.serving)
    answered = read_table(RESULTS / "what_if.csv", WHAT_IF)
    waters = read_table(RESULTS / "water_split.csv", WATER_SPLIT)
    systems = read_table(RESULTS / "lever_systems.csv", LEVER_SYSTEMS)
    combinations = read_table(RESULTS / "lever_combinations.csv", LEVER_COMBINATIONS)

    found = panel(chosen, settings, inputs, as_tabled(answered, chosen, waters), systems, combinations)

    # Without spaces: a page carries it whole.
    write_text(json.dumps(round_significant(found), separators=(",", ":"), allow_nan=False), OUTPUT)


if __name__ == "__main__":
    run(main)
