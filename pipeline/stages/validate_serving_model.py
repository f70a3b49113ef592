"""Predict measured rows that the fit did not see, and compare the step model with its alternatives.

Inputs: build/published/throughput.parquet, data/published/{models,hardware}.csv,
data/telemetry/{serving_measurements,token_length_histograms}.csv, data/results/serving_model.
Outputs: data/results/{heldout_predictions,model_comparison}.csv, build/serving/candidates.parquet (the
held-out predictions of every alternative).
Settings: assumptions.re_estimate.serving, simulation.
"""

from pathlib import Path

import pandas as pd

from pipeline.assumptions import load
from pipeline.contracts import read_table, validate
from pipeline.contracts.serving import COMPARISON, HELD_OUT
from pipeline.contracts.telemetry import SERVING_MEASUREMENTS, TOKEN_LENGTH_HISTOGRAMS
from pipeline.errors import run
from pipeline.files import write_csv, write_parquet
from pipeline.fit.serving.comparison import chosen_forms, compare, with_alternatives
from pipeline.fit.serving.held_out import held_out
from pipeline.fit.serving.model import read_model
from pipeline.fit.serving.training import training_rows

PUBLISHED = Path("build/published")
TELEMETRY = Path("data/telemetry")
PREDICTIONS = Path("data/results/heldout_predictions.csv")
COMPARED = Path("data/results/model_comparison.csv")
CANDIDATES = Path("build/serving/candidates.parquet")


def main() -> None:
    """Refit by folds, predict, score."""
    settings, simulation = load("assumptions.re_estimate.serving", "simulation")
    throughput = pd.read_parquet(PUBLISHED / "throughput.parquet")
    measurements = read_table(TELEMETRY / "serving_measurements.csv", SERVING_MEASUREMENTS)
    histograms = read_table(TELEMETRY / "token_length_histograms.csv", TOKEN_LENGTH_HISTOGRAMS)
    model = read_model(settings.power_form)
    chat = settings.chat_input_tokens.distribution.median()
    training = training_rows(throughput, measurements, histograms, model.tables, chat)

    predictions = held_out(training, model, settings, simulation.seed)
    candidates = with_alternatives(predictions, training, model.tables)
    used = candidates[candidates["form"].isin(chosen_forms(settings))]

    write_parquet(candidates, CANDIDATES)
    write_csv(validate(used, HELD_OUT, PREDICTIONS), PREDICTIONS)
    write_csv(validate(compare(candidates, settings), COMPARISON, COMPARED), COMPARED)


if __name__ == "__main__":
    run(main)
