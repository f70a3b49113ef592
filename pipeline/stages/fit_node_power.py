"""Fit wall power of servers from accelerator power.

Inputs: data/telemetry/{node_power,mlperf_throughput,serving_measurements}.csv and
build/published/node_power.parquet.
Outputs: data/results/{node_power_fits,node_power_curves}.csv.
Settings: assumptions.re_estimate.server_power, simulation.
"""

from pathlib import Path

import pandas as pd

from pipeline.assumptions import load
from pipeline.contracts import read_table, validate
from pipeline.contracts.servers import NODE_POWER_CURVES, NODE_POWER_FITS
from pipeline.contracts.telemetry import MLPERF_THROUGHPUT, NODE_POWER, SERVING_MEASUREMENTS
from pipeline.errors import run
from pipeline.files import write_csv
from pipeline.fit.node_conditions import b200_conditions, h100_conditions, saturated_share
from pipeline.fit.node_power import fit_server, to_table
from pipeline.fit.node_power_curves import curves

FITS = Path("data/results/node_power_fits.csv")
CURVES = Path("data/results/node_power_curves.csv")


def main() -> None:
    """Collect what was observed of each server type, fit, write parameters and curves."""
    priors, simulation = load("assumptions.re_estimate.server_power", "simulation")
    logs = read_table("data/telemetry/node_power.csv", NODE_POWER)
    mlperf = read_table("data/telemetry/mlperf_throughput.csv", MLPERF_THROUGHPUT)
    serving = read_table("data/telemetry/serving_measurements.csv", SERVING_MEASUREMENTS)
    facts = pd.read_parquet("build/published/node_power.parquet")

    saturated = saturated_share(serving, priors["B200"].engine_spread.distribution.median())
    observed = {
        "A100": [],
        "H100": h100_conditions(facts, priors["H100"]),
        "B200": b200_conditions(logs, mlperf, priors["B200"]),
    }
    fits = [fit_server(gpu, priors[gpu], conditions, saturated) for gpu, conditions in observed.items()]

    write_csv(validate(to_table(fits), NODE_POWER_FITS, FITS), FITS)
    write_csv(validate(curves(fits, facts, simulation.seed), NODE_POWER_CURVES, CURVES), CURVES)


if __name__ == "__main__":
    run(main)
