"""What the validation figures are drawn from."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.contracts.facts import HARDWARE
from pipeline.contracts.read import read_table
from pipeline.contracts.serving import COMPARISON, HELD_OUT
from pipeline.contracts.telemetry import SERVING_MEASUREMENTS
from pipeline.contracts.validation import BATCH_CURVES, PRIOR_ESTIMATES_COMPARED, VALIDATION
from pipeline.estimate.batch_curves import configuration_names
from pipeline.units import JOULES_PER_WH

COMPARISON_CSV = "data/results/model_comparison.csv"
HELD_OUT_CSV = "data/results/heldout_predictions.csv"
VALIDATION_CSV = "data/results/validation.csv"
MEASUREMENTS_CSV = "data/telemetry/serving_measurements.csv"
CURVES_CSV = "data/results/batch_curves.csv"
HARDWARE_CSV = "data/published/hardware.csv"
PRIOR_CSV = "data/results/prior_estimates_compared.csv"

STEP_MODEL = "step model"
ENERGY = "gpu_j_per_output_token"
CHAT, SATURATED = "ML.ENERGY v3", "TensorRT-LLM"


@dataclass(frozen=True)
class ValidationTables:
    """Contracts in order: COMPARISON, HELD_OUT, VALIDATION, SERVING_MEASUREMENTS, BATCH_CURVES,
    PRIOR_ESTIMATES_COMPARED.

    chat: rows of ML.ENERGY v3, with `configuration` and `power_fraction`, of rated power.
    """

    comparison: pd.DataFrame
    held_out: pd.DataFrame
    validation: pd.DataFrame
    chat: pd.DataFrame
    curves: pd.DataFrame
    prior: pd.DataFrame

    def unseen(self, rows: str, quantity: str) -> pd.DataFrame:
        """Held-out predictions of the chosen forms, each model predicted without its rows."""
        table = self.held_out
        chosen = self.comparison.loc[self.comparison["chosen"] == "yes", "form"].unique()
        return table[
            (table["rows"] == rows)
            & (table["left_out"] == "model")
            & (table["quantity"] == quantity)
            & table["form"].isin(chosen)
        ]

    def of_set(self, name: str, quantity: str) -> pd.DataFrame:
        """The rows of one set of the validation."""
        table = self.validation
        return table[(table["set"] == name) & (table["quantity"] == quantity)]


def read_tables() -> ValidationTables:
    """All tables from their files; raises InputError."""
    measurements = read_table(MEASUREMENTS_CSV, SERVING_MEASUREMENTS)
    rated_w = read_table(HARDWARE_CSV, HARDWARE).set_index("gpu")["rated_w"]
    chat = measurements[measurements["source"] == "mlenergy_v3"]
    chat = chat.assign(
        configuration=configuration_names(chat),
        power_fraction=chat["gpu_w"] / chat["gpus"] / chat["gpu"].map(rated_w),
    )
    return ValidationTables(
        comparison=read_table(COMPARISON_CSV, COMPARISON),
        held_out=read_table(HELD_OUT_CSV, HELD_OUT),
        validation=read_table(VALIDATION_CSV, VALIDATION),
        chat=chat,
        curves=read_table(CURVES_CSV, BATCH_CURVES),
        prior=read_table(PRIOR_CSV, PRIOR_ESTIMATES_COMPARED),
    )


def wh_per_query(joules_per_token: pd.Series, output_tokens: pd.Series) -> np.ndarray:
    """Energy of a query of that many output tokens, Wh."""
    return (joules_per_token * output_tokens / JOULES_PER_WH).to_numpy(float)
