"""LLM-Inference-Bench (Argonne): static batches on accelerators of many vendors, power on 48 rows.

Input and output have the same length L, and `Throughput` counts both: batch * 2 L / latency, which is
checked, so output tokens/s is half of it. `avg_power` is in mW. Defects: the rows of llama.cpp do not
follow that rule (batch is left out of most of them) and are set aside; 57 configurations stand twice
(within 4 %), their median is taken; the H100 rows of TensorRT-LLM show nearly the same power (413-452 W)
at every batch.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.errors import InputError
from pipeline.ingest.corrections import corrected, without
from pipeline.ingest.serving import energy_from_power, finish
from pipeline.ingest.upstream import load_csv

CONFIGURATION = ["Hardware", "Num of Hardware", "Framework", "Model", "Input Output Length", "Batch Size"]
ENERGY = "gpu_j_per_output_token;wh_per_request"
MILLIWATTS_PER_WATT = 1000.0
PLAUSIBLE_W = (50.0, 1500.0)  # one accelerator; outside, the unit is not mW
GPUS = {
    "Nvidia A100 GPU": "A100",
    "Nvidia H100 GPU": "H100",
    "Nvidia GH200 GPU": "GH200",
    "AMD MI300X GPU": "MI300X",
    "AMD MI250 GPU": "MI250",
    "Intel PVC GPU": "Intel PVC",
    "Intel Max 1550": "Intel Max 1550",
    "Habana Gaudi2": "Gaudi2",
    "SambaNova SN40L": "SN40L",
}


@dataclass(frozen=True)
class Corrections:
    """Rows that each correction touches in the registered files."""

    llama_cpp: int = 1570
    repeated: int = 57


REGISTERED = Corrections()


def read_measurements(
    folder: Path, models: pd.DataFrame, corrections: Corrections = REGISTERED
) -> pd.DataFrame:
    """All configurations, with power where it was measured, in the contract SERVING_MEASUREMENTS."""
    columns = [*CONFIGURATION, "Latency", "Throughput"]
    results = load_csv(folder / "Plots" / "All_results.csv", columns)
    power_path = folder / "Plots" / "Fig_16_a_b" / "power_results.csv"
    power = load_csv(power_path, [*columns, "avg_power"])
    reason = "argonne: throughput of llama.cpp leaves the batch out"
    results = without(results, results["Framework"] == "llama.cpp", corrections.llama_cpp, reason)
    twice = results.duplicated(CONFIGURATION)
    results = corrected(results, twice, corrections.repeated, "argonne: configurations that stand twice")
    results = results.groupby(CONFIGURATION, as_index=False)[["Latency", "Throughput"]].median()
    power = power.assign(watts=_watts(power_path, power["avg_power"]))
    measured = power.set_index(CONFIGURATION).index
    others = results[~results.set_index(CONFIGURATION).index.isin(measured)]
    table = pd.concat([power, others], ignore_index=True)
    _check_throughput(folder, table)
    return finish(_tidy(table), models, str(folder))


def _tidy(table: pd.DataFrame) -> pd.DataFrame:
    text = table[CONFIGURATION].astype(str)
    length = table["Input Output Length"]
    has_power = table["watts"].notna()
    return energy_from_power(
        pd.DataFrame(
            {
                "key": "argonne/" + text.agg("/".join, axis="columns").str.replace(" ", "_"),
                "source": "argonne",
                "upstream_model": table["Model"],
                "gpu": table["Hardware"].map(GPUS),
                "gpus": table["Num of Hardware"],
                "engine": table["Framework"],
                "max_concurrency": table["Batch Size"],
                "average_batch": table["Batch Size"],
                "input_tokens": length,
                "output_tokens": length,
                "output_tokens_per_s": table["Throughput"] / 2,
                "gpu_w": table["watts"] * table["Num of Hardware"],
                "boundary": "gpu",
                "steady_state": "no",
                "derived": np.where(
                    has_power,
                    "output_tokens_per_s;gpu_j_per_output_token;wh_per_request",
                    "output_tokens_per_s",
                ),
                "flags": None,
                "setup": "static batch, input and output of equal length",
            }
        )
    )


def _watts(path: Path, milliwatts: pd.Series) -> pd.Series:
    watts = milliwatts / MILLIWATTS_PER_WATT
    wrong = ~watts.between(*PLAUSIBLE_W)
    if wrong.any():
        value = float(milliwatts[wrong].iloc[0])
        expected = "power of one accelerator in mW, 50,000 to 1,500,000"
        raise InputError.at(path, row=None, column="avg_power", value=value, expected=expected)
    return watts


def _check_throughput(folder: Path, table: pd.DataFrame) -> None:
    """Throughput must be input and output tokens of the batch over its latency."""
    tokens = 2 * table["Input Output Length"] * table["Batch Size"]
    wrong = (table["Throughput"] * table["Latency"] / tokens - 1).abs() > 1e-3
    if wrong.any():
        row = table[wrong].iloc[0]
        expected = "batch * (input + output tokens) / latency"
        raise InputError.at(
            folder, row=None, column="Throughput", value=float(row["Throughput"]), expected=expected
        )
