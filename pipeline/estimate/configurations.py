"""A user's table of configurations, checked row by row.

Whatever is wrong becomes an InputError with row, column, value and what was expected. A blank has a meaning:
the model unknown, parameters from the model table, lengths of the default scenario, engine not stated, spread
of output lengths by rule, the headline scenario of sites. Columns of the user's own are carried through,
unless their name is so near to a known one that it is probably a misspelling.
"""

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.assumptions.serving import Serving
from pipeline.assumptions.water import Water
from pipeline.errors import InputError
from pipeline.estimate.predictions import ADDED
from pipeline.fit.serving.architecture import FOUR_BIT, weight_bits
from pipeline.fit.serving.names import gpu_key, gpu_names
from pipeline.fit.serving.prepare import GIB, TENSORRT, VLLM, Tables

REQUIRED = ("gpu", "gpus", "precision", "concurrency")
OPTIONAL = (
    "model", "total_params_b", "active_params_b", "input_tokens", "output_tokens", "engine", "output_cv",
    "site_scenario",
)  # fmt: skip
KNOWN = [*OPTIONAL, *REQUIRED]
NUMBERS = (
    "total_params_b", "active_params_b", "gpus", "concurrency", "input_tokens", "output_tokens", "output_cv",
)  # fmt: skip
BLANK = ["", "NA", "N/A", "nan", "NaN", "null", "None"]  # as other tools write what is missing
MAY_BE_ZERO = ("output_cv",)
# Weights narrower than what the chip computes in are widened as they are read; such a row is `extrapolated`.
PRECISIONS = {"fp4": "fp4", "nvfp4": "fp4", "mxfp4": "fp4", "fp8": "fp8", "bf16": "bf16", "fp16": "bf16"}
ENGINES = {"vllm": VLLM, "tensorrt-llm": TENSORRT, "trtllm": TENSORRT, "trt-llm": TENSORRT}
MOST_GPUS = 1024
LEAST_CONCURRENCY = 1.0
OTHER_SIZE = 1.5  # sources differ in what they count (embeddings, draft layers), but not by this factor
MOST_WEIGHTS = (
    1.5  # weights over memory: beyond what one instance could hold in any format near the stated one
)
NEAR = 0.85  # similarity of names, of 1, from which a column counts as misspelt


@dataclass(frozen=True)
class Checker:
    """Refuses rows of one file."""

    path: Path | str

    def refuse(self, wrong: pd.Series, values: pd.Series, expected: str) -> None:
        """Raise for the first row where `wrong` holds."""
        if wrong.any():
            at = int(wrong.to_numpy().argmax())
            value = values.iloc[at]
            shown = "" if pd.isna(value) else value.item() if hasattr(value, "item") else value
            raise InputError.at(
                self.path, row=at + 2, column=str(values.name), value=shown, expected=expected
            )


def check_configurations(
    table: pd.DataFrame,
    tables: Tables,
    settings: Serving,
    water: Water,
    path: Path | str = "configurations",
) -> pd.DataFrame:
    """The columns of OPTIONAL and REQUIRED, typed, blanks filled; index 0 to n - 1.

    table: text or numbers; blanks as "" or missing. Raises InputError.
    """
    checker = Checker(path)
    rows = _columns(table, path)
    for name in NUMBERS:
        rows[name] = _number(rows[name], checker, required=name in REQUIRED)
    rows["gpu"] = _word(rows["gpu"], gpu_names(tables.hardware.reset_index()), checker, key=gpu_key)
    rows["precision"] = _word(rows["precision"], PRECISIONS, checker)
    rows["engine"] = _word(rows["engine"], ENGINES, checker, optional=True)
    scenarios = {name.lower(): name for name in water.scenarios}
    rows["site_scenario"] = _word(rows["site_scenario"], scenarios, checker, optional=True)
    rows["site_scenario"] = rows["site_scenario"].fillna(water.headline)
    whole = (rows["gpus"] % 1 == 0) & (rows["gpus"] <= MOST_GPUS)
    checker.refuse(~whole, rows["gpus"], f"a whole number, at most {MOST_GPUS}")
    checker.refuse(
        rows["concurrency"] < LEAST_CONCURRENCY, rows["concurrency"], "at least 1 request in flight"
    )
    rows = _parameters(rows, tables, checker)
    _check_memory(rows, tables, checker)
    checker.refuse(rows["output_tokens"] < 1, rows["output_tokens"], "at least 1 token")
    for name in ("input_tokens", "output_tokens"):
        rows[name] = rows[name].fillna(getattr(settings.blank_lengths, name).distribution.median())
    return rows.assign(gpus=rows["gpus"].astype(int))


def _columns(table: pd.DataFrame, path: Path | str) -> pd.DataFrame:
    expected = f"expected some of {', '.join(KNOWN)}"
    for position, name in enumerate(table.columns):
        near = get_close_matches(name.strip().lower(), KNOWN, n=1, cutoff=NEAR)
        if name in ADDED:
            raise InputError(
                f"{path}, row 1: column {name!r} is added by the prediction, expected another name"
            )
        if name not in KNOWN and near:
            raise InputError(f"{path}, row 1: unknown column {name!r}, expected {near[0]!r} or another name")
        if name in list(table.columns[:position]):
            raise InputError(f"{path}, row 1: column {name!r} stands twice")
    for name in REQUIRED:
        if name not in table:
            raise InputError(f"{path}, row 1: column {name!r} is missing, {expected}")
    if table.empty:
        raise InputError(f"{path}: a header without rows, expected at least one configuration")
    rows = table.reset_index(drop=True).reindex(columns=KNOWN).astype(object)
    text = rows.map(lambda value: value.strip() if isinstance(value, str) else value)
    return text.mask(text.isin(BLANK))


def _number(values: pd.Series, checker: Checker, required: bool) -> pd.Series:
    numbers = pd.to_numeric(values, errors="coerce").astype(float)
    checker.refuse(values.notna() & ~np.isfinite(numbers), values, "a number")
    if required:
        checker.refuse(values.isna(), values, "a number, not a blank")
    if values.name in MAY_BE_ZERO:
        checker.refuse(numbers < 0, values, "zero or more")
    else:
        checker.refuse(numbers <= 0, values, "more than zero")
    return numbers


def _word(
    values: pd.Series,
    words: dict[str, str],
    checker: Checker,
    optional: bool = False,
    key: Callable[[str], str] = str.lower,
) -> pd.Series:
    found = values.astype("str").map(key, na_action="ignore").map(words)
    expected = "one of " + ", ".join(dict.fromkeys(words.values()))
    checker.refuse(found.isna() & (values.notna() | (not optional)), values, expected)
    return found.astype(object).where(found.notna(), None)


def _parameters(rows: pd.DataFrame, tables: Tables, checker: Checker) -> pd.DataFrame:
    """Blank counts from the model table; without a known model both must be given."""
    shape = rows["model"].map(tables.names.resolve)
    facts = tables.models.set_index("model").reindex(shape)
    unknown = pd.Series(shape == "")
    for name in ("total_params_b", "active_params_b"):
        missing = rows[name].isna() & unknown
        checker.refuse(missing, rows[name], "a number, because the model is not in data/published/models.csv")
        other = np.abs(np.log(rows[name].to_numpy(float) / facts[name].to_numpy(float))) > np.log(OTHER_SIZE)
        checker.refuse(pd.Series(other), rows[name], "about the number that models.csv has for the model")
    too_many = rows["active_params_b"] > rows["total_params_b"]
    checker.refuse(too_many, rows["active_params_b"], "at most total_params_b")
    filled = {
        name: rows[name].fillna(pd.Series(facts[name].to_numpy(float), rows.index))
        for name in ("total_params_b", "active_params_b")
    }
    return rows.assign(**filled)


def _check_memory(rows: pd.DataFrame, tables: Tables, checker: Checker) -> None:
    """Weights far beyond the memory of the accelerators are no deployment."""
    formats = (
        rows["model"].map(tables.names.resolve).map(tables.models.set_index("model")["native_precision"])
    )
    bits = weight_bits(rows["precision"], np.where(formats.isin(FOUR_BIT), 1.0, 0.0))
    weights = rows["total_params_b"].to_numpy(float) * 1e9 * bits / 8
    memory = tables.hardware.loc[rows["gpu"], "memory_gib"].to_numpy(float) * GIB
    needed = np.ceil(weights / MOST_WEIGHTS / memory)
    checker.refuse(rows["gpus"] < needed, rows["gpus"], "accelerators that hold the weights")
