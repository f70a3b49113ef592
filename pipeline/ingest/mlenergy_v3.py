"""ML.ENERGY Benchmark v3 (Chung et al. 2025): GPU power, throughput and batch of chat serving.

The benchmark measures under constant load. Power is the sum over the GPUs; energy per token includes
prefill. Output-length histograms stand in one file a model.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.errors import InputError
from pipeline.ingest.lengths import from_bins
from pipeline.ingest.serving import finish
from pipeline.ingest.upstream import HINT, load_json, require
from pipeline.units import JOULES_PER_WH

TASK = "lm-arena-chat"
PRECISIONS = {"bfloat16": "BF16", "fp8": "FP8"}
GPUS = {"H100": "H100", "B200": "B200"}
SIZE_ROUNDING = 0.1  # the source prints 3 billion for 3.3
COLUMNS = {
    "model_id": "upstream_model",
    "num_gpus": "gpus",
    "max_num_seqs": "max_concurrency",
    "avg_batch_size": "average_batch",
    "avg_output_len": "output_tokens",
    "output_throughput_tokens_per_sec": "output_tokens_per_s",
    "avg_power_watts": "gpu_w",
    "energy_per_token_joules": "gpu_j_per_output_token",
}


def read_measurements(folder: Path, models: pd.DataFrame) -> pd.DataFrame:
    """All chat configurations under `folder`, in the contract SERVING_MEASUREMENTS."""
    path = folder / "tasks" / f"{TASK}.json"
    upstream = pd.DataFrame(load_json(path)["configurations"])
    require(path, upstream, list(COLUMNS))
    _check_sizes(path, upstream, models)
    table = upstream.rename(columns=COLUMNS)
    table["gpu"] = upstream["gpu_model"].map(GPUS)
    table["precision"] = upstream["weight_precision"].map(PRECISIONS)
    table["wh_per_request"] = upstream["energy_per_request_joules"] / JOULES_PER_WH
    table = table.assign(source="mlenergy_v3", engine="vLLM", boundary="gpu", steady_state="yes")
    layout = [
        f"TP{row.tensor_parallel} EP{row.expert_parallel} DP{row.data_parallel}"
        for row in upstream.itertuples(index=False)
    ]
    table["setup"] = [f"{TASK}, {text}" for text in layout]
    key = "v3/" + table["upstream_model"] + "/" + upstream["gpu_model"] + "x" + table["gpus"].astype(str)
    key += "/" + table["max_concurrency"].astype(str)
    # Two configurations were measured twice; in the order of their power the first and second keep apart.
    order = table.assign(key=key).sort_values(["key", "gpu_w"]).groupby("key").cumcount() + 1
    table["key"] = key + order.map(lambda n: "" if n == 1 else f"/{n}").reindex(key.index)
    keep = [*COLUMNS.values(), "gpu", "precision", "wh_per_request", "source", "engine", "boundary"]
    return finish(table[[*keep, "steady_state", "setup", "key"]], models, str(path))


def lengths(folder: Path) -> list[dict[str, Any]]:
    """Output lengths per model, from the source's histograms (all its configurations together)."""
    paths = sorted((folder / "models").glob(f"*__{TASK}.json"))
    if not paths:
        raise InputError(f"{folder / 'models'}: no file ends with __{TASK}.json; {HINT}")
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
                "quantity": "output_tokens",
                "summary": summary,
                "histogram": shares,
                "note": "benchmark, all configurations of the model; answers end at 4,096 tokens",
            }
        )
    return entries


def _check_sizes(path: Path, upstream: pd.DataFrame, models: pd.DataFrame) -> None:
    """Our models.csv must not contradict the sizes that the source prints, rounded as they are."""
    both = upstream.merge(models, left_on="model_id", right_on="upstream_model", how="inner")
    pairs = [
        ("total_params_billions", "total_params_b"),
        ("activated_params_billions", "active_params_b"),
    ]
    for theirs, ours in pairs:
        wrong = (both[theirs] / both[ours] - 1).abs() > SIZE_ROUNDING
        if wrong.any():
            row = both[wrong].iloc[0]
            expected = f"about {row[ours]} as in data/telemetry/models.csv for {row['model_id']}"
            raise InputError.at(path, row=None, column=theirs, value=float(row[theirs]), expected=expected)
