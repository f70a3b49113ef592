"""Configurations as a user gives them: what is missing is filled, by rules that params states."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.assumptions.serving import Serving
from pipeline.fit.serving.architecture import Array
from pipeline.fit.serving.names import joined
from pipeline.fit.serving.prepare import Prepared, Tables

ROUND_LENGTHS = (128, 100)  # load generators use whole multiples: 128 ... 8192, 500, 1000
VLLM_GPUS = ("H100", "B200")  # accelerators with rows of both engines
Bool = NDArray[np.bool_]


def complete(configurations: pd.DataFrame, settings: Serving, tables: Tables) -> pd.DataFrame:
    """The rows with engine and output_cv; blank parameter counts of known models and blank cv are filled."""
    rows = configurations.reset_index(drop=True)
    if "engine" not in rows:
        rows["engine"] = pd.Series(pd.NA, index=rows.index, dtype="str")
    cv = np.full(len(rows), np.nan) if "output_cv" not in rows else rows["output_cv"].to_numpy(float)
    usual = np.where(fixed_lengths(rows), 0.0, settings.output_cv.distribution.median())
    rows["output_cv"] = np.where(np.isnan(cv), usual, cv)
    facts = tables.models.set_index("model").reindex(rows["model"].map(tables.names.resolve))
    for column in ("total_params_b", "active_params_b"):
        given = rows[column].to_numpy(float)
        rows[column] = np.where(np.isnan(given), facts[column].to_numpy(float), given)
    return rows


def fixed_lengths(rows: pd.DataFrame) -> Bool:
    """Whether both lengths are round as a load generator's, every request having the same."""
    lengths = [rows[name].to_numpy(float) for name in ("input_tokens", "output_tokens")]
    whole = [np.any([values % step == 0 for step in ROUND_LENGTHS], axis=0) for values in lengths]
    return np.asarray(whole[0] & whole[1])


def configuration_numbers(rows: pd.DataFrame, p: Prepared) -> NDArray[np.int64]:
    """A number for each configuration, in the order in which they appear."""
    shape = p.rows["shape_name"].where(p.rows["shape_name"] != "", rows["total_params_b"].astype(str))
    parts = [shape, rows["active_params_b"], rows["gpu"], rows["gpus"], rows["precision"], rows["engine"]]
    return pd.factorize(joined(*parts))[0]


def tensorrt_share(rows: pd.DataFrame, p: Prepared, settings: Serving) -> Array:
    """Probability that a row of unstated engine runs like TensorRT-LLM, (n,)."""
    four_bit = (rows["precision"] == "fp4").to_numpy() & (p.arch.native_four_bit == 0)
    one_engine = ~rows["gpu"].isin(VLLM_GPUS).to_numpy() | four_bit
    shares = {
        name: getattr(settings.tensorrt_share, name).distribution.median()
        for name in ("usual", "fixed_lengths", "one_engine")
    }
    other = np.where(fixed_lengths(rows), shares["fixed_lengths"], shares["usual"])
    return np.where(one_engine, shares["one_engine"], other)
