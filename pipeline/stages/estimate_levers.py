"""Levers: what each named system gains, on what evidence, and what they gain together.

Inputs: data/results/{length_fits,length_parameters,length_traffic,node_power_fits,routing_profiles,
routing_published,datacentre_lever,cooling_lever}.csv, data/results/serving_model/, data/telemetry/
{serving_measurements,mlperf_throughput}.csv, build/published/{claims,hardware,levers,node_power,routers,
throughput}.parquet.
Outputs: data/results/lever_{systems,hardware,scale,combinations,needed}.csv.
Settings: assumptions.levers, scenario.fleet, assumptions.re_estimate, simulation, the published ranges of
assumptions.as_published.
"""

from pathlib import Path

import pandas as pd

from pipeline.assumptions.load import load
from pipeline.contracts import read_table
from pipeline.contracts.fleet import COOLING_LEVER, DATACENTRE_LEVER
from pipeline.contracts.routing import ROUTING_PROFILES, ROUTING_PUBLISHED
from pipeline.contracts.telemetry import MLPERF_THROUGHPUT, SERVING_MEASUREMENTS
from pipeline.errors import run
from pipeline.estimate.levers.evidence import PublishedEvidence
from pipeline.estimate.levers.inputs import read_bench
from pipeline.estimate.levers.tables import LeverInputs, lever_tables
from pipeline.files import write_csv

PUBLISHED = Path("build/published")
RESULTS = Path("data/results")
TELEMETRY = Path("data/telemetry")
PUBLISHED_TABLES = ("claims", "hardware", "levers", "node_power", "routers", "throughput")


def main() -> None:
    """Price every system on one bench, put the levers together, save."""
    settings, fleet, re_estimate, simulation, model, serving, hardware = load(
        "assumptions.levers",
        "scenario.fleet",
        "assumptions.re_estimate",
        "simulation",
        "assumptions.as_published.base.lever_model",
        "assumptions.as_published.base.lever_serving",
        "assumptions.as_published.base.lever_hardware",
    )
    inputs = LeverInputs(
        published={name: pd.read_parquet(PUBLISHED / f"{name}.parquet") for name in PUBLISHED_TABLES},
        serving=read_table(TELEMETRY / "serving_measurements.csv", SERVING_MEASUREMENTS),
        mlperf=read_table(TELEMETRY / "mlperf_throughput.csv", MLPERF_THROUGHPUT),
        profiles=read_table(RESULTS / "routing_profiles.csv", ROUTING_PROFILES),
        routers=read_table(RESULTS / "routing_published.csv", ROUTING_PUBLISHED),
        sites=read_table(RESULTS / "datacentre_lever.csv", DATACENTRE_LEVER),
        cooling=read_table(RESULTS / "cooling_lever.csv", COOLING_LEVER),
        ranges={"model": model, "serving": serving, "hardware": hardware},
    )
    rows = [inputs.published[name] for name in ("levers", "routers")]
    published = PublishedEvidence.of(settings.evidence, *rows)
    bench = read_bench(settings, fleet, re_estimate, simulation, published)

    tables = lever_tables(bench, inputs, fleet, re_estimate.serving)

    for name, table in tables.items():
        write_csv(table, RESULTS / f"lever_{name}.csv")


if __name__ == "__main__":
    run(main)
