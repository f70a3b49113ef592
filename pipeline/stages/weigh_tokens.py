"""What an input token costs in output tokens, for sharing the energy of logs over requests.

Inputs: data/telemetry/serving_measurements.csv, data/published/{models,hardware}.csv and
data/results/serving_model/*.csv.
Outputs: data/results/token_weights.csv. Settings: assumptions.re_estimate.serving, logs, simulation.
"""

from pathlib import Path

import numpy as np

from pipeline.assumptions import load
from pipeline.contracts import read_table, validate
from pipeline.contracts.logs import TOKEN_WEIGHTS
from pipeline.contracts.telemetry import SERVING_MEASUREMENTS
from pipeline.errors import run
from pipeline.estimate.sobol import stage_seed
from pipeline.estimate.token_weights import token_weights
from pipeline.files import write_csv
from pipeline.fit.serving.model import read_model

TABLE = Path("data/results/token_weights.csv")


def main() -> None:
    """Price tokens on the measured chat configurations."""
    settings, logs, simulation = load("assumptions.re_estimate.serving", "logs", "simulation")
    measurements = read_table("data/telemetry/serving_measurements.csv", SERVING_MEASUREMENTS)
    chat = measurements[measurements["source"] == "mlenergy_v3"]
    rng = np.random.default_rng(stage_seed(simulation, "weigh_tokens"))
    in_flight = logs.requests_in_flight.distribution.median()

    table = token_weights(chat, read_model(settings.power_form), settings, in_flight, rng)

    write_csv(validate(table, TOKEN_WEIGHTS, TABLE), TABLE)


if __name__ == "__main__":
    run(main)
