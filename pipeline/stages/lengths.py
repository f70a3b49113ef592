"""Fit the candidate families to the token lengths of every kind of traffic, and draw both scenarios."""

from pipeline.core.catalogue import read, write
from pipeline.core.errors import run
from pipeline.core.settings import load
from pipeline.lengths.model.fit import collect, fit_all, length_services
from pipeline.lengths.model.scenario import quantile_table, read_traffic


def main() -> None:
    """Read, fit, save; sample both scenarios from what was saved, save their quantiles."""
    settings, simulation = load("lengths", "simulation")
    lengths = read("telemetry/token_lengths")
    parts = collect(read("token_length_parts"), read("token_length_histograms"), lengths)

    for name, table in fit_all(parts, lengths).items():
        write(name, table)

    write("length_services", length_services(read("service_lengths")))

    fits = read("length_fits")
    traffic = read_traffic(fits, read("length_parameters"), read("length_traffic"))
    write("length_quantiles", quantile_table(settings, traffic, fits, simulation.seed))


if __name__ == "__main__":
    run(main)
