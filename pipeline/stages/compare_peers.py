"""Other estimators on the measured chat rows, beside ours with each model left out.

Inputs: data/telemetry/serving_measurements.csv and
data/results/{heldout_predictions,published_throughput_fit}.csv.
Outputs: data/results/{peers,peers_summary}.csv. Settings: assumptions.re_estimate.serving.
"""

from pathlib import Path

import pandas as pd

from pipeline.assumptions import load
from pipeline.contracts import read_table, validate
from pipeline.contracts.serving import HELD_OUT
from pipeline.contracts.telemetry import SERVING_MEASUREMENTS
from pipeline.contracts.validation import PEERS, PEERS_SUMMARY
from pipeline.errors import run
from pipeline.estimate.peers import (
    chat_rows,
    ecologits_rows,
    our_rows,
    pooled_rows,
    published_rows,
    summarise,
)
from pipeline.files import write_csv

TABLE = Path("data/results/peers.csv")
SUMMARY = Path("data/results/peers_summary.csv")


def main() -> None:
    """Predict the same rows with every method, compare."""
    settings = load("assumptions.re_estimate.serving")
    rows = chat_rows(read_table("data/telemetry/serving_measurements.csv", SERVING_MEASUREMENTS))
    held_out = read_table("data/results/heldout_predictions.csv", HELD_OUT)
    fits = pd.read_csv("data/results/published_throughput_fit.csv")
    input_tokens = settings.chat_input_tokens.distribution.median()

    peers = pd.concat(
        [
            our_rows(rows, held_out, settings.throughput_form, settings.power_form),
            ecologits_rows(rows),
            published_rows(rows, fits, input_tokens),
            pooled_rows(rows),
        ],
        ignore_index=True,
    ).sort_values(["method", "batch", "quantity", "key"], ignore_index=True)

    write_csv(validate(peers, PEERS, TABLE), TABLE)
    write_csv(validate(summarise(peers), PEERS_SUMMARY, SUMMARY), SUMMARY)


if __name__ == "__main__":
    run(main)
