"""Fetch the registered upstream telemetry.

Inputs: data/telemetry/registry.yaml, and the folder in TELEMETRY_MIRROR or the network.
Outputs: build/telemetry/raw (never committed; its bytes are fixed by the registry). Settings: none.

Turn the upstream serving measurements of each source into a file in one contract.

Inputs: fetched, ML.ENERGY v3 and v2, Splitwise, Argonne, AI Energy Score.
Outputs: data/telemetry/serving/<source>.csv. Settings: none.

Turn the MLPerf v5.1 logs and results into node power and published throughput.

Inputs: fetched MLPerf v5.1 files.
Outputs: data/telemetry/node_power.csv, data/telemetry/mlperf_throughput.csv. Settings: none.

Turn request traces and length distributions into quantiles and histograms of token lengths.

Inputs: fetched Azure 2023 traces, ServeGen DeepSeek-R1, ML.ENERGY v3 histograms.
Outputs: data/telemetry/token_lengths.csv, data/telemetry/token_length_histograms.csv. Settings: none.

Turn request traces into length histograms in parts, and request rates.

Inputs: fetched Azure 2023 traces and ServeGen DeepSeek-R1.
Outputs: data/telemetry/token_length_parts.csv, data/telemetry/request_rates.csv. Settings: none.
"""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from pipeline.core.errors import InputError, run
from pipeline.core.files import write_csv
from pipeline.core.read import validate
from pipeline.ingest import mlenergy, readers, traces
from pipeline.ingest.contract_telemetry import (
    REQUEST_RATES,
    TOKEN_LENGTH_HISTOGRAMS,
    TOKEN_LENGTH_PARTS,
    TOKEN_LENGTHS,
)
from pipeline.ingest.mlperf import node_power, throughput
from pipeline.ingest.sources import write_source
from pipeline.ingest.upstream import RAW, fetch, mirror_from_environment, read_registry

FOLDER = Path("data/telemetry")
READERS = {
    "mlenergy_v3": mlenergy.read_v3,
    "mlenergy_v2": mlenergy.read_v2,
    "splitwise": readers.read_splitwise,
    "argonne": readers.read_argonne,
    "ai_energy_score": readers.read_ai_energy_score,
}
SUMMARY = Path("data/telemetry/token_lengths.csv")
HISTOGRAMS = Path("data/telemetry/token_length_histograms.csv")
PARTS = Path("data/telemetry/token_length_parts.csv")
RATES = Path("data/telemetry/request_rates.csv")


def main(named: Sequence[str] = ()) -> None:
    """All of it; or the serving measurements of the sources that the command names, without the others."""
    unknown = [source for source in named if source not in READERS]
    if unknown:
        raise InputError(f"source {unknown[0]!r}, expected one of {', '.join(READERS)}")
    fetch_telemetry(named)
    derive_serving(named or READERS)
    if named:
        return
    ingest_mlperf()
    ingest_token_lengths()
    ingest_traffic()


def fetch_telemetry(named: Sequence[str]) -> None:
    """Fetch what is missing or wrong, of the named data sets or of all; say how much there is."""
    registry = {name: data for name, data in read_registry().items() if name in named or not named}

    fetched = fetch(registry, RAW, mirror_from_environment())

    total = sum(len(data.files) for data in registry.values())
    print(f"{total} upstream files in {RAW}, {fetched} newly fetched")


def derive_serving(sources: Iterable[str]) -> None:
    """Read the serving measurements of each source, write its file."""
    for source in sources:
        write_source(READERS[source](RAW / source), source)


def ingest_mlperf() -> None:
    """Read the runs and the published results, write both tables, count the runs set aside."""
    upstream = RAW / "mlperf_v5.1"

    power = node_power(upstream)
    results = throughput(upstream)

    write_csv(power, FOLDER / "node_power.csv")
    write_csv(results, FOLDER / "mlperf_throughput.csv")
    print(f"{len(power)} power runs, {(power['valid'] == 'no').sum()} of them set aside by their flags")


def ingest_token_lengths() -> None:
    """Read the three sources, write both tables."""
    entries = [
        *traces.azure_lengths(RAW / "azure_llm_2023"),
        *traces.servegen_lengths(RAW / "servegen"),
        *mlenergy.lengths(RAW / "mlenergy_v3"),
    ]

    summary, histograms = traces.length_tables(entries)

    write_csv(validate(summary, TOKEN_LENGTHS, SUMMARY), SUMMARY)
    write_csv(validate(histograms, TOKEN_LENGTH_HISTOGRAMS, HISTOGRAMS), HISTOGRAMS)


def ingest_traffic() -> None:
    """Read both sources, write both tables."""
    sources = RAW / "azure_llm_2023", RAW / "servegen"

    parts = traces.length_parts(*sources)
    rates = traces.request_rates(*sources)

    write_csv(validate(parts, TOKEN_LENGTH_PARTS, PARTS), PARTS)
    write_csv(validate(rates, REQUEST_RATES, RATES), RATES)


if __name__ == "__main__":
    run(lambda: main(sys.argv[1:]))
