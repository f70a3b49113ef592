"""Turn the MLPerf v5.1 logs and results into node power and published throughput.

Inputs: fetched MLPerf v5.1 files.
Outputs: data/telemetry/node_power.csv, data/telemetry/mlperf_throughput.csv. Settings: none.
"""

from pathlib import Path

from pipeline.errors import run
from pipeline.files import write_csv
from pipeline.ingest.fetch import RAW
from pipeline.ingest.mlperf_power import node_power
from pipeline.ingest.mlperf_results import throughput

FOLDER = Path("data/telemetry")


def main() -> None:
    """Read the runs and the published results, write both tables, count the runs set aside."""
    upstream = RAW / "mlperf_v5.1"

    power = node_power(upstream)
    results = throughput(upstream)

    write_csv(power, FOLDER / "node_power.csv")
    write_csv(results, FOLDER / "mlperf_throughput.csv")
    print(f"{len(power)} power runs, {(power['valid'] == 'no').sum()} of them set aside by their flags")


if __name__ == "__main__":
    run(main)
