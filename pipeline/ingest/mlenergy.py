"""ML.ENERGY: the benchmark v3 and the leaderboard v2, measured by one group under constant load.

ML.ENERGY Benchmark v3 (Chung et al. 2025): GPU power, throughput and batch of chat serving.

The benchmark measures under constant load. Power is the sum over the GPUs; energy per token includes
prefill. Output-length histograms stand in one file a model.

ML.ENERGY leaderboard v2 (2024): energy per request of chat and code models on A100 and H100, vLLM 0.5.4.

How its figures are made (the group's published post-processing): over the window from the first
iteration until no request waits any more, throughput is output tokens over wall time and energy per
request is energy over output tokens times mean output length. So energy per token times throughput is,
by definition, the mean power of that window. The window includes the first filling of the batch: where
concurrency is large, much of it is prefill, and throughput falls far below batch over time per token.
Those rows carry a flag and count as a burst, not as constant load. GPU power is lower than in v3 also
where the window is fine (H100 about 260 W instead of 510 W): it is no error of definition, but an older
engine that leaves the GPU waiting would look like this; the source does not say.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.core.errors import InputError
from pipeline.core.units import JOULES_PER_WH
from pipeline.ingest.sources import finish, flag
from pipeline.ingest.traces import from_bins
from pipeline.ingest.upstream import HINT, load_json, require

TASK = "lm-arena-chat"
PRECISIONS = {"bfloat16": "BF16", "fp8": "FP8"}
GPUS = {"H100": "H100", "B200": "B200"}
COLUMNS = {
    "model_id": "model",
    "total_params_billions": "total_params_b",
    "activated_params_billions": "active_params_b",
    "num_gpus": "gpus",
    "max_num_seqs": "max_concurrency",
    "avg_batch_size": "concurrency",
    "avg_output_len": "output_tokens",
    "output_throughput_tokens_per_sec": "output_tokens_per_s",
    "avg_power_watts": "gpu_w",
    "energy_per_token_joules": "gpu_j_per_output_token",
    "tensor_parallel": "tensor_parallel",
    "expert_parallel": "expert_parallel",
    "data_parallel": "data_parallel",
}
DATA = Path("public") / "data"


def read_v3(folder: Path) -> pd.DataFrame:
    """All chat configurations of the data set in `folder`, in the contract SERVING_FILE."""
    path = folder / DATA / "tasks" / f"{TASK}.json"
    upstream = pd.DataFrame(load_json(path)["configurations"])
    require(path, upstream, list(COLUMNS))
    table = upstream.rename(columns=COLUMNS)
    table["gpu"] = upstream["gpu_model"].map(GPUS)
    table["precision"] = upstream["weight_precision"].map(PRECISIONS)
    table["wh_per_request"] = upstream["energy_per_request_joules"] / JOULES_PER_WH
    table["setup"] = TASK
    key = "v3/" + table["model"] + "/" + upstream["gpu_model"] + "x" + table["gpus"].astype(str)
    key += "/" + table["max_concurrency"].astype(str)
    # Two configurations were measured twice; in the order of their power the first and second keep apart.
    order = table.assign(key=key).sort_values(["key", "gpu_w"]).groupby("key").cumcount() + 1
    table["key"] = key + order.map(lambda n: "" if n == 1 else f"/{n}").reindex(key.index)
    return finish(table[["key", *COLUMNS.values(), "gpu", "precision", "wh_per_request", "setup"]], str(path))


def lengths(folder: Path) -> list[dict[str, Any]]:
    """Output lengths per model, from the source's histograms (all its configurations together)."""
    paths = sorted((folder / DATA / "models").glob(f"*__{TASK}.json"))
    if not paths:
        raise InputError(f"{folder / DATA / 'models'}: no file ends with __{TASK}.json; {HINT}")
    entries = []
    for path in paths:
        data = load_json(path)
        histogram = data["output_length_distribution"]
        edges, counts = np.array(histogram["bins"]), np.array(histogram["counts"])
        if len(edges) != len(counts) + 1:
            raise InputError(f"{path}: {len(edges)} bin edges for {len(counts)} counts, expected one more")
        summary, shares = from_bins(edges[:-1], edges[1:], counts)
        entries.append(
            {
                "key": f"mlenergy_v3/{data['model_id']}",
                "source": "mlenergy_v3",
                "workload": f"{TASK} prompts, {data['model_id']}",
                "traffic": "chat_benchmark",
                "quantity": "output_tokens",
                "summary": summary,
                "histogram": shares,
                "note": "benchmark, all configurations of the model; answers end at 4,096 tokens",
            }
        )
    return entries


TASKS = ["chat", "code"]
GPUS_V2 = {"NVIDIA A100-SXM4-40GB": "A100 40GB", "NVIDIA H100 80GB HBM3": "H100"}
FILLING = 1.1  # batch over time per token may exceed throughput by a tenth before the row is flagged
COLUMNS_V2 = {
    "Model": "model",
    "Max BS (reqs)": "max_concurrency",
    "Avg BS (reqs)": "concurrency",
    "Avg Output Tokens": "output_tokens",
    "Token tput (tok/s)": "output_tokens_per_s",
}
ALSO_USED = ["GPU", "TP", "PP", "Energy/req (J)", "Avg TPOT (s)"]


def read_v2(folder: Path) -> pd.DataFrame:
    """All chat and code configurations under `folder`, in the contract SERVING_FILE."""
    upstream = _collect(folder)
    table = upstream.rename(columns=COLUMNS_V2)
    gpus = upstream["TP"] * upstream["PP"]
    joules = upstream["Energy/req (J)"] / upstream["Avg Output Tokens"]
    late = table["concurrency"] / upstream["Avg TPOT (s)"] > FILLING * table["output_tokens_per_s"]
    table = table[[*COLUMNS_V2.values()]].assign(
        gpu=upstream["GPU"].map(GPUS_V2),
        gpus=gpus,
        task=upstream["task"],
        load=np.where(late, "burst", "constant"),
        tensor_parallel=upstream["TP"],
        pipeline_parallel=upstream["PP"],
        gpu_j_per_output_token=joules,
        gpu_w=joules * table["output_tokens_per_s"],
        wh_per_request=upstream["Energy/req (J)"] / JOULES_PER_WH,
        derived="gpu_j_per_output_token;gpu_w",
        flags=flag(late, "throughput_below_batch_over_tpot"),
        key="v2/" + upstream["task"] + "/" + table["model"] + "/" + table_key(upstream, gpus),
    )
    return finish(table, str(folder))


def table_key(upstream: pd.DataFrame, gpus: pd.Series) -> pd.Series:
    """GPU, count, layout and concurrency as one text."""
    gpu = upstream["GPU"].map(GPUS_V2).str.split().str[0] + "x" + gpus.astype(str)
    return gpu + "/PP" + upstream["PP"].astype(str) + "/" + upstream["Max BS (reqs)"].astype(str)


def _collect(folder: Path) -> pd.DataFrame:
    rows = []
    for task in TASKS:
        paths = sorted((folder / "data" / "llm_text_generation" / task).glob("*/*/*/*.json"))
        if not paths:
            raise InputError(f"{folder}: no configuration of task {task!r}; `make telemetry` fetches them")
        for path in paths:
            row = pd.DataFrame([load_json(path)])
            require(path, row, [*COLUMNS_V2, *ALSO_USED])
            rows.append(row.assign(task=task))
    return pd.concat(rows, ignore_index=True)
