"""Check the hand-kept tables and hand them on with their types; join what all sources measured of serving."""

from pathlib import Path

import pandas as pd

from pipeline.core.catalogue import path_of, read, write
from pipeline.core.errors import run
from pipeline.core.files import write_parquet, write_text
from pipeline.core.parse import reference_keys
from pipeline.ingest import readers
from pipeline.ingest.published import load, page
from pipeline.ingest.sources import Models, check_sources, join, read_measurements
from pipeline.ingest.upstream import read_registry

DESCRIPTION = Path("data/telemetry/README.md")


def main() -> None:
    """Load and cross-check, then save."""
    tables = load()
    sources, registry = read("sources"), read_registry()
    check_sources(sources, registry, reference_keys())
    measurements = joined(sources, tables["throughput"], tables["published/models"])
    description = page(sources, registry)

    for name, table in tables.items():
        write_parquet(table, path_of(name))
    write("serving_measurements", measurements)
    write_text(description, DESCRIPTION)


def joined(sources: pd.DataFrame, throughput: pd.DataFrame, models: pd.DataFrame) -> pd.DataFrame:
    """The rows of every source in one table; of data/published the tables throughput and models."""
    tables = read_measurements(sources) | readers.read_tensorrt_llm(throughput)
    return join(tables, sources, Models(read("telemetry/models"), models), read("engines"))


if __name__ == "__main__":
    run(main)
