"""Throughput of a node as the published analysis has it: log-linear in input and output length, capped.

ln TPS = intercept + slope_input ln(input tokens) + slope_output ln(output tokens), ordinary least squares per
model on its rows; predictions are capped at the model's largest row. A model with two rows has no regression:
its larger row stands for every query (Oviedo et al. 2026, released code).
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.assumptions.published import PublishedModel
from pipeline.errors import InputError

Array = NDArray[np.float64]
PREDICTORS = ["input_tokens", "output_tokens"]
COEFFICIENTS = ["intercept", "slope_input", "slope_output"]
# A query of 0 tokens has no logarithm; the released code puts a millionth of a token in its place.
FEWEST_TOKENS = 1e-6
PREDICTION_ALPHA = 0.1


@dataclass(frozen=True)
class ThroughputFit:
    """Output tokens/s of one model's node; the coefficients are missing where `method` is constant.

    Standard errors, residual spread and prediction interval are missing where no degree of freedom is left.
    """

    model: str
    method: str
    rows: int
    largest_tokens_per_s: float
    intercept: float = np.nan
    slope_input: float = np.nan
    slope_output: float = np.nan
    intercept_se: float = np.nan
    slope_input_se: float = np.nan
    slope_output_se: float = np.nan
    residual_sd: float = np.nan  # of ln TPS
    # TPS may be this many times larger or smaller: 90 % prediction interval of one query's throughput
    pi90_factor_short: float = np.nan
    pi90_factor_long: float = np.nan

    def tokens_per_s(self, input_tokens: float, output_tokens: Array) -> Array:
        """Predicted throughput for output lengths of any shape."""
        if self.method == "constant":
            return np.full_like(output_tokens, self.largest_tokens_per_s)
        log_output = np.log(np.maximum(output_tokens, FEWEST_TOKENS))
        log_rate = self.intercept + self.slope_input * np.log(input_tokens) + self.slope_output * log_output
        return np.minimum(np.exp(log_rate), self.largest_tokens_per_s)


def rows_of(throughput: pd.DataFrame, model: PublishedModel) -> pd.DataFrame:
    """The rows of the authors' table that a model's throughput rests on; raises InputError without any."""
    chosen = throughput[
        (throughput["set"] == "published_analysis")
        & (throughput["used_by_authors"] == "yes")
        & (throughput["model"] == model.name)
        & (throughput["precision"] == model.precision)
    ]
    needed = len(PREDICTORS) + 1 if model.throughput == "regression" else 1
    if len(chosen) < needed:
        expected = f"at least {needed} rows of {model.name} in {model.precision} that the authors used"
        raise InputError(f"data/published/throughput.csv: {len(chosen)} rows, expected {expected}")
    return chosen


def fit_model(
    rows: pd.DataFrame,
    model: PublishedModel,
    *,
    input_tokens: float,
    output_tokens_short: float,
    output_tokens_long: float,
) -> ThroughputFit:
    """Fit one model; the token lengths say where the prediction interval is taken."""
    largest = float(rows["output_tokens_per_s"].max())
    if model.throughput == "constant":
        return ThroughputFit(model.name, "constant", len(rows), largest)
    import statsmodels.api as sm  # a second, which the stages that only read fits need not spend

    log_rate = np.log(rows["output_tokens_per_s"].to_numpy(dtype=float))
    fitted = sm.OLS(log_rate, _design(rows[PREDICTORS].to_numpy(dtype=float))).fit()
    coefficients = dict(zip(COEFFICIENTS, map(float, fitted.params), strict=True))
    points = _design(np.array([[input_tokens, output_tokens_short], [input_tokens, output_tokens_long]]))
    spread = _spread(fitted, points) if fitted.df_resid > 0 else {}
    return ThroughputFit(model.name, "regression", len(rows), largest, **coefficients, **spread)


def fit_all(
    throughput: pd.DataFrame, models: Iterable[PublishedModel], **lengths: float
) -> list[ThroughputFit]:
    """Fit every model, in the given order."""
    return [fit_model(rows_of(throughput, model), model, **lengths) for model in models]


def to_table(fits: Iterable[ThroughputFit]) -> pd.DataFrame:
    """One row a model, one column a field of ThroughputFit."""
    return pd.DataFrame([asdict(fit) for fit in fits])


def from_table(table: pd.DataFrame) -> dict[str, ThroughputFit]:
    """The fits of a table by model, in its order."""
    records: list[dict[str, Any]] = table.to_dict("records")  # type: ignore[assignment]
    return {record["model"]: ThroughputFit(**record) for record in records}


def _design(tokens: Array) -> Array:
    """Intercept and logarithms, (n, 3), from input and output tokens, (n, 2)."""
    return np.column_stack([np.ones(len(tokens)), np.log(tokens)])


def _spread(fitted: Any, points: Array) -> dict[str, float]:
    """What needs a degree of freedom: standard errors, residual spread, prediction interval at the points."""
    errors = {f"{name}_se": float(error) for name, error in zip(COEFFICIENTS, fitted.bse, strict=True)}
    interval = fitted.get_prediction(points).conf_int(obs=True, alpha=PREDICTION_ALPHA)
    short, long = np.exp((interval[:, 1] - interval[:, 0]) / 2)
    return {
        **errors,
        "residual_sd": float(np.sqrt(fitted.scale)),
        "pi90_factor_short": float(short),
        "pi90_factor_long": float(long),
    }
