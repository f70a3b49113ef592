"""Predictions against measurements that the serving model was not fitted to.

Inputs: data/telemetry/{mlperf_throughput,node_power,serving_measurements}.csv,
build/published/{throughput,token_lengths,prior_estimates}.parquet, data/published/{models,hardware}.csv
and data/results/{serving_model/*,node_power_fits}.csv.
Outputs: data/results/{validation,validation_summary}.csv.
Settings: assumptions.validation, assumptions.re_estimate, simulation.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.assumptions import load
from pipeline.contracts import read_table, validate
from pipeline.contracts.servers import NODE_POWER_FITS
from pipeline.contracts.telemetry import MLPERF_THROUGHPUT, NODE_POWER, SERVING_MEASUREMENTS
from pipeline.contracts.validation import VALIDATION, VALIDATION_SUMMARY
from pipeline.errors import run
from pipeline.estimate.sobol import stage_seed
from pipeline.estimate.validation import summarise
from pipeline.estimate.validation_fleets import deepseek_rows, google_rows
from pipeline.estimate.validation_mlperf import (
    comparable,
    power_rows,
    predict,
    servers_without,
    throughput_rows,
)
from pipeline.estimate.validation_serving import online_rows, single_query_rows, static_power_rows
from pipeline.files import write_csv
from pipeline.fit.node_power import from_table
from pipeline.fit.serving.model import read_model

SCORED = Path("data/results/validation.csv")
SUMMARY = Path("data/results/validation_summary.csv")


def main() -> None:
    """Predict every set, score, sum up."""
    assumed, lacking, simulation = load("assumptions.re_estimate", "assumptions.validation", "simulation")
    model = read_model(assumed.serving.power_form)
    mlperf = read_table("data/telemetry/mlperf_throughput.csv", MLPERF_THROUGHPUT)
    logs = read_table("data/telemetry/node_power.csv", NODE_POWER)
    serving = read_table("data/telemetry/serving_measurements.csv", SERVING_MEASUREMENTS)
    servers = from_table(read_table("data/results/node_power_fits.csv", NODE_POWER_FITS))
    published = {
        name: pd.read_parquet(f"build/published/{name}.parquet")
        for name in ("throughput", "token_lengths", "prior_estimates")
    }
    streams = [np.random.default_rng(s) for s in stage_seed(simulation, "validate_predictions").spawn(7)]

    settings = assumed.serving
    runs = comparable(mlperf, logs, list(lacking.mlperf_input_tokens))
    systems = predict(runs, model, settings, lacking, streams[0])
    metered = sorted(runs.loc[runs["published_w"].notna(), "model"].unique())
    held_out = servers_without(metered, logs, mlperf, serving, assumed.server_power["B200"])
    deepseek = lacking.deepseek
    scored = pd.concat(
        [
            throughput_rows(systems),
            power_rows(systems, held_out, streams[1]),
            deepseek_rows(published["token_lengths"], model, assumed, deepseek, servers, streams[2]),
            google_rows(published["prior_estimates"], serving, assumed, servers, streams[3]),
            online_rows(published["throughput"], model, settings, lacking, streams[4]),
            single_query_rows(serving, model, settings, lacking, streams[5]),
            static_power_rows(serving, model, settings, streams[6]),
        ],
        ignore_index=True,
    ).sort_values(["set", "quantity", "configuration"], ignore_index=True)

    write_csv(validate(scored, VALIDATION, SCORED), SCORED)
    write_csv(validate(summarise(scored), VALIDATION_SUMMARY, SUMMARY), SUMMARY)


if __name__ == "__main__":
    run(main)
