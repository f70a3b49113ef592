"""What the readers of serving measurements share: model names, checks, one order of columns."""

import numpy as np
import pandas as pd

from pipeline.contracts import validate
from pipeline.contracts.telemetry import SERVING_MEASUREMENTS
from pipeline.errors import InputError
from pipeline.units import JOULES_PER_WH

COLUMNS = list(SERVING_MEASUREMENTS.columns)
AGREEMENT = 0.02  # J/token against W over tokens/s: rounding of the sources is far below this
EXPECT_MODEL = "a model id of data/telemetry/models.csv"


def finish(rows: pd.DataFrame, models: pd.DataFrame, name: str) -> pd.DataFrame:
    """Attach names and sizes of models, flag disagreements, order and check against the contract.

    `rows`: the columns of the contract that the reader knows, with `upstream_model`; `models`: models.csv.
    """
    unknown = ~rows["upstream_model"].isin(models["upstream_model"])
    if unknown.any():
        value = rows.loc[unknown, "upstream_model"].iloc[0]
        raise InputError.at(name, row=None, column="upstream_model", value=value, expected=EXPECT_MODEL)
    sizes = models.drop(columns=["params_source", "note"])
    table = rows.merge(sizes, on="upstream_model", how="left", validate="many_to_one")
    for column in COLUMNS:
        if column not in table:
            table[column] = np.nan
    table["flags"] = _add_flag(table["flags"], _disagrees(table), "energy_disagrees_with_power")
    table = table[COLUMNS].sort_values("key", kind="stable").reset_index(drop=True)
    for column, contract in SERVING_MEASUREMENTS.columns.items():
        table[column] = table[column].astype("float64" if str(contract.dtype) == "float64" else "str")
    return validate(table, SERVING_MEASUREMENTS, name)


def energy_from_power(table: pd.DataFrame) -> pd.DataFrame:
    """Add J per output token and Wh per request from watts and tokens/s (whole node of GPUs)."""
    joules = table["gpu_w"] / table["output_tokens_per_s"]
    return table.assign(
        gpu_j_per_output_token=joules, wh_per_request=joules * table["output_tokens"] / JOULES_PER_WH
    )


def flag(where: pd.Series, code: str) -> pd.Series:
    """A new column of flags: `code` where the condition holds, else missing."""
    return where.map({True: code, False: None}).astype("str")


def _disagrees(table: pd.DataFrame) -> pd.Series:
    """Where energy per token is not power over throughput; false where one of the three is missing."""
    ratio = table["gpu_j_per_output_token"] * table["output_tokens_per_s"] / table["gpu_w"]
    return (ratio - 1).abs() > AGREEMENT


def _add_flag(flags: pd.Series, where: pd.Series, code: str) -> pd.Series:
    joined = flags.map(lambda old: code if pd.isna(old) else f"{old};{code}")
    return flags.astype("str").mask(where, joined.astype("str"))
