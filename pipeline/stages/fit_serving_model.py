"""Fit throughput and GPU power of serving, jointly, to the measured rows of three sources.

Inputs: build/published/{throughput,models,hardware}.parquet,
data/telemetry/{serving_measurements,token_length_histograms}.csv.
Outputs: data/results/serving_model/*.csv, from which `python -m pipeline.predict` predicts.
Settings: assumptions.re_estimate.serving.
"""

from pathlib import Path

import pandas as pd

from pipeline.assumptions import load
from pipeline.contracts import read_table
from pipeline.contracts.telemetry import SERVING_MEASUREMENTS, TOKEN_LENGTH_HISTOGRAMS
from pipeline.errors import run
from pipeline.fit.serving.model import fit_model, write_model
from pipeline.fit.serving.prepare import make_tables
from pipeline.fit.serving.training import training_rows

PUBLISHED = Path("build/published")
TELEMETRY = Path("data/telemetry")


def main() -> None:
    """Assemble the rows, fit, write the model."""
    settings = load("assumptions.re_estimate.serving")
    throughput, models, hardware = (
        pd.read_parquet(PUBLISHED / f"{name}.parquet") for name in ("throughput", "models", "hardware")
    )
    measurements = read_table(TELEMETRY / "serving_measurements.csv", SERVING_MEASUREMENTS)
    histograms = read_table(TELEMETRY / "token_length_histograms.csv", TOKEN_LENGTH_HISTOGRAMS)

    tables = make_tables(models, hardware)
    chat = settings.chat_input_tokens.distribution.median()
    training = training_rows(throughput, measurements, histograms, tables, chat)

    write_model(fit_model(training, tables, settings))


if __name__ == "__main__":
    run(main)
