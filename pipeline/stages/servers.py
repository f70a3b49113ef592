"""Fit wall power of servers from accelerator power, and say how far mean demand lies below its peak."""

import pandas as pd

from pipeline.core.catalogue import find, read, transcription, write
from pipeline.core.errors import run
from pipeline.core.settings import load
from pipeline.energy.model.load import deepseek_nodes, from_rates
from pipeline.servers.model.power import curves, fit_servers, to_table


def main() -> None:
    """Collect what was observed of each type of server and of demand, fit, save."""
    priors, simulation = load("servers", "simulation")
    facts = read("published/node_power")
    logs, mlperf = read("telemetry/node_power"), read("mlperf_throughput")

    fits = fit_servers(priors, read("serving_measurements"), logs, mlperf, facts, transcription("hardware"))
    load_evidence = [
        from_rates(read("request_rates"), read("sources")),
        deepseek_nodes(read("published/token_lengths")),
    ]

    write("node_power_fits", to_table(fits))
    write("node_power_curves", curves(fits, facts, simulation.seed))
    columns = list(find("load_evidence").contract.columns)
    write("load_evidence", pd.concat(load_evidence, ignore_index=True)[columns])


if __name__ == "__main__":
    run(main)
