"""Fetch the registered upstream telemetry and derive the tables of data/telemetry from it."""

import sys
from collections.abc import Iterable, Sequence

from pipeline.core.catalogue import write
from pipeline.core.errors import InputError, run
from pipeline.ingest import mlenergy, readers, traces
from pipeline.ingest.mlperf import node_power, throughput
from pipeline.ingest.sources import write_source
from pipeline.ingest.upstream import RAW, fetch, mirror_from_environment, read_registry

READERS = {
    "mlenergy_v3": mlenergy.read_v3,
    "mlenergy_v2": mlenergy.read_v2,
    "splitwise": readers.read_splitwise,
    "argonne": readers.read_argonne,
    "ai_energy_score": readers.read_ai_energy_score,
}


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

    write("telemetry/node_power", power)
    write("mlperf_throughput", results)
    print(f"{len(power)} power runs, {(power['valid'] == 'no').sum()} of them set aside by their flags")


def ingest_token_lengths() -> None:
    """Read the three sources, write both tables."""
    entries = [
        *traces.azure_lengths(RAW / "azure_llm_2023"),
        *traces.servegen_lengths(RAW / "servegen"),
        *mlenergy.lengths(RAW / "mlenergy_v3"),
    ]

    summary, histograms = traces.length_tables(entries)

    write("telemetry/token_lengths", summary)
    write("token_length_histograms", histograms)


def ingest_traffic() -> None:
    """Read both sources, write both tables."""
    sources = RAW / "azure_llm_2023", RAW / "servegen"

    write("token_length_parts", traces.length_parts(*sources))
    write("request_rates", traces.request_rates(*sources))


if __name__ == "__main__":
    run(lambda: main(sys.argv[1:]))
