"""Predictions of a user's table, row by row: what is right is predicted, what is not says why."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.deployment.model.answer import World, answer
from pipeline.deployment.model.contract import CANNOT_RUN, OK, WRONG, added_columns, quantile_columns
from pipeline.deployment.model.limits import cannot_run
from pipeline.deployment.model.rows import Checked, Known, check_columns, check_rows, resolve_compared


@dataclass(frozen=True)
class Predictor:
    """The known names and the fitted world, for as many tables as one likes."""

    known: Known
    world: World

    def predict(self, table: pd.DataFrame, path: Path | str = "configurations") -> pd.DataFrame:
        """The user's columns, then `added_columns`, one row for each of theirs, in their order.

        table: as read_user_table gives it, or of text and numbers, with a column for each of REQUIRED. Raises
        InputError for columns that are wrong; a wrong row gets a status and a message.
        """
        check_columns(table, path)
        checked = check_rows(table, self.known)
        compared = resolve_compared(checked.rows, checked.faults)
        status, message = self.judged(checked)
        good = np.flatnonzero(status == OK)
        world = self.world.with_hardware(checked.hardware)
        blank = pd.DataFrame(
            index=range(len(table)), columns=added_columns(bool((compared >= 0).any())), dtype=object
        )
        found = blank.assign(basis=pd.Series([CANNOT_RUN if one == CANNOT_RUN else None for one in status]))
        if len(good):
            others = _among(compared, good)
            lost = good[(compared[good] >= 0) & (others < 0)]
            message[lost] = [f"no ratio: row {table.index[compared[at]]} has no prediction" for at in lost]
            numbers = answer(checked.rows.iloc[good].reset_index(drop=True), world, others)
            found.loc[good, list(numbers)] = numbers.set_axis(good).astype(object)
        assumed = zip(checked.assumed, status, strict=True)
        found["assumed"] = ["; ".join(one) if one and is_now != WRONG else None for one, is_now in assumed]
        found["status"], found["message"] = status, [text or None for text in message]
        return _typed(pd.concat([_shown(table, checked, status), found], axis=1))

    def judged(self, checked: Checked) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
        """Status and message of each row, (n,)."""
        wrong = checked.faults.rows
        message = np.array([checked.faults.message(at) for at in range(len(wrong))], dtype=object)
        right = np.flatnonzero(~wrong)
        reasons = np.full(len(wrong), "", dtype=object)
        if len(right):
            tables = self.world.with_hardware(checked.hardware).model.tables
            rows = checked.rows.iloc[right].reset_index(drop=True)
            reasons[right] = cannot_run(rows, tables, self.world.settings)
        status = np.where(wrong, WRONG, np.where(reasons != "", CANNOT_RUN, OK)).astype(object)
        return status, np.where(wrong, message, reasons).astype(object)


def _among(compared: NDArray[np.int64], good: NDArray[np.int64]) -> NDArray[np.int64]:
    """Positions among the good rows; -1 for none, and for one that is not good."""
    place = np.full(len(compared) + 1, -1)
    place[good] = np.arange(len(good))
    return np.asarray(place[compared[good]])


def _shown(table: pd.DataFrame, checked: Checked, status: NDArray[np.object_]) -> pd.DataFrame:
    """The user's columns: as they were read where the row is right, as they stand where it is wrong."""
    shown = table.reset_index(drop=True).astype(object)
    right = status != WRONG
    for name, values in checked.shown().items():
        read = [int(one) if isinstance(one, float) and one.is_integer() else one for one in values.tolist()]
        shown[name] = np.where(right, pd.Series(read, dtype=object), shown[name])
    return shown


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    of = [*quantile_columns().values(), *quantile_columns("_ratio").values(), ["requests_running"]]
    return table.assign(
        **{name: table[name].astype(float) for names in of for name in names if name in table}
    )
