"""Splitwise profiling table (Patel et al. 2024): phase times of static batches on A100 and H100.

One row a repetition. Defects: rows named `h100-80gb-pcap` are computed (prompt time of the H100 times
1.3, the rest equal), so they are no measurements; power, a fraction of rated power per GPU, stands on
260 A100 rows and is 0 elsewhere; in many repetitions generation stopped before the stated length
(end-to-end time below prompt time plus the stated number of steps), and a few ran out of memory.
"""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from pipeline.ingest.corrections import corrected, without
from pipeline.ingest.serving import energy_from_power, finish, flag
from pipeline.ingest.upstream import load_csv

A100_RATED_W = 400.0  # NVIDIA A100 SXM, the machine of the paper
GPUS = {"a100-80gb": "A100 80GB", "h100-80gb": "H100"}
CONFIGURATION = ["model", "hardware", "tensor_parallel", "prompt_size", "batch_size", "token_size"]
MEASURED = ["average_power", "prompt_time", "token_time", "e2e_time"]
AGREEMENT = 0.05  # of end-to-end time with the sum of its steps


@dataclass(frozen=True)
class Corrections:
    """Rows that each correction touches in the registered file."""

    computed: int = 420
    without_power: int = 580
    interrupted: int = 186


REGISTERED = Corrections()


def read_measurements(
    folder: Path, models: pd.DataFrame, corrections: Corrections = REGISTERED
) -> pd.DataFrame:
    """Median of the complete repetitions of each configuration, in the contract SERVING_MEASUREMENTS."""
    upstream = load_csv(folder / "data" / "perf_model.csv", CONFIGURATION + MEASURED)
    repetitions = complete_repetitions(upstream, corrections)
    table = repetitions.groupby(CONFIGURATION, as_index=False).agg(
        seconds=("seconds", "median"),
        power=("average_power", "median"),
        kept=("seconds", "size"),
        repetitions=("repetitions", "first"),
    )
    text = table[CONFIGURATION].astype(str)
    result = pd.DataFrame(
        {
            "key": "splitwise/" + text.agg("/".join, axis="columns"),
            "source": "splitwise",
            "upstream_model": table["model"],
            "gpu": table["hardware"].map(GPUS),
            "gpus": table["tensor_parallel"],
            "max_concurrency": table["batch_size"],
            "average_batch": table["batch_size"],
            "input_tokens": table["prompt_size"],
            "output_tokens": table["token_size"],
            "output_tokens_per_s": table["batch_size"] * table["token_size"] / table["seconds"],
            "gpu_w": table["power"] * A100_RATED_W * table["tensor_parallel"],
            "boundary": "gpu",
            "steady_state": "no",
            "derived": "output_tokens_per_s;gpu_w;gpu_j_per_output_token;wh_per_request",
            "flags": flag(table["kept"] < table["repetitions"], "early_stops"),
            "setup": "static batch from prompt to last token, TP" + text["tensor_parallel"],
        }
    )
    return finish(energy_from_power(result), models, str(folder))


def complete_repetitions(upstream: pd.DataFrame, corrections: Corrections) -> pd.DataFrame:
    """Measured repetitions that ran to the stated length, with `seconds` from prompt to last token."""
    computed = upstream["hardware"] == "h100-80gb-pcap"
    rows = without(upstream, computed, corrections.computed, "splitwise: computed, not measured")
    missing = rows["average_power"] == 0
    rows = corrected(rows, missing, corrections.without_power, "splitwise: power 0 means not measured")
    milliseconds = rows["prompt_time"] + rows["token_time"] * (rows["token_size"] - 1)
    rows = rows.assign(
        average_power=rows["average_power"].mask(missing),
        seconds=milliseconds / 1000,
        repetitions=rows.groupby(CONFIGURATION)["e2e_time"].transform("size"),
    )
    off = (rows["e2e_time"] / milliseconds - 1).abs() > AGREEMENT
    reason = "splitwise: end-to-end time is not the sum of its steps"
    return without(rows, off, corrections.interrupted, reason)
