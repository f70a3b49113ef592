"""Fit the candidate families to the token lengths of every kind of traffic.

Inputs: data/telemetry/{token_length_parts,token_length_histograms,token_lengths}.csv.
Outputs: data/results/{length_fits,length_parameters,length_traffic}.csv. Settings: none.
"""

from pathlib import Path

from pipeline.contracts import read_table, validate
from pipeline.contracts.telemetry import TOKEN_LENGTH_HISTOGRAMS, TOKEN_LENGTHS
from pipeline.contracts.traffic import LENGTH_FITS, LENGTH_PARAMETERS, LENGTH_TRAFFIC, TOKEN_LENGTH_PARTS
from pipeline.errors import run
from pipeline.files import write_csv
from pipeline.fit.length_tables import collect, fit_all

RESULTS = Path("data/results")


def main() -> None:
    """Read the three tables, fit, write the scores, parameters and the rest that sampling needs."""
    parts = read_table("data/telemetry/token_length_parts.csv", TOKEN_LENGTH_PARTS)
    histograms = read_table("data/telemetry/token_length_histograms.csv", TOKEN_LENGTH_HISTOGRAMS)
    lengths = read_table("data/telemetry/token_lengths.csv", TOKEN_LENGTHS)

    fits, parameters, traffic = fit_all(collect(parts, histograms, lengths), lengths)

    for name, table, schema in (
        ("length_fits", fits, LENGTH_FITS),
        ("length_parameters", parameters, LENGTH_PARAMETERS),
        ("length_traffic", traffic, LENGTH_TRAFFIC),
    ):
        path = RESULTS / f"{name}.csv"
        write_csv(validate(table, schema, path), path)


if __name__ == "__main__":
    run(main)
