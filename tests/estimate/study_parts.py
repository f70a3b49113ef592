"""A small study on the serving stub, shared by the tests of the re-estimate."""

import numpy as np

from pipeline.assumptions import load
from pipeline.assumptions.deployments import Propagation
from pipeline.assumptions.re_estimate import ReEstimate
from pipeline.contracts import read_table
from pipeline.contracts.servers import NODE_POWER_FITS
from pipeline.contracts.traffic import LENGTH_FITS, LENGTH_PARAMETERS, LENGTH_TRAFFIC
from pipeline.estimate.lengths import read_traffic
from pipeline.estimate.study import Case, ServingModel, Study, draw
from pipeline.fit.node_power import from_table
from tests.estimate.serving_stub import stub

SETTINGS, SIMULATION = load("assumptions.re_estimate", "simulation")
SMALL = Propagation(replicates=8, outer=64, inner=64, variance_points=256)
RESULTS = "data/results"
TRAFFIC = read_traffic(
    read_table(f"{RESULTS}/length_fits.csv", LENGTH_FITS),
    read_table(f"{RESULTS}/length_parameters.csv", LENGTH_PARAMETERS),
    read_table(f"{RESULTS}/length_traffic.csv", LENGTH_TRAFFIC),
)
SERVERS = from_table(read_table(f"{RESULTS}/node_power_fits.csv", NODE_POWER_FITS))


def small(
    settings: ReEstimate = SETTINGS, model: ServingModel | None = None, seed: int | None = None
) -> Study:
    """The study at a small size, on the stub unless another model is given."""
    simulation = SIMULATION if seed is None else SIMULATION.model_copy(update={"seed": seed})
    settings = settings.model_copy(update={"propagation": SMALL})
    return draw(settings, TRAFFIC, SERVERS, simulation, model or stub())


def case_of(study: Study, scenario: str, regime: str) -> Case:
    """One case of a study."""
    return next(case for case in study.cases if (case.scenario, case.regime) == (scenario, regime))


def constant(assumption: object, value: float) -> object:
    """The assumption at one value."""
    distribution = {"family": "constant", "value": value}
    fields = assumption.model_dump(by_alias=True) | {"distribution": distribution}
    return type(assumption).model_validate(fields)


def pooled(energy_wh: np.ndarray) -> np.ndarray:
    """Energies of a subject as (replicates, draws)."""
    return energy_wh.reshape(len(energy_wh), -1)
