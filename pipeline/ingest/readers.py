"""Readers of single serving studies: Splitwise, Argonne, AI Energy Score, NVIDIA's tables of TensorRT-LLM.

Splitwise profiling table (Patel et al. 2024): phase times of static batches on A100 and H100.

One row a repetition. Defects: rows named `h100-80gb-pcap` are computed (prompt time of the H100 times
1.3, the rest equal), so they are no measurements; power, a fraction of rated power per GPU, stands on
260 A100 rows and is 0 elsewhere; in many repetitions generation stopped before the stated length
(end-to-end time below prompt time plus the stated number of steps), and a few ran out of memory.

LLM-Inference-Bench (Argonne): static batches on accelerators of many vendors, power on 48 rows.

Input and output have the same length L, and `Throughput` counts both: batch * 2 L / latency, which is
checked, so output tokens/s is half of it. `avg_power` is in mW. Defects: the rows of llama.cpp do not
follow that rule (batch is left out of most of them) and are set aside; 57 configurations stand twice
(within 4 %), their median is taken; the H100 rows of TensorRT-LLM show nearly the same power (413-452 W)
at every batch.

AI Energy Score, December 2025 round: energy of one query at a time, answers of ten tokens, on H100.

Nobody serves at batch 1 with ten tokens, and the prompt weighs heavily: an upper bound on energy per
output token. How many GPUs a class C model took is not stated; neither is power nor time. The mean of
ten passes over 1,000 queries.

NVIDIA's tables of TensorRT-LLM, transcribed in data/published/throughput.csv, as serving measurements.

Of the overview, all requests are offered at once and how many run is not printed. Of the online tables,
requests in flight follow from Little's law, rate times time in the system:

    in flight = output tokens/s * (time between tokens) + requests/s * (time to first token)

A prediction at this batch tests the step time, not the batch itself.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.core.errors import InputError
from pipeline.core.units import JOULES_PER_WH
from pipeline.ingest.contract_sources import SERVING_FILE
from pipeline.ingest.sources import energy_from_power, finish, flag, typed
from pipeline.ingest.upstream import corrected, load_csv, load_json, require, without

A100_RATED_W = 400.0  # NVIDIA A100 SXM, the machine of the paper
SPLITWISE_GPUS = {"a100-80gb": "A100 80GB", "h100-80gb": "H100"}
SPLITWISE_CONFIGURATION = ["model", "hardware", "tensor_parallel", "prompt_size", "batch_size", "token_size"]
MEASURED = ["average_power", "prompt_time", "token_time", "e2e_time"]
AGREEMENT = 0.05  # of end-to-end time with the sum of its steps


@dataclass(frozen=True)
class SplitwiseCorrections:
    """Rows that each correction touches in the registered file."""

    computed: int = 420
    without_power: int = 580
    interrupted: int = 186


SPLITWISE_REGISTERED = SplitwiseCorrections()


def read_splitwise(folder: Path, corrections: SplitwiseCorrections = SPLITWISE_REGISTERED) -> pd.DataFrame:
    """Median of the complete repetitions of each configuration, in the contract SERVING_FILE."""
    upstream = load_csv(folder / "data" / "perf_model.csv", SPLITWISE_CONFIGURATION + MEASURED)
    repetitions = complete_repetitions(upstream, corrections)
    table = repetitions.groupby(SPLITWISE_CONFIGURATION, as_index=False).agg(
        seconds=("seconds", "median"),
        power=("average_power", "median"),
        kept=("seconds", "size"),
        repetitions=("repetitions", "first"),
    )
    text = table[SPLITWISE_CONFIGURATION].astype(str)
    result = pd.DataFrame(
        {
            "key": "splitwise/" + text.agg("/".join, axis="columns"),
            "model": table["model"],
            "gpu": table["hardware"].map(SPLITWISE_GPUS),
            "gpus": table["tensor_parallel"],
            "max_concurrency": table["batch_size"],
            "concurrency": table["batch_size"],
            "input_tokens": table["prompt_size"],
            "output_tokens": table["token_size"],
            "output_tokens_per_s": table["batch_size"] * table["token_size"] / table["seconds"],
            "gpu_w": table["power"] * A100_RATED_W * table["tensor_parallel"],
            "derived": "output_tokens_per_s;gpu_w;gpu_j_per_output_token;wh_per_request",
            "flags": flag(table["kept"] < table["repetitions"], "early_stops"),
            "tensor_parallel": table["tensor_parallel"],
            "setup": "static batch from prompt to last token",
            "set_aside": flag(table["power"].isna(), "older_engine"),
        }
    )
    return finish(energy_from_power(result), str(folder))


def complete_repetitions(upstream: pd.DataFrame, corrections: SplitwiseCorrections) -> pd.DataFrame:
    """Measured repetitions that ran to the stated length, with `seconds` from prompt to last token."""
    computed = upstream["hardware"] == "h100-80gb-pcap"
    rows = without(upstream, computed, corrections.computed, "splitwise: computed, not measured")
    missing = rows["average_power"] == 0
    rows = corrected(rows, missing, corrections.without_power, "splitwise: power 0 means not measured")
    milliseconds = rows["prompt_time"] + rows["token_time"] * (rows["token_size"] - 1)
    rows = rows.assign(
        average_power=rows["average_power"].mask(missing),
        seconds=milliseconds / 1000,
        repetitions=rows.groupby(SPLITWISE_CONFIGURATION)["e2e_time"].transform("size"),
    )
    off = (rows["e2e_time"] / milliseconds - 1).abs() > AGREEMENT
    reason = "splitwise: end-to-end time is not the sum of its steps"
    return without(rows, off, corrections.interrupted, reason)


ARGONNE_CONFIGURATION = [
    "Hardware",
    "Num of Hardware",
    "Framework",
    "Model",
    "Input Output Length",
    "Batch Size",
]
ENERGY = "gpu_j_per_output_token;wh_per_request"
MILLIWATTS_PER_WATT = 1000.0
PLAUSIBLE_W = (50.0, 1500.0)  # one accelerator; outside, the unit is not mW
ARGONNE_GPUS = {
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
# What fit and checks span: other accelerators were measured by this source alone, and so was the speed of
# other engines.
ENGINES = ["vLLM", "TensorRT-LLM"]
ACCELERATORS = ["A100", "H100", "GH200", "MI300X"]


@dataclass(frozen=True)
class ArgonneCorrections:
    """Rows that each correction touches in the registered files."""

    llama_cpp: int = 1570
    repeated: int = 57


ARGONNE_REGISTERED = ArgonneCorrections()


def read_argonne(folder: Path, corrections: ArgonneCorrections = ARGONNE_REGISTERED) -> pd.DataFrame:
    """All configurations, with power where it was measured, in the contract SERVING_FILE."""
    columns = [*ARGONNE_CONFIGURATION, "Latency", "Throughput"]
    results = load_csv(folder / "Plots" / "All_results.csv", columns)
    power_path = folder / "Plots" / "Fig_16_a_b" / "power_results.csv"
    power = load_csv(power_path, [*columns, "avg_power"])
    reason = "argonne: throughput of llama.cpp leaves the batch out"
    results = without(results, results["Framework"] == "llama.cpp", corrections.llama_cpp, reason)
    twice = results.duplicated(ARGONNE_CONFIGURATION)
    results = corrected(results, twice, corrections.repeated, "argonne: configurations that stand twice")
    results = results.groupby(ARGONNE_CONFIGURATION, as_index=False)[["Latency", "Throughput"]].median()
    power = power.assign(watts=_watts(power_path, power["avg_power"]))
    measured = power.set_index(ARGONNE_CONFIGURATION).index
    others = results[~results.set_index(ARGONNE_CONFIGURATION).index.isin(measured)]
    table = pd.concat([power, others], ignore_index=True)
    _check_throughput(folder, table)
    return finish(_tidy(table), str(folder))


def _tidy(table: pd.DataFrame) -> pd.DataFrame:
    text = table[ARGONNE_CONFIGURATION].astype(str)
    length = table["Input Output Length"]
    has_power = table["watts"].notna()
    gpu = table["Hardware"].map(ARGONNE_GPUS)
    return energy_from_power(
        pd.DataFrame(
            {
                "key": "argonne/" + text.agg("/".join, axis="columns").str.replace(" ", "_"),
                "model": table["Model"],
                "gpu": gpu,
                "gpus": table["Num of Hardware"],
                "engine": table["Framework"],
                "max_concurrency": table["Batch Size"],
                "concurrency": table["Batch Size"],
                "input_tokens": length,
                "output_tokens": length,
                "output_tokens_per_s": table["Throughput"] / 2,
                "gpu_w": table["watts"] * table["Num of Hardware"],
                "derived": np.where(
                    has_power,
                    "output_tokens_per_s;gpu_j_per_output_token;wh_per_request",
                    "output_tokens_per_s",
                ),
                "set_aside": np.select(
                    [~gpu.isin(ACCELERATORS), ~table["Framework"].isin(ENGINES) & ~has_power],
                    ["other_accelerator", "other_engine"],
                    "",
                ),
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


UNIT = "Wh per 1,000 queries"
OUTPUT_TOKENS = 10.0
ONE_GPU_CLASSES = ["A", "B"]


def read_ai_energy_score(folder: Path) -> pd.DataFrame:
    """One row a model, in the contract SERVING_FILE."""
    path = folder / "leadgreen_mcp" / "data" / "per-query.json"
    data = load_json(path)
    if data.get("unit") != UNIT:
        raise InputError.at(path, row=None, column="unit", value=data.get("unit"), expected=repr(UNIT))
    rows = pd.DataFrame(data["rows"])
    require(path, rows, ["model", "class", "wh_per_1000_queries"])
    wh = rows["wh_per_1000_queries"] / 1000
    table = pd.DataFrame(
        {
            "key": "ai_energy_score/" + rows["model"],
            "model": rows["model"],
            "gpu": "H100",
            "gpus": rows["class"].isin(ONE_GPU_CLASSES).map({True: 1.0, False: float("nan")}),
            "max_concurrency": 1.0,
            "concurrency": 1.0,
            "output_tokens": OUTPUT_TOKENS,
            "gpu_j_per_output_token": wh * JOULES_PER_WH / OUTPUT_TOKENS,
            "wh_per_request": wh,
            "derived": "gpu_j_per_output_token",
            "setup": "one query at a time, ten output tokens, class " + rows["class"],
        }
    )
    return finish(table.assign(set_aside=flag(table["gpus"].isna(), "no_gpu_count")), str(path))


MILLISECONDS = 1e-3
DRAFT = "v0.20-draft"  # measured without CUDA graphs
LAYOUT = r"^(?P<kind>TP|DEP)(?P<size>\d+)$"
TIMES = r"mean time to first token ([\d.,]+) ms, between tokens ([\d.,]+) ms; software version (\S+)"
SETS = {"tensorrt_llm": "tensorrt_llm_overview", "tensorrt_llm_online": "tensorrt_llm_serving"}


def read_tensorrt_llm(throughput: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Both sets by source, in the contract SERVING_FILE; throughput: THROUGHPUT."""
    overview, online = (
        throughput[throughput["set"] == name].reset_index(drop=True) for name in SETS.values()
    )
    return dict(zip(SETS, (_overview(overview), _online(online)), strict=True))


def _overview(rows: pd.DataFrame) -> pd.DataFrame:
    draft = rows["document_version"] == DRAFT
    version = rows["document_version"].str.removeprefix("v")
    return _common(rows, version).assign(set_aside=flag(draft, "no_cuda_graphs"))


def _online(rows: pd.DataFrame) -> pd.DataFrame:
    printed = rows["note"].str.extract(TIMES)
    if printed.isna().any(axis=None):
        raise InputError("throughput.csv: an online row whose note does not give its times and version")
    first_ms, between_ms = (printed[i].str.replace(",", "").astype(float) for i in (0, 1))
    per_s = rows["output_tokens_per_s"]
    waiting = per_s / rows["output_tokens"] * (first_ms * MILLISECONDS)
    in_flight = per_s * (between_ms * MILLISECONDS) + waiting
    table = _common(rows, printed[2])
    return typed(
        table.assign(concurrency=in_flight, ttft_ms=first_ms, tpot_ms=between_ms, derived="concurrency")
    )


def _common(rows: pd.DataFrame, version: pd.Series) -> pd.DataFrame:
    """What both sets state; DEP: attention split by request, experts over all accelerators."""
    layout = rows["parallelism"].str.extract(LAYOUT)
    size, split = layout["size"].astype(float), layout["kind"] == "DEP"
    same = [name for name in SERVING_FILE.columns if name in rows and name != "concurrency"]
    table = rows[same].assign(
        tensor_parallel=np.where(split, 1.0, size),
        data_parallel=np.where(split, size, 1.0),
        expert_parallel=size.where(split),
        engine_version=version,
    )
    return typed(table.reindex(columns=list(SERVING_FILE.columns)))
