"""Energy per output token and power over the batch, of every measured chat configuration.

Inputs: data/telemetry/serving_measurements.csv, data/published/{models,hardware}.csv and
data/results/serving_model/*.csv.
Outputs: data/results/batch_curves.csv. Settings: assumptions.re_estimate.serving, simulation.
"""

from pathlib import Path

import numpy as np

from pipeline.assumptions import load
from pipeline.contracts import read_table, validate
from pipeline.contracts.telemetry import SERVING_MEASUREMENTS
from pipeline.contracts.validation import BATCH_CURVES
from pipeline.errors import run
from pipeline.estimate.batch_curves import curves
from pipeline.estimate.sobol import stage_seed
from pipeline.files import write_csv
from pipeline.fit.serving.model import read_model

TABLE = Path("data/results/batch_curves.csv")


def main() -> None:
    """Predict over a grid of batches."""
    settings, simulation = load("assumptions.re_estimate.serving", "simulation")
    measurements = read_table("data/telemetry/serving_measurements.csv", SERVING_MEASUREMENTS)
    chat = measurements[measurements["source"] == "mlenergy_v3"]
    rng = np.random.default_rng(stage_seed(simulation, "summarise_batch"))

    table = curves(chat, read_model(settings.power_form), settings, rng)

    write_csv(validate(table, BATCH_CURVES, TABLE), TABLE)


if __name__ == "__main__":
    run(main)
