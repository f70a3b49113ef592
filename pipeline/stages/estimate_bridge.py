"""From the published energy per query to ours in single steps.

Inputs: build/as_published/sobol/energy.parquet, build/as_published/throughput_fit.parquet, and those of
estimate_re_estimated. Output: data/results/bridge.csv.
Settings: assumptions.re_estimate, assumptions.as_published, simulation.
"""

from pathlib import Path

import pandas as pd

from pipeline.assumptions.load import load
from pipeline.contracts.re_estimated import BRIDGE
from pipeline.contracts.read import validate
from pipeline.errors import run
from pipeline.estimate.bridge import bridge
from pipeline.estimate.study_inputs import read_study
from pipeline.files import write_csv
from pipeline.fit.published_throughput import from_table

PUBLISHED = Path("build/as_published/sobol/energy.parquet")
FITS = Path("build/as_published/throughput_fit.parquet")
OUTPUT = Path("data/results/bridge.csv")


def main() -> None:
    """Load both analyses' parts, exchange them one by one, save."""
    settings, published, simulation = load(
        "assumptions.re_estimate", "assumptions.as_published", "simulation"
    )
    fits = from_table(pd.read_parquet(FITS))
    study = read_study(settings, simulation)

    table = bridge(study, published, fits, pd.read_parquet(PUBLISHED))

    write_csv(validate(table, BRIDGE, OUTPUT), OUTPUT)


if __name__ == "__main__":
    run(main)
