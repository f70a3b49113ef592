"""Quantiles of both scenarios of token lengths.

Inputs: data/results/{length_fits,length_parameters,length_traffic}.csv.
Outputs: data/results/length_quantiles.csv. Settings: assumptions.re_estimate.lengths, simulation.
"""

from pathlib import Path

from pipeline.assumptions import load
from pipeline.contracts import read_table, validate
from pipeline.contracts.traffic import LENGTH_FITS, LENGTH_PARAMETERS, LENGTH_QUANTILES, LENGTH_TRAFFIC
from pipeline.errors import run
from pipeline.estimate.length_quantiles import quantile_table
from pipeline.estimate.lengths import read_traffic
from pipeline.files import write_csv

OUTPUT = Path("data/results/length_quantiles.csv")


def main() -> None:
    """Read the fits, sample both scenarios, write the quantiles."""
    lengths, simulation = load("assumptions.re_estimate.lengths", "simulation")
    fits = read_table("data/results/length_fits.csv", LENGTH_FITS)
    parameters = read_table("data/results/length_parameters.csv", LENGTH_PARAMETERS)
    rest = read_table("data/results/length_traffic.csv", LENGTH_TRAFFIC)

    table = quantile_table(lengths, read_traffic(fits, parameters, rest), fits, simulation.seed)

    write_csv(validate(table, LENGTH_QUANTILES, OUTPUT), OUTPUT)


if __name__ == "__main__":
    run(main)
