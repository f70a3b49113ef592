"""The learning curve of calibration: what measurements of one's own tell, by their number.

Of a laboratory that the fit did not see, some rows of a configuration are told and its others predicted.
"""

import numpy as np
import pandas as pd

from pipeline.core.draws import generator
from pipeline.serving.model.architecture import Array
from pipeline.serving.model.calibration import updated
from pipeline.serving.model.contract import CALIBRATION, QUANTITIES
from pipeline.serving.model.model import ServingModel
from pipeline.serving.model.predictive import draw
from pipeline.serving.model.settings import Serving

RATE = QUANTITIES[0]
OWN_ROWS = (0, 1, 2, 3, 5)
CONFIGURATIONS = 4  # of each laboratory, at most
TESTED = 16  # other rows of each, at most
DRAWS = 128
CONFIGURATION = ["engine", "model", "gpu", "gpus", "precision"]


def curve_of(own: pd.DataFrame, model: ServingModel, settings: Serving, seed: int) -> pd.DataFrame:
    """Errors on some configurations after each number of their rows.

    own: rows of one laboratory, as a user would ask for them, with the rate; model: fitted without them.
    """
    own = own.reset_index(drop=True)
    laboratory = str(own["laboratory"].iloc[0])
    own = own.drop(columns="laboratory")
    groups = [rows.index for _, rows in own.groupby(CONFIGURATION) if len(rows) > max(OWN_ROWS)]
    rng, found = generator(seed, f"calibration curve, {laboratory}"), []
    for number in rng.permutation(len(groups))[:CONFIGURATIONS]:
        index = rng.permutation(groups[number])
        rows = own.loc[index[: max(OWN_ROWS) + TESTED]]
        untold = _ln_rate(rows, model, settings, seed)
        for count in OWN_ROWS:
            found.append({"own_rows": count, **_told(rows, count, untold, model, settings, seed)})
    return pd.DataFrame(found, columns=["own_rows", "error", "inside", "width", "offset"])


def _ln_rate(rows: pd.DataFrame, model: ServingModel, settings: Serving, seed: int) -> Array:
    return np.log(draw(rows, model, settings, seed, DRAWS).output_tokens_per_s)


def _told(
    rows: pd.DataFrame, count: int, untold: Array, model: ServingModel, settings: Serving, seed: int
) -> dict[str, float]:
    """Errors on the last rows after the first `count`; offset: of `untold`, moved by its mean error there."""
    first, last = slice(count), slice(max(OWN_ROWS), None)
    predicted = untold[last]
    if count:
        predicted = _ln_rate(rows[last], updated(model, rows[first], settings), settings, seed)
    low, middle, high = np.quantile(predicted, [0.05, 0.5, 0.95], axis=1)
    before = np.log(rows[RATE].to_numpy(float)) - np.median(untold, axis=1)
    measured = np.log(rows[RATE].to_numpy(float)[last])
    return {
        "error": float(np.median(np.abs(measured - middle))),
        "inside": float(((measured >= low) & (measured <= high)).mean()),
        "width": float(np.median(high - low)),
        "offset": float(np.median(np.abs(before[last] - before[first].mean()))) if count else np.nan,
    }


def calibration_curve(told: pd.DataFrame) -> pd.DataFrame:
    """CALIBRATION from the curves of all laboratories."""
    width = told.loc[told["own_rows"] == 0, "width"].to_numpy()
    found = [
        {
            "own_rows": count,
            "configurations": len(group),
            "median_abs_ln_error": group["error"].median(),
            "coverage_90": group["inside"].mean(),
            "width_ratio": float(np.median(group["width"].to_numpy() / width)),
            "offset_median_abs_ln_error": group["offset"].median(),
        }
        for count, group in told.groupby("own_rows")
    ]
    return pd.DataFrame(found)[list(CALIBRATION.columns)]
