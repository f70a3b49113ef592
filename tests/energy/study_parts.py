"""A small study on the serving stub, shared by the tests of the re-estimate."""

import numpy as np

from pipeline.core.catalogue import find
from pipeline.core.read import read_table
from pipeline.core.settings import from_params
from pipeline.energy.model.settings import ReEstimate
from pipeline.energy.model.study import Case, ServingModel, Study, draw_study
from pipeline.lengths.model.contract import LENGTH_FITS, LENGTH_PARAMETERS, LENGTH_TRAFFIC
from pipeline.lengths.model.scenario import read_traffic
from pipeline.servers.model.contract import NODE_POWER_FITS
from pipeline.servers.model.power import by_accelerator, from_table
from pipeline.serving.model.deployments import Propagation
from tests.energy.serving_stub import stub

SETTINGS, SIMULATION = from_params("energy", "simulation")
SMALL = Propagation(replicates=8, outer=64, inner=64, variance_points=256)
RESULTS = "data/results"
TRAFFIC = read_traffic(
    read_table(f"{RESULTS}/length_fits.csv", LENGTH_FITS),
    read_table(f"{RESULTS}/length_parameters.csv", LENGTH_PARAMETERS),
    read_table(f"{RESULTS}/length_traffic.csv", LENGTH_TRAFFIC),
)
HARDWARE = read_table("data/published/hardware.csv", find("hardware").contract)
SERVERS = by_accelerator(
    from_table(read_table(f"{RESULTS}/node_power_fits.csv", NODE_POWER_FITS), HARDWARE), HARDWARE
)


def small(
    settings: ReEstimate = SETTINGS, model: ServingModel | None = None, seed: int | None = None
) -> Study:
    """The study at a small size, on the stub unless another model is given."""
    simulation = SIMULATION if seed is None else SIMULATION.model_copy(update={"seed": seed})
    settings = settings.model_copy(update={"propagation": SMALL})
    return draw_study(settings, TRAFFIC, SERVERS, simulation, model or stub())


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
