"""Mean over peak demand of public traces and fleets: the evidence behind the utilisation.

Inputs: data/telemetry/request_rates.csv, build/published/token_lengths.parquet.
Outputs: data/results/load_evidence.csv. Settings: none.
"""

from pathlib import Path

import pandas as pd

from pipeline.contracts import read_table, validate
from pipeline.contracts.servers import LOAD_EVIDENCE
from pipeline.contracts.traffic import REQUEST_RATES
from pipeline.errors import run
from pipeline.files import write_csv
from pipeline.fit.load_evidence import deepseek_nodes, from_rates

OUTPUT = Path("data/results/load_evidence.csv")


def main() -> None:
    """Read rates and fleet figures, write the table."""
    rates = read_table("data/telemetry/request_rates.csv", REQUEST_RATES)
    facts = pd.read_parquet("build/published/token_lengths.parquet")

    table = pd.concat([from_rates(rates), deepseek_nodes(facts)], ignore_index=True)
    table = table[list(LOAD_EVIDENCE.columns)]

    write_csv(validate(table, LOAD_EVIDENCE, OUTPUT), OUTPUT)


if __name__ == "__main__":
    run(main)
