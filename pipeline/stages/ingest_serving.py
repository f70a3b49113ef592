"""Turn the upstream serving measurements into one table.

Inputs: data/telemetry/models.csv and, fetched, ML.ENERGY v3 and v2, Splitwise, Argonne, AI Energy Score.
Outputs: data/telemetry/serving_measurements.csv. Settings: none.
"""

from pathlib import Path

import pandas as pd

from pipeline.contracts import read_table, validate
from pipeline.contracts.telemetry import MODELS, SERVING_MEASUREMENTS
from pipeline.errors import run
from pipeline.files import write_csv
from pipeline.ingest import ai_energy_score, argonne, mlenergy_v2, mlenergy_v3, splitwise
from pipeline.ingest.fetch import RAW

OUTPUT = Path("data/telemetry/serving_measurements.csv")


def main() -> None:
    """Read the five sources, stack them, write the table."""
    models = read_table("data/telemetry/models.csv", MODELS)

    parts = [
        mlenergy_v3.read_measurements(RAW / "mlenergy_v3" / "public" / "data", models),
        mlenergy_v2.read_measurements(RAW / "mlenergy_v2", models),
        splitwise.read_measurements(RAW / "splitwise", models),
        argonne.read_measurements(RAW / "argonne", models),
        ai_energy_score.read_measurements(RAW / "ai_energy_score", models),
    ]
    table = pd.concat(parts, ignore_index=True)

    write_csv(validate(table, SERVING_MEASUREMENTS, OUTPUT), OUTPUT)


if __name__ == "__main__":
    run(main)
