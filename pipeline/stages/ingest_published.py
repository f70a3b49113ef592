"""Check the hand-transcribed tables and hand them on with their types.

Inputs: data/published/*.csv, paper/references.bib.
Outputs: build/published/<table>.parquet, one per table, written only when every table is right.
Settings: none.
"""

from pathlib import Path

from pipeline.errors import run
from pipeline.files import write_parquet
from pipeline.ingest.bibliography import BIBLIOGRAPHY
from pipeline.ingest.published import load

TABLES = Path("data/published")
OUTPUT = Path("build/published")


def main() -> None:
    """Load and cross-check, then save."""
    tables = load(TABLES, BIBLIOGRAPHY)

    for name, table in tables.items():
        write_parquet(table, OUTPUT / f"{name}.parquet")


if __name__ == "__main__":
    run(main)
