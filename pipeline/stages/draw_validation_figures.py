"""Draw the figures of validation and comparison.

Inputs: data/results/{model_comparison,heldout_predictions,validation,batch_curves}.csv,
data/results/prior_estimates_compared.csv, data/telemetry/serving_measurements.csv and
data/published/hardware.csv.
Outputs: figures/fig-r{1..5}-*.{pdf,svg,png,json}. Settings: figures; for the sidecars, build/parameters.
"""

from pathlib import Path

from pipeline.assumptions.load import load
from pipeline.errors import run
from pipeline.files import read_json
from pipeline.present.figures import validation as group
from pipeline.present.figures.registry import draw_all
from pipeline.present.figures.validation.tables import read_tables

PARAMETERS = Path("build/parameters/draw_validation_figures.json")


def main() -> None:
    """Load the tables, draw, save."""
    profile = load("figures")

    draw_all(group.FIGURES, read_tables(), profile, seed=None, traced=read_json(PARAMETERS))


if __name__ == "__main__":
    run(main)
