"""Reading what the study rests on: fitted lengths, server power, and the serving model."""

from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.assumptions.re_estimate import ReEstimate
from pipeline.assumptions.serving import Serving
from pipeline.assumptions.simulation import Simulation
from pipeline.contracts import read_table
from pipeline.contracts.servers import NODE_POWER_FITS
from pipeline.contracts.traffic import LENGTH_FITS, LENGTH_PARAMETERS, LENGTH_TRAFFIC
from pipeline.estimate.cost_curves import Cost, Indices
from pipeline.estimate.lengths import Traffic, read_traffic
from pipeline.estimate.study import ServingModel, Study, draw
from pipeline.fit.node_power import ServerFit, from_table
from pipeline.fit.serving.costs import request_cost
from pipeline.fit.serving.model import read_model

RESULTS = Path("data/results")


def read_study(settings: ReEstimate, simulation: Simulation) -> Study:
    """Read data/results/{length_*,node_power_fits}.csv and the serving model, and draw the study."""
    return draw(settings, read_lengths(), read_servers(), simulation, read_serving(settings.serving))


def read_lengths() -> dict[str, Traffic]:
    """Fitted lengths by kind of traffic."""
    return read_traffic(
        read_table(RESULTS / "length_fits.csv", LENGTH_FITS),
        read_table(RESULTS / "length_parameters.csv", LENGTH_PARAMETERS),
        read_table(RESULTS / "length_traffic.csv", LENGTH_TRAFFIC),
    )


def read_servers() -> dict[str, ServerFit]:
    """Fitted server power by server type."""
    return from_table(read_table(RESULTS / "node_power_fits.csv", NODE_POWER_FITS))


def read_serving(settings: Serving) -> ServingModel:
    """The fitted serving model as a function that prices rows."""
    model = read_model(settings.power_form)

    def price(rows: pd.DataFrame, rng: np.random.Generator, draws: int, kept: Indices | None = None) -> Cost:
        return request_cost(rows, model, settings, rng, draws, kept)

    return price
