"""Fit throughput and GPU power of serving; what both are over the batch, and what an input token costs."""

from pipeline.core.catalogue import read, transcription, write
from pipeline.core.errors import run
from pipeline.core.settings import load
from pipeline.ingest.sources import with_role
from pipeline.lengths.model.scenario import median_service
from pipeline.serving.model.costs import curves, token_weights
from pipeline.serving.model.model import fit_model, read_model, write_model
from pipeline.serving.model.prepare import make_tables
from pipeline.serving.model.training import training_rows


def main() -> None:
    """Assemble the rows, fit, write; price the measured chat configurations with what was written."""
    settings, scenarios, logs, simulation = load("serving", "lengths", "logs", "simulation")
    measurements, histograms = read("serving_measurements"), read("token_length_histograms")
    tables = make_tables(transcription("published/models"), transcription("hardware"))

    write_model(fit_model(training_rows(measurements, histograms, tables, settings), tables, settings))

    model, chat = read_model(), with_role(measurements, "chat")
    lengths = median_service(scenarios, read("length_fits"))
    in_flight = logs.requests_in_flight.distribution.median()
    write("batch_curves", curves(chat, model, settings, simulation.seed))
    write("token_weights", token_weights(chat, model, settings, lengths, in_flight, simulation.seed))


if __name__ == "__main__":
    run(main)
