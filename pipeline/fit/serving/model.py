"""The fitted model of serving: fit it, write it as tables, read it back.

Four tables make the model: `step_parameters` (mode and prior of every parameter), `step_root` (root of the
covariance of the shared ones, one row a parameter), `power_coefficients`, `anchors` (residuals of the
measured configurations). They are written with six significant digits; what is read back is what predicts.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.assumptions.serving import PowerForm, Serving
from pipeline.contracts import read_table
from pipeline.contracts.facts import HARDWARE, MODELS
from pipeline.errors import InputError
from pipeline.files import write_csv
from pipeline.fit.serving.architecture import Array
from pipeline.fit.serving.effects import Design, make_design
from pipeline.fit.serving.names import joined
from pipeline.fit.serving.power import PowerFit, fit_power, power_from_table
from pipeline.fit.serving.prepare import Prepared, Tables, make_tables, prepare
from pipeline.fit.serving.steps import MAX_ITERATIONS, StepFit, fit_steps, step_seconds
from pipeline.fit.serving.training import residual_scale

FOLDER = Path("data/results/serving_model")
MODELS_CSV = Path("data/published/models.csv")
HARDWARE_CSV = Path("data/published/hardware.csv")
FILES = ("step_parameters", "step_root", "power_coefficients", "anchors")
ANCHOR_KEYS = ["shape_name", "gpu", "gpus", "precision"]
ANCHOR_VALUES = ["concurrency", "output_tokens", "step_residual_ln", "power_residual_ln"]


@dataclass(frozen=True)
class ServingModel:
    """Everything that a prediction needs."""

    tables: Tables
    steps: StepFit
    power: PowerFit
    anchors: pd.DataFrame  # ANCHOR_KEYS + ANCHOR_VALUES, one row a measured cell

    @property
    def measured_gpus(self) -> set[str]:
        """Accelerators that the fit has seen."""
        return self._levels("gpu")

    @property
    def measured_models(self) -> set[str]:
        """Models that the fit has seen."""
        return self._levels("model")

    @property
    def most_gpus(self) -> int:
        """The largest instance that the fit has seen."""
        return max(int(level.split("|")[3]) for level in self._levels("configuration") if "|" in level)

    def latest_version(self, stack: str) -> str:
        """The newest measured version of an engine."""
        versions = [level.split("|")[1] for level in self._levels("version") if level.startswith(f"{stack}|")]
        return max(versions)

    def _levels(self, effect: str) -> set[str]:
        parameters = self.steps.design.parameters
        return set(parameters.loc[parameters["effect"] == effect, "level"])


def fit_model(
    training: pd.DataFrame,
    tables: Tables,
    settings: Serving,
    start: StepFit | None = None,
    max_iterations: int = MAX_ITERATIONS,
) -> ServingModel:
    """Fit step time, then power, then the residuals of measured configurations.

    training: columns of training.COLUMNS, gpu_w missing where not measured. start: an earlier fit, whose mode
    is where the search starts (held-out fits differ little from the full one).
    """
    p = prepare(training, tables)
    rate = training["output_tokens_per_s"].to_numpy(float)
    log_step = np.log(p.load.concurrency / rate)
    design = make_design(p.rows)
    z = design.matrix(p.rows)
    scale = residual_scale(training, settings.residual_scale)
    theta = None if start is None else start.at(design)
    steps = fit_steps(design, z, p.x, log_step, scale, theta, max_iterations)
    residual = log_step - np.log(step_seconds(z, steps.theta, p.x))

    measured = np.flatnonzero(training["gpu_w"].notna().to_numpy())
    with_power = p.take(measured)
    fraction = training["gpu_w"].to_numpy(float)[measured] / rated_power_w(with_power)
    step_s = np.exp(log_step[measured])
    power = fit_power(with_power, step_s, fraction, settings.power_form)
    power_residual = np.log(fraction / power.fraction(with_power, step_s))
    anchors = _anchor_table(with_power, residual[measured], power_residual)
    return ServingModel(tables, steps, power, anchors)


def rated_power_w(p: Prepared) -> Array:
    """Rated power of all GPUs, W, (n,)."""
    return p.chip.rated_w * p.load.gpus


def _anchor_table(p: Prepared, step_residual: Array, power_residual: Array) -> pd.DataFrame:
    values = (p.load.concurrency, p.load.output_tokens, step_residual, power_residual)
    table = p.rows[ANCHOR_KEYS].assign(**dict(zip(ANCHOR_VALUES, values, strict=True)))
    return table.sort_values([*ANCHOR_KEYS, *ANCHOR_VALUES], ignore_index=True)


def anchor_keys(rows: pd.DataFrame) -> NDArray[np.object_]:
    """One text a row that names its configuration, (n,)."""
    whole = rows.assign(gpus=rows["gpus"].astype(int))
    return joined(*(whole[key] for key in ANCHOR_KEYS))


def write_model(model: ServingModel, folder: Path = FOLDER) -> None:
    """The four tables of the module's head."""
    fit = model.steps
    spread = np.full(len(fit.theta), np.nan)
    spread[fit.design.shared] = np.sqrt((fit.root**2).sum(axis=1))
    parameters = fit.design.parameters.assign(ln=fit.theta, ln_sd=spread)
    write_csv(parameters, folder / "step_parameters.csv")
    root = np.round(fit.root, 6) + 0.0  # what is smaller differs between processors
    columns = [f"c{i}" for i in range(len(root))]
    write_csv(pd.DataFrame(root, columns=columns), folder / "step_root.csv")
    write_csv(model.power.table(), folder / "power_coefficients.csv")
    write_csv(model.anchors, folder / "anchors.csv")


def read_model(
    form: PowerForm = "mean of both",
    folder: Path = FOLDER,
    models: Path = MODELS_CSV,
    hardware: Path = HARDWARE_CSV,
) -> ServingModel:
    """The model as written; raises InputError when one of its files is missing."""
    found = {}
    for name in FILES:
        path = folder / f"{name}.csv"
        if not path.exists():
            raise InputError(f"{path}: no such file; `dvc repro fit_serving_model` writes it")
        found[name] = pd.read_csv(path, keep_default_na=False, na_values={"ln_sd": [""]})
    parameters = found["step_parameters"]
    design = Design(parameters.drop(columns=["ln", "ln_sd"]))
    steps = StepFit(design, parameters["ln"].to_numpy(float), found["step_root"].to_numpy(float), 0)
    tables = make_tables(read_table(models, MODELS), read_table(hardware, HARDWARE))
    return ServingModel(tables, steps, power_from_table(found["power_coefficients"], form), found["anchors"])
