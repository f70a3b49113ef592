"""ML.ENERGY leaderboard v2 (2024): energy per request of chat and code models on A100 and H100, vLLM 0.5.4.

How its figures are made (the group's published post-processing): over the window from the first
iteration until no request waits any more, throughput is output tokens over wall time and energy per
request is energy over output tokens times mean output length. So energy per token times throughput is,
by definition, the mean power of that window. The window includes the first filling of the batch: where
concurrency is large, much of it is prefill, and throughput falls far below batch over time per token.
Those rows carry a flag and do not count as steady state. GPU power is lower than in v3 also where the
window is fine (H100 about 260 W instead of 510 W): it is no error of definition, but an older engine
that leaves the GPU waiting would look like this; the source does not say.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.errors import InputError
from pipeline.ingest.serving import finish, flag
from pipeline.ingest.upstream import load_json, require
from pipeline.units import JOULES_PER_WH

TASKS = ["chat", "code"]
GPUS = {"NVIDIA A100-SXM4-40GB": "A100 40GB", "NVIDIA H100 80GB HBM3": "H100"}
FILLING = 1.1  # batch over time per token may exceed throughput by a tenth before the row is flagged
COLUMNS = {
    "Model": "upstream_model",
    "Max BS (reqs)": "max_concurrency",
    "Avg BS (reqs)": "average_batch",
    "Avg Output Tokens": "output_tokens",
    "Token tput (tok/s)": "output_tokens_per_s",
}
ALSO_USED = ["GPU", "TP", "PP", "Energy/req (J)", "Avg TPOT (s)"]


def read_measurements(folder: Path, models: pd.DataFrame) -> pd.DataFrame:
    """All chat and code configurations under `folder`, in the contract SERVING_MEASUREMENTS."""
    upstream = _collect(folder)
    table = upstream.rename(columns=COLUMNS)
    gpus = upstream["TP"] * upstream["PP"]
    joules = upstream["Energy/req (J)"] / upstream["Avg Output Tokens"]
    late = table["average_batch"] / upstream["Avg TPOT (s)"] > FILLING * table["output_tokens_per_s"]
    layout = "TP" + upstream["TP"].astype(str) + " PP" + upstream["PP"].astype(str)
    table = table[[*COLUMNS.values()]].assign(
        source="mlenergy_v2",
        gpu=upstream["GPU"].map(GPUS),
        gpus=gpus,
        engine="vLLM 0.5.4",
        gpu_j_per_output_token=joules,
        gpu_w=joules * table["output_tokens_per_s"],
        wh_per_request=upstream["Energy/req (J)"] / JOULES_PER_WH,
        boundary="gpu",
        steady_state=np.where(late, "no", "yes"),
        derived="gpu_j_per_output_token;gpu_w",
        flags=flag(late, "throughput_below_batch_over_tpot"),
        setup=upstream["task"] + ", " + layout,
        key="v2/" + upstream["task"] + "/" + table["upstream_model"] + "/" + table_key(upstream, gpus),
    )
    return finish(table, models, str(folder))


def table_key(upstream: pd.DataFrame, gpus: pd.Series) -> pd.Series:
    """GPU, count, layout and concurrency as one text."""
    gpu = upstream["GPU"].map(GPUS).str.split().str[0] + "x" + gpus.astype(str)
    return gpu + "/PP" + upstream["PP"].astype(str) + "/" + upstream["Max BS (reqs)"].astype(str)


def _collect(folder: Path) -> pd.DataFrame:
    rows = []
    for task in TASKS:
        paths = sorted((folder / "data" / "llm_text_generation" / task).glob("*/*/*/*.json"))
        if not paths:
            raise InputError(f"{folder}: no configuration of task {task!r}; `make telemetry` fetches them")
        for path in paths:
            row = pd.DataFrame([load_json(path)])
            require(path, row, [*COLUMNS, *ALSO_USED])
            rows.append(row.assign(task=task))
    return pd.concat(rows, ignore_index=True)
