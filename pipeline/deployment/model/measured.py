"""Measurements of one's own: checked like any deployment, then taken in by the model.

A measured energy of the servers is brought to that of the accelerators by the middle of what is known of
their servers, at the measured throughput, or at the predicted one.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.core.errors import InputError
from pipeline.core.units import JOULES_PER_WH
from pipeline.core.user_table import DECIMAL
from pipeline.deployment.model.answer import World, quantities
from pipeline.deployment.model.contract import MEASURED
from pipeline.deployment.model.faults import Faults, numbers
from pipeline.deployment.model.limits import cannot_run
from pipeline.deployment.model.predict import Predictor
from pipeline.deployment.model.rows import Checked, cells_of, check_columns, check_rows
from pipeline.serving.model.architecture import Array

NODE = "node_wh_per_query"
MOST_OFF = 20.0  # times the prediction: no laboratory is so far off, another unit is
MOST_OF_RATED = 1.25  # mean power of accelerators over their limit


def calibrated(tool: Predictor, table: pd.DataFrame, path: Path | str = "measured") -> Predictor:
    """The same tool after measurements, one row each: columns of a deployment and any of MEASURED.

    Raises InputError with every wrong row: left out in silence, it would calibrate to the others.
    """
    from pipeline.serving.model.calibration import updated  # what it loads, predictions do without

    check_columns(table, path, more=[*MEASURED])
    if not any(name in table for name in MEASURED):
        raise InputError(f"{path}, row 1: nothing measured, expected a column of {', '.join(MEASURED)}")
    checked, values = _checked(tool, table)
    if checked.faults.rows.any():
        wrong = sorted(checked.faults.found)
        lines = [f"{path}, row {table.index[at]}: {checked.faults.message(at)}" for at in wrong]
        raise InputError("\n".join(lines))
    world = tool.world.with_hardware(checked.hardware)
    rows = checked.rows.assign(engine=checked.rows["measured_engine"], **values)
    rows["gpu_j_per_output_token"] = _accelerators(checked.rows, values, world)
    model = updated(world.model, rows.drop(columns=NODE), world.settings)
    known = replace(tool.known, engine=model.engine)
    model = replace(model, tables=tool.world.model.tables)
    return replace(tool, known=known, world=replace(tool.world, model=model))


def _checked(tool: Predictor, table: pd.DataFrame) -> tuple[Checked, dict[str, Array]]:
    """Rows and measured values, with the faults of both."""
    checked = check_rows(table, tool.known)
    faults, cells = checked.faults, cells_of(table, MEASURED)
    values = {
        name: numbers(cells[name], column, table.attrs.get(DECIMAL, "."), faults)
        for name, column in MEASURED.items()
    }
    nothing = np.all([cells[name].isna() for name in MEASURED], axis=0)
    for at in np.flatnonzero(nothing):
        faults.say(int(at), f"nothing measured, expected a number in {', '.join(MEASURED)}")
    flight, answers = checked.rows["concurrency"], checked.rows["output_tokens"]
    faults.add(flight < 1, "concurrency", flight, "at least 1 in a measurement")
    faults.add(answers < 1, "output_tokens", answers, "at least 1 in a measurement")
    right = np.flatnonzero(~faults.rows)
    if len(right):
        world, rows = (
            tool.world.with_hardware(checked.hardware),
            checked.rows.iloc[right].reset_index(drop=True),
        )
        reasons = cannot_run(rows, world.model.tables, tool.world.settings)
        for at, reason in zip(right, reasons, strict=True):
            if reason:
                faults.say(int(at), f"cannot run: {reason}")
        _refuse_other_units(rows, {name: of[right] for name, of in values.items()}, world, faults, right)
    return checked, values


def _refuse_other_units(
    rows: pd.DataFrame, values: dict[str, Array], world: World, faults: Faults, where: NDArray[np.int64]
) -> None:
    """A fault for each value that no such deployment has; where: rows of the table, (n,)."""
    drawn, _ = quantities(rows, world)
    limit_w = (rows["gpu"].map(world.model.tables.hardware["rated_w"]) * rows["gpus"]).to_numpy(float)
    for name, measured in values.items():
        median = np.median(drawn[name], axis=1)
        far = np.abs(np.log(measured / median)) > np.log(MOST_OFF)
        hot = (measured > MOST_OF_RATED * limit_w) & (name == "gpu_w")
        for at in np.flatnonzero(far | hot):
            expected = (
                f"at most the {limit_w[at]:,.0f} W that they are rated at"
                if hot[at]
                else f"within {MOST_OFF:g} times of the {median[at]:.3g} that is predicted (another unit?)"
            )
            faults.say(int(where[at]), f"column {name!r}: {measured[at]:g}, expected {expected}")


def _accelerators(rows: pd.DataFrame, values: dict[str, Array], world: World) -> Array:
    """J of the accelerators for an output token, (n,): as measured, else from the energy of their servers."""
    joules, node_wh = values["gpu_j_per_output_token"], values[NODE]
    derived = np.isnan(joules) & ~np.isnan(node_wh)
    if not derived.any():
        return joules
    some = rows[derived].reset_index(drop=True)
    drawn, _ = quantities(some, world)
    rate = values["output_tokens_per_s"][derived]
    rate = np.where(np.isnan(rate), np.median(drawn["output_tokens_per_s"], axis=1), rate)
    tokens_per_s = rate / some["output_tokens"].to_numpy(float)
    node_w = node_wh[derived] * JOULES_PER_WH * tokens_per_s
    found = joules.copy()
    found[derived] = world.servers_of(some, 1).middle_gpu_w(node_w) / rate
    return found
