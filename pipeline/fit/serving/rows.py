"""Configurations as a user gives them: what is missing is filled, by rules that params states."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.assumptions.serving import Serving
from pipeline.fit.serving.architecture import Array
from pipeline.fit.serving.names import joined
from pipeline.fit.serving.prepare import Prepared, Tables

VLLM_GPUS = ("H100", "B200")  # accelerators with rows of both engines


def complete(configurations: pd.DataFrame, settings: Serving, tables: Tables) -> pd.DataFrame:
    """The rows with engine and output_cv; blank parameter counts of known models and blank cv are filled."""
    rows = configurations.reset_index(drop=True)
    if "engine" not in rows:
        rows["engine"] = pd.Series(pd.NA, index=rows.index, dtype="str")
    cv = np.full(len(rows), np.nan) if "output_cv" not in rows else rows["output_cv"].to_numpy(float)
    rows["output_cv"] = np.where(np.isnan(cv), settings.unstated_output_cv.distribution.median(), cv)
    facts = tables.models.set_index("model").reindex(rows["model"].map(tables.names.resolve))
    for column in ("total_params_b", "active_params_b"):
        given = rows[column].to_numpy(float)
        rows[column] = np.where(np.isnan(given), facts[column].to_numpy(float), given)
    return rows


def configuration_numbers(rows: pd.DataFrame, p: Prepared) -> NDArray[np.int64]:
    """A number for each configuration, in the order in which they appear."""
    shape = p.rows["shape_name"].where(p.rows["shape_name"] != "", rows["total_params_b"].astype(str))
    parts = [shape, rows["active_params_b"], rows["gpu"], rows["gpus"], rows["precision"], rows["engine"]]
    return pd.factorize(joined(*parts))[0]


def tensorrt_share(rows: pd.DataFrame, p: Prepared, settings: Serving) -> Array:
    """Probability that a row of unstated engine runs like TensorRT-LLM, (n,)."""
    four_bit = (rows["precision"] == "fp4").to_numpy() & (p.arch.native_four_bit == 0)
    one_engine = ~rows["gpu"].isin(VLLM_GPUS).to_numpy() | four_bit
    share = settings.tensorrt_share
    return np.where(one_engine, share.one_engine.distribution.median(), share.usual.distribution.median())
