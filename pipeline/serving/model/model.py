"""The fitted model of serving: fit it, write it as tables, read it back.

Step time and power are a posterior each (`<form>_parameters`, `_root`, `_configurations`, `_coupling`);
`support` says what was measured. Six significant digits are written; what is read back is what predicts.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.sparse as sp

from pipeline.core.errors import InputError
from pipeline.core.files import write_csv
from pipeline.core.read import read_checked
from pipeline.serving.model.effects import CONFIGURATION, POWER, STEP, Form
from pipeline.serving.model.fitting import COEFFICIENT, Posterior, fit
from pipeline.serving.model.power import features, wanted
from pipeline.serving.model.prepare import Prepared, Tables, as_run, make_tables, prepare
from pipeline.serving.model.settings import Serving
from pipeline.serving.model.support import Support, supported

FOLDER = Path("data/results/serving_model")
MODELS_CSV = Path("data/published/models.csv")
HARDWARE_CSV = Path("data/published/hardware.csv")


@dataclass(frozen=True)
class ServingModel:
    """Everything that a prediction needs.

    support: what the fit has seen, one row a measured row (support.COLUMNS); told: of one's own, likewise;
    engine: that of one's own measurements, where it is one for all of them.
    """

    tables: Tables
    step: Posterior
    power: Posterior
    support: pd.DataFrame
    told: pd.DataFrame | None = None
    engine: str | None = None

    @cached_property
    def measured(self) -> Support:
        """Whatever was measured."""
        told = [] if self.told is None else [self.told]
        return Support(pd.concat([self.support, *told], ignore_index=True))


def fit_model(training: pd.DataFrame, tables: Tables, settings: Serving, form: Form = STEP) -> ServingModel:
    """Fit step time, then power at the measured step times; training: columns of training.COLUMNS."""
    return fit_prepared(prepare(training, tables, settings), training, tables, settings, form)


def fit_prepared(
    p: Prepared,
    training: pd.DataFrame,
    tables: Tables,
    settings: Serving,
    form: Form = STEP,
    near: ServingModel | None = None,
) -> ServingModel:
    """fit_model of rows that are prepared; near: a model of nearly the same rows, from which it starts."""
    log_step = np.log(p.load.concurrency / training["output_tokens_per_s"].to_numpy(float))
    timed = np.flatnonzero(training["in_step"].to_numpy(bool))
    support = supported(p.take(timed))
    p = as_run(p, support)
    scale = np.full(len(timed), settings.residual_scale.distribution.median())
    step = fit(
        form, p.rows.iloc[timed], p.x[timed], log_step[timed], scale, settings, near.step if near else None
    )
    alone = np.isnan(log_step)  # energy a token without a rate: power, at the step time that is fitted
    watts, rest = training["gpu_w"].to_numpy(float), settings.power_spreads.values["rest"]
    if alone.any():
        log_step = np.where(alone, step.log_sum(p.rows, p.x), log_step)
        joules = training["gpu_j_per_output_token"].to_numpy(float)
        watts = np.where(alone, joules * p.load.concurrency / np.exp(log_step), watts)
    spread = np.where(alone, np.hypot(rest, settings.spreads.rest.distribution.median()), rest)
    fraction = wanted(watts, p, settings)
    measured = np.flatnonzero(np.isfinite(fraction))
    with_power = p.take(measured)
    x = features(with_power.x, np.exp(log_step[measured]), settings)
    log_fraction, start = np.log(fraction[measured]), near.power if near else None
    power = fit(POWER, with_power.rows, x, log_fraction, spread[measured], settings, start)
    return ServingModel(tables, step, power, support)


def write_model(model: ServingModel, folder: Path = FOLDER) -> None:
    """The tables of the module's head."""
    write_csv(model.support, folder / "support.csv")
    for posterior in (model.step, model.power):
        name, shared = posterior.form.name, posterior.shared
        spread = np.sqrt((posterior.root**2).sum(axis=1))
        write_csv(posterior.table.iloc[:shared].assign(ln_sd=spread), folder / f"{name}_parameters.csv")
        own = posterior.table.iloc[shared:].drop(columns="effect").assign(ln_sd=posterior.own_sd)
        write_csv(own, folder / f"{name}_configurations.csv")
        # What is smaller differs between processors.
        root = pd.DataFrame(np.round(posterior.root, 6) + 0.0, columns=[f"c{i}" for i in range(shared)])
        write_csv(root, folder / f"{name}_root.csv")
        entry = posterior.coupling.tocoo()
        coupling = pd.DataFrame({"row": entry.row, "column": entry.col, "value": np.round(entry.data, 6)})
        write_csv(coupling[coupling["value"] != 0], folder / f"{name}_coupling.csv")


def read_model(
    folder: Path = FOLDER, models: Path = MODELS_CSV, hardware: Path = HARDWARE_CSV
) -> ServingModel:
    """The model as written; raises InputError when one of its files is missing."""

    def table(name: str) -> pd.DataFrame:
        path = folder / f"{name}.csv"
        if not path.exists():
            raise InputError(f"{path}: no such file; `dvc repro fit_serving` writes it")
        return pd.read_csv(path, keep_default_na=False, na_values={"concurrency": [""]})

    def posterior(form: Form) -> Posterior:
        shared, own = table(f"{form.name}_parameters"), table(f"{form.name}_configurations")
        written, ours = set(shared["effect"]), {effect.name for effect in form.effects}
        if {effect.name for effect in form.effects if not effect.key} - written or written - ours - {
            COEFFICIENT
        }:
            path = folder / f"{form.name}_parameters.csv"
            raise InputError(f"{path}: effects of another model of serving; `dvc repro fit_serving` fits it")
        root, coupling = table(f"{form.name}_root").to_numpy(float), table(f"{form.name}_coupling")
        entries = (coupling["value"], (coupling["row"], coupling["column"]))
        return Posterior(
            form,
            pd.concat([shared, own.assign(effect=CONFIGURATION)], ignore_index=True).drop(columns="ln_sd"),
            root,
            own["ln_sd"].to_numpy(float),
            sp.csr_matrix(entries, shape=(len(own), len(shared))),
        )

    tables = make_tables(read_checked(models), read_checked(hardware))
    return ServingModel(tables, posterior(STEP), posterior(POWER), table("support"))
