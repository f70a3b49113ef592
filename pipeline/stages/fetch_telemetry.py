"""Fetch the registered upstream telemetry.

Inputs: data/telemetry/registry.yaml, and the folder in TELEMETRY_MIRROR or the network.
Outputs: build/telemetry/raw (never committed; its bytes are fixed by the registry). Settings: none.
"""

from pipeline.errors import run
from pipeline.ingest.fetch import RAW, fetch, mirror_from_environment
from pipeline.ingest.registry import read_registry


def main() -> None:
    """Fetch what is missing or wrong; say how much there is."""
    registry = read_registry()

    fetched = fetch(registry, RAW, mirror_from_environment())

    total = sum(len(data.files) for data in registry.values())
    print(f"{total} upstream files in {RAW}, {fetched} newly fetched")


if __name__ == "__main__":
    run(main)
