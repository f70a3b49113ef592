"""Turn request traces into length histograms in parts, and request rates.

Inputs: fetched Azure 2023 traces and ServeGen DeepSeek-R1.
Outputs: data/telemetry/token_length_parts.csv, data/telemetry/request_rates.csv. Settings: none.
"""

from pathlib import Path

from pipeline.contracts import validate
from pipeline.contracts.traffic import REQUEST_RATES, TOKEN_LENGTH_PARTS
from pipeline.errors import run
from pipeline.files import write_csv
from pipeline.ingest import traffic
from pipeline.ingest.fetch import RAW

PARTS = Path("data/telemetry/token_length_parts.csv")
RATES = Path("data/telemetry/request_rates.csv")


def main() -> None:
    """Read both sources, write both tables."""
    sources = RAW / "azure_llm_2023", RAW / "servegen"

    parts = traffic.length_parts(*sources)
    rates = traffic.request_rates(*sources)

    write_csv(validate(parts, TOKEN_LENGTH_PARTS, PARTS), PARTS)
    write_csv(validate(rates, REQUEST_RATES, RATES), RATES)


if __name__ == "__main__":
    run(main)
