"""MLPerf Inference v5.1: node power of the submitters' runs, and their published throughput.

MLPerf Inference v5.1: the published results of all submissions (`summary_results.json`).

MLPerf Inference v5.1: wall power of a server at 1 Hz and the run it belongs to.

`spl.txt` holds one line a second: time, total watts and the channels (power feeds) that add up to them.
`mlperf_log_detail.txt` holds the timed window and the tokens. `summary_results.json` holds what was
published; the mean over the window must equal its `Power_Result`.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.core.errors import InputError
from pipeline.core.read import validate
from pipeline.core.units import JOULES_PER_WH
from pipeline.ingest.contract_telemetry import MLPERF_THROUGHPUT, NODE_POWER, POWER_SERIES, RUN_FLAGS
from pipeline.ingest.upstream import HINT, load_json, require

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


TIME = "%m-%d-%Y %H:%M:%S.%f"
SAMPLE = re.compile(r"Time,([^,]+),Watts,([^,]+),.*")
FEED = re.compile(r"Ch\d+,Watts,([^,]+)")
RUN_FOLDER = Path("closed/Lenovo/results/SR780a_V3_B200SXMx8_TRT")
NODE_FEEDS = 3  # power feeds of this server
MAX_GAP_S = 2.0  # one sample of 1 Hz may be missed
MAX_REPEATS = 5  # equal samples in a row; a loaded server's power changes by watts each second
FEED_SUM_TOLERANCE_W = 0.5  # feeds and total are rounded to 0.1 W


@dataclass(frozen=True)
class Run:
    """The timed window of a run and what was served in it."""

    begin: pd.Timestamp
    end: pd.Timestamp
    requests: int
    output_tokens: int
    output_tokens_per_s: float

    @property
    def seconds(self) -> float:
        """Length of the window."""
        return (self.end - self.begin).total_seconds()


def read_power_log(path: Path, node: str) -> pd.DataFrame:
    """Samples in the contract POWER_SERIES, with the number and sum of the channels: `feeds`, `feeds_w`."""
    rows = []
    for number, line in enumerate(_lines(path), start=1):
        if not line.strip():
            continue
        sample = SAMPLE.fullmatch(line)
        if sample is None:
            raise InputError(f"{path}, row {number}: not a whole sample, expected 'Time,...,Watts,...'")
        try:
            feeds = [float(watts) for watts in FEED.findall(line)]
            rows.append((sample[1], float(sample[2]), len(feeds), sum(feeds)))
        except ValueError:
            raise InputError(f"{path}, row {number}: watts are not a number") from None
    if not rows:
        raise InputError(f"{path}: holds no samples")
    series = pd.DataFrame(rows, columns=pd.Index(["time", "watts", "feeds", "feeds_w"]))
    series["time"] = pd.to_datetime(series["time"], format=TIME).astype("datetime64[us]")
    series = series.assign(node=node, scope="node_wall")
    validate(series[list(POWER_SERIES.columns)], POWER_SERIES, path)
    return series


def read_run(path: Path) -> Run:
    """Window, requests and tokens from a detail log."""
    entries: dict[str, Any] = {}
    for number, line in enumerate(_lines(path), start=1):
        if not line.startswith(":::MLLOG "):
            continue
        try:
            entry = json.loads(line.removeprefix(":::MLLOG "))
        except json.JSONDecodeError:
            raise InputError(f"{path}, row {number}: not a whole log entry") from None
        entries[entry["key"]] = entry["value"]
    offline = entries.get("effective_scenario") == "Offline"
    tokens_key = "result_tokens_per_second" if offline else "result_completed_tokens_per_second"
    rate_key = "result_samples_per_second" if offline else "result_completed_samples_per_sec"
    needed = [tokens_key, rate_key, "power_begin", "power_end"]
    for key in [*needed, "generated_query_count", "generated_samples_per_query"]:
        if key not in entries:
            raise InputError(f"{path}: entry {key!r} is missing")
    requests = entries["generated_query_count"] * entries["generated_samples_per_query"]
    begin, end = (pd.to_datetime(entries[key], format=TIME) for key in ("power_begin", "power_end"))
    tokens = round(entries[tokens_key] / entries[rate_key] * requests)
    return Run(begin, end, requests, tokens, float(entries[tokens_key]))


def run_flags(series: pd.DataFrame, begin: pd.Timestamp, end: pd.Timestamp, feeds: int) -> list[str]:
    """Reason codes (RUN_FLAGS) for which a run's power must not be used; empty when it is sound.

    `series`: time, watts, feeds, feeds_w in the order of the log; looked at from the last sample
    before the window to the first after it.
    """
    time = series["time"].to_numpy()
    inside = (time >= begin.to_numpy()) & (time <= end.to_numpy())
    near = np.convolve(inside, [True, True, True], mode="same") > 0
    window = series[near]
    steps_s = np.diff(window["time"].to_numpy()) / np.timedelta64(1, "s")
    watts = window["watts"].to_numpy()
    changes = np.flatnonzero(np.r_[True, np.diff(watts) != 0, True])
    wrong_sum = (window["feeds_w"] - window["watts"]).abs() > FEED_SUM_TOLERANCE_W
    found = {
        "gap_too_long": (steps_s > MAX_GAP_S).any(),
        "window_not_covered": not inside.any() or time.min() > begin or time.max() < end,
        "wrong_feed_count": ((window["feeds"] != feeds) | wrong_sum).any(),
        "negative_sample": (watts < 0).any(),
        "stuck_samples": bool(len(watts)) and np.diff(changes).max() > MAX_REPEATS,
        "clock_backwards": (steps_s <= 0).any(),
    }
    return [code for code in RUN_FLAGS if found[code]]


def summarise(series: pd.DataFrame, run: Run, feeds: int = NODE_FEEDS) -> dict[str, Any]:
    """The measured columns of NODE_POWER for one run; raises InputError when no sample is in the window."""
    watts = series.loc[series["time"].between(run.begin, run.end), "watts"].to_numpy()
    if not len(watts):
        raise InputError(f"no power sample between {run.begin} and {run.end}")
    flags = run_flags(series, run.begin, run.end, feeds)
    mean_w = float(watts.mean())
    joules = mean_w * run.seconds
    return {
        "window_s": run.seconds,
        "samples": len(watts),
        "mean_w": mean_w,
        "mean_mw": round(mean_w * 1000),
        "floor_w": float(series["watts"].min()),
        "p5_w": float(np.quantile(watts, 0.05)),
        "p95_w": float(np.quantile(watts, 0.95)),
        "requests": run.requests,
        "output_tokens": run.output_tokens,
        "output_tokens_per_s": run.output_tokens_per_s,
        "j_per_output_token": joules / run.output_tokens,
        "wh_per_request": joules / run.requests / JOULES_PER_WH,
        "valid": "no" if flags else "yes",
        "flags": ";".join(flags) or None,
    }


def node_power(folder: Path) -> pd.DataFrame:
    """All runs with power and detail logs under `folder`, in the contract NODE_POWER."""
    published = read_results(folder)
    rows = []
    for power_path in sorted((folder / RUN_FOLDER).glob("*/*/performance/run_1/spl.txt")):
        location = power_path.parents[2].relative_to(folder).as_posix()
        found = published[published["Location"] == location]
        if len(found) != 1:
            raise InputError(f"{folder}: {len(found)} published results for {location}, expected one")
        result = found.iloc[0]
        series = read_power_log(power_path, result["Platform"])
        run = read_run(power_path.parent / "mlperf_log_detail.txt")
        about = {
            "run": f"{result['Platform']}/{result['UsedModel']}/{result['Scenario']}",
            "model": model_name(result["UsedModel"]),
            "scenario": result["Scenario"],
            "node": result["Platform"],
            "gpu": result["Accelerator"],
            "gpus": int(result["a#"]) * int(result["Nodes"]),
            "precision": result["weight_data_types"],
            "scope": "node_wall",
            "published_mw": round(result["Power_Result"] * 1000),
        }
        rows.append(about | summarise(series, run))
    if not rows:
        raise InputError(f"{folder / RUN_FOLDER}: no power log; {HINT}")
    table = pd.DataFrame(rows)[list(NODE_POWER.columns)]
    return validate(table.astype({"flags": "str"}), NODE_POWER, str(folder))


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; {HINT}") from None
