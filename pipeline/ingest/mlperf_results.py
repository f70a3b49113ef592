"""MLPerf Inference v5.1: the published results of all submissions (`summary_results.json`)."""

from pathlib import Path

import pandas as pd

from pipeline.contracts import validate
from pipeline.contracts.telemetry import MLPERF_THROUGHPUT
from pipeline.errors import InputError
from pipeline.ingest.upstream import load_json, require

MODELS = {  # benchmark as submitted, without its accuracy target
    "llama2-70b": "Llama 2 70B",
    "llama3.1-405b": "Llama 3.1 405B",
    "llama3_1-405b": "Llama 3.1 405B",
    "llama3_1-70b": "Llama 3.1 70B",
    "llama3.1-8b": "Llama 3.1 8B",
    "llama3_1-8b": "Llama 3.1 8B",
    "mixtral-8x7b": "Mixtral 8x7B",
    "deepseek-r1": "DeepSeek-R1",
}


def throughput(folder: Path) -> pd.DataFrame:
    """Published datacentre throughput of language models, in the contract MLPERF_THROUGHPUT."""
    results = read_results(folder)
    rows = results[(results["Suite"] == "datacenter") & (results["Performance_Units"] == "Tokens/s")]
    blank = {"": None, "UNSET": None}
    table = pd.DataFrame(
        {
            "key": rows[["ID", "Platform", "UsedModel", "Scenario"]].agg("/".join, axis="columns"),
            "id": rows["ID"],
            "category": rows["Category"],
            "submitter": rows["Submitter"],
            "platform": rows["Platform"],
            "upstream_model": rows["UsedModel"],
            "model": rows["UsedModel"].map(model_name),
            "scenario": rows["Scenario"],
            "gpu": rows["Accelerator"].replace(blank).astype("str"),
            "gpus_per_node": pd.to_numeric(rows["a#"].replace(blank)).astype("float64"),
            "nodes": rows["Nodes"].astype("int64"),
            "precision": rows["weight_data_types"].replace(blank).astype("str"),
            "software": rows["Software"].replace(blank).astype("str"),
            "output_tokens": rows["Accuracy"]
            .str.extract(r"TOKENS_PER_SAMPLE: ([\d.]+)")[0]
            .astype("float64"),
            "output_tokens_per_s": rows["Performance_Result"].astype("float64"),
            "published_w": rows["Power_Result"].astype("float64"),
        }
    ).sort_values("key", kind="stable", ignore_index=True)
    return validate(table, MLPERF_THROUGHPUT, str(folder))


def read_results(folder: Path) -> pd.DataFrame:
    """The published results of all submissions, columns as upstream names them."""
    path = folder / "summary_results.json"
    results = pd.DataFrame(load_json(path))
    require(path, results, ["ID", "Location", "UsedModel", "Scenario", "Power_Result", "Performance_Units"])
    return results


def model_name(benchmark: str) -> str:
    """Our name of a benchmark's model; raises InputError for one that is not known."""
    for start, model in MODELS.items():
        if benchmark.startswith(start):
            return model
    expected = f"one that starts with {', '.join(MODELS)}"
    raise InputError.at(
        "summary_results.json", row=None, column="UsedModel", value=benchmark, expected=expected
    )
