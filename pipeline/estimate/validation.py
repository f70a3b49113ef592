"""Predictions against measurements: score each comparison, then sum up by set.

A comparison is a row that says what was measured and the draws of its prediction. Errors are ln(measured /
median of the draws).
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.contracts.validation import VALIDATION, VALIDATION_SUMMARY
from pipeline.errors import InputError
from pipeline.fit.serving.held_out import coverage_aim

Array = NDArray[np.float64]
PERCENTILES = (5, 25, 50, 75, 95)


def score(rows: pd.DataFrame, draws: Array) -> pd.DataFrame:
    """The rows in the contract VALIDATION.

    rows: its columns without percentiles and what follows from them; draws: (n, D) predictions in the unit of
    `measured`.
    """
    if draws.shape[0] != len(rows):
        raise InputError(f"{len(rows)} comparisons, but predictions of {draws.shape[0]}")
    quantiles = np.quantile(draws, np.array(PERCENTILES) / 100, axis=1)
    table = rows.assign(**{f"p{p}": quantiles[i] for i, p in enumerate(PERCENTILES)})
    inside = table["measured"].between(table["p5"], table["p95"])
    scored = table.assign(
        ln_error=np.log(table["measured"] / table["p50"]),
        inside_90=np.where(inside, "yes", "no"),
    )
    return scored[list(VALIDATION.columns)]


def summarise(scored: pd.DataFrame) -> pd.DataFrame:
    """Errors and coverage by set, quantity and whether a bound is compared; VALIDATION_SUMMARY."""
    rows = []
    for keys, group in scored.groupby(["set", "quantity", "bound"], sort=True):
        error = group["ln_error"].to_numpy()
        rows.append(
            dict(zip(["set", "quantity", "bound"], keys, strict=True))
            | {
                "n": len(group),
                "median_abs_ln_error": float(np.median(np.abs(error))),
                "rmse_ln": float(np.sqrt(np.mean(error**2))),
                "bias_ln": float(error.mean()),
                "coverage_50": float(group["measured"].between(group["p25"], group["p75"]).mean()),
                "coverage_90": float(group["measured"].between(group["p5"], group["p95"]).mean()),
            }
        )
    table = pd.DataFrame(rows)
    matched = table["coverage_90"].where(table["bound"] == "no")
    return table.assign(aim=coverage_aim(table["n"], matched))[list(VALIDATION_SUMMARY.columns)]
