"""Predictions against measurements that the serving model was not fitted to, and beside other estimators."""

import pandas as pd

from pipeline.core.catalogue import read, write
from pipeline.core.errors import run
from pipeline.core.settings import load
from pipeline.energy.model.study import read_servers
from pipeline.ingest.sources import with_role
from pipeline.serving.model.model import read_model
from pipeline.serving.model.training import left_out, training_rows
from pipeline.validation.model import peers, score
from pipeline.validation.model.accounts import COUNTED, count_sources
from pipeline.validation.model.fleets import deepseek_rows, google_rows
from pipeline.validation.model.mlperf import mlperf_rows


def main() -> None:
    """Predict every set and every measured chat row, score, sum up, save."""
    assumed, lacking, simulation = load("energy", "validation", "simulation")
    settings = assumed.serving
    predictor = score.Predictor(read_model(), settings, lacking, simulation.seed)
    measured, servers = read("serving_measurements"), read_servers()
    runs, logs = read("mlperf_throughput"), read("telemetry/node_power")

    estimates = read("prior_estimates")
    sets = [
        *mlperf_rows(runs, logs, measured, assumed.servers.B200, predictor),
        deepseek_rows(read("published/token_lengths"), predictor, servers),
        google_rows(estimates, measured, assumed, predictor, servers),
        score.online_rows(measured, predictor),
        score.single_query_rows(measured, predictor),
        score.static_power_rows(measured, predictor),
        score.prefix_rows(estimates, read("telemetry/models"), predictor),
    ]
    scored = pd.concat(sets).sort_values(["set", "quantity", "configuration"], ignore_index=True)
    beside = peers.compare(measured, read("heldout_predictions"), read("published_throughput_fit"), settings)

    tables = {name: read(name) for name in COUNTED}
    tables |= {"serving_measurements": measured, "validation": scored}
    model = predictor.model
    histograms = read("token_length_histograms")
    training = training_rows(measured, histograms, model.tables, settings)
    unused = left_out(with_role(measured, "step"), histograms, model.tables, settings)
    steady = lacking.steady_first_token_s.distribution.median()
    counts = count_sources(tables, training, unused, steady)

    write("validation", scored)
    write("validation_summary", score.summarise(scored))
    write("peers", beside)
    write("peers_summary", peers.summarise(beside))
    write("results/sources", counts)


if __name__ == "__main__":
    run(main)
