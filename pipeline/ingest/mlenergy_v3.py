"""ML.ENERGY Benchmark v3 (Chung et al. 2025): GPU power, throughput and batch of chat serving.

The benchmark measures under constant load. Power is the sum over the GPUs; energy per token includes
prefill. Output-length histograms stand in one file a model.
"""

from pathlib import Path

import pandas as pd

from pipeline.errors import InputError
from pipeline.ingest.serving import finish
from pipeline.ingest.upstream import load_json, require
from pipeline.units import JOULES_PER_WH

TASK = "lm-arena-chat"
PRECISIONS = {"bfloat16": "BF16", "fp8": "FP8"}
GPUS = {"H100": "H100 80GB", "B200": "B200"}
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


def read_output_lengths(folder: Path) -> pd.DataFrame:
    """Histogram of output tokens per model: upstream_model, from_tokens, to_tokens, requests."""
    parts = []
    for path in sorted((folder / "models").glob(f"*__{TASK}.json")):
        data = load_json(path)
        histogram = data["output_length_distribution"]
        edges, counts = histogram["bins"], histogram["counts"]
        if len(edges) != len(counts) + 1:
            raise InputError(f"{path}: {len(edges)} bin edges for {len(counts)} counts, expected one more")
        part = {"from_tokens": edges[:-1], "to_tokens": edges[1:], "requests": counts}
        parts.append(pd.DataFrame(part).assign(upstream_model=data["model_id"]))
    if not parts:
        raise InputError(f"{folder / 'models'}: no file ends with __{TASK}.json")
    return pd.concat(parts, ignore_index=True)


def _check_sizes(path: Path, upstream: pd.DataFrame, models: pd.DataFrame) -> None:
    """Our models.csv must not contradict the sizes that the source prints."""
    both = upstream.merge(models, left_on="model_id", right_on="upstream_model", how="inner")
    pairs = [
        ("total_params_billions", "total_params_b"),
        ("activated_params_billions", "active_params_b"),
    ]
    for theirs, ours in pairs:
        wrong = both[theirs] != both[ours]
        if wrong.any():
            row = both[wrong].iloc[0]
            expected = f"{row[ours]} as in data/telemetry/models.csv for {row['model_id']}"
            raise InputError.at(path, row=None, column=theirs, value=row[theirs], expected=expected)
