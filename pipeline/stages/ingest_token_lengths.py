"""Turn request traces and length distributions into quantiles and histograms of token lengths.

Inputs: fetched Azure 2023 traces, ServeGen DeepSeek-R1, ML.ENERGY v3 histograms.
Outputs: data/telemetry/token_lengths.csv, data/telemetry/token_length_histograms.csv. Settings: none.
"""

from pathlib import Path

from pipeline.contracts import validate
from pipeline.contracts.telemetry import TOKEN_LENGTH_HISTOGRAMS, TOKEN_LENGTHS
from pipeline.errors import run
from pipeline.files import write_csv
from pipeline.ingest import azure_llm, lengths, mlenergy_v3, servegen
from pipeline.ingest.fetch import RAW

SUMMARY = Path("data/telemetry/token_lengths.csv")
HISTOGRAMS = Path("data/telemetry/token_length_histograms.csv")


def main() -> None:
    """Read the three sources, write both tables."""
    entries = [
        *azure_llm.lengths(RAW / "azure_llm_2023"),
        *servegen.lengths(RAW / "servegen"),
        *mlenergy_v3.lengths(RAW / "mlenergy_v3" / "public" / "data"),
    ]

    summary, histograms = lengths.tables(entries)

    write_csv(validate(summary, TOKEN_LENGTHS, SUMMARY), SUMMARY)
    write_csv(validate(histograms, TOKEN_LENGTH_HISTOGRAMS, HISTOGRAMS), HISTOGRAMS)


if __name__ == "__main__":
    run(main)
