from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.core.errors import InputError
from pipeline.ingest.readers import (
    UNIT,
    ArgonneCorrections,
    SplitwiseCorrections,
    read_ai_energy_score,
    read_argonne,
    read_splitwise,
    read_tensorrt_llm,
)

SPLITWISE_HEADER = (
    "model,hardware,tensor_parallel,prompt_size,batch_size,token_size,"
    "average_power,prompt_time,token_time,e2e_time\n"
)
# Two whole repetitions (1,000 ms), one that stopped early, one computed row, one H100 row without power.
SPLITWISE_ROWS = """lab/alpha-8B,a100-80gb,2,512,4,91,0.5,100,10,1000
lab/alpha-8B,a100-80gb,2,512,4,91,0.5,100,10,1000
lab/alpha-8B,a100-80gb,2,512,4,91,0.5,100,10,600
lab/alpha-8B,h100-80gb-pcap,2,512,4,91,0,65,5,515
lab/alpha-8B,h100-80gb,2,512,4,91,0,50,5,500
"""
SPLITWISE_COUNTS = SplitwiseCorrections(computed=1, without_power=1, interrupted=1)
Write = Callable[[str, Any], Path]


def test_whole_repetitions_give_throughput_and_power(write: Write) -> None:
    path = write("data/perf_model.csv", SPLITWISE_HEADER + SPLITWISE_ROWS)
    table = read_splitwise(path.parents[1], SPLITWISE_COUNTS).set_index("gpu")
    a100, h100 = table.loc["A100 80GB"], table.loc["H100"]
    assert a100["output_tokens_per_s"] == pytest.approx(4 * 91 / 1.0)
    assert a100["gpu_w"] == 0.5 * 400 * 2
    assert a100["gpu_j_per_output_token"] == pytest.approx(400 / 364)
    assert a100["flags"] == "early_stops"
    assert pd.isna(h100["gpu_w"])
    assert h100["set_aside"] == "older_engine"
    assert pd.isna(a100["set_aside"])
    assert h100["output_tokens_per_s"] == pytest.approx(4 * 91 / 0.5)


@pytest.mark.parametrize("field", ["computed", "without_power", "interrupted"])
def test_a_changed_count_stops_the_reader(write: Write, field: str) -> None:
    path = write("data/perf_model.csv", SPLITWISE_HEADER + SPLITWISE_ROWS)
    counts = SplitwiseCorrections(**{**vars(SPLITWISE_COUNTS), field: 2})
    with pytest.raises(InputError, match="touches 1 rows, expected 2"):
        read_splitwise(path.parents[1], counts)


ARGONNE_HEADER = "Hardware,Num of Hardware,Framework,Model,Input Output Length,Batch Size,Latency,Throughput"
RUN = "Nvidia H100 GPU,1,vLLM,lab/alpha-8B,128"
RESULTS = f"""{ARGONNE_HEADER}
{RUN},1,2.0,128
{RUN},16,4.0,1024
{RUN},32,8.0,1024
{RUN},32,8.0,1024
Nvidia H100 GPU,1,llama.cpp,lab/alpha-8B,128,16,4.0,64
"""
POWER = f"""{ARGONNE_HEADER},avg_power

{RUN},16,4.0,1024,512000
"""
ARGONNE_COUNTS = ArgonneCorrections(llama_cpp=1, repeated=1)


def argonne(write: Write, results: str = RESULTS, power: str = POWER) -> pd.DataFrame:
    write("Plots/All_results.csv", results)
    path = write("Plots/Fig_16_a_b/power_results.csv", power)
    table = read_argonne(path.parents[2], ARGONNE_COUNTS)
    return table.set_index("max_concurrency")


def test_milliwatts_and_tokens_of_both_kinds_are_turned(write: Write) -> None:
    table = argonne(write)
    assert table.index.tolist() == [1, 16, 32]
    assert table.loc[16, "gpu_w"] == 512.0
    assert table.loc[16, "output_tokens_per_s"] == 512.0
    assert table.loc[16, "gpu_j_per_output_token"] == 1.0
    assert pd.isna(table.loc[1, "gpu_w"])


@pytest.mark.parametrize("value", ["512", "512000000"])
def test_power_in_another_unit_is_refused(write: Write, value: str) -> None:
    with pytest.raises(InputError, match=r"avg_power.*mW"):
        argonne(write, power=POWER.replace("512000", value))


def test_throughput_of_output_tokens_only_is_refused(write: Write) -> None:
    with pytest.raises(InputError, match="Throughput"):
        argonne(write, results=RESULTS.replace("2.0,128", "2.0,64"))


def test_a_new_repetition_stops_the_reader(write: Write) -> None:
    with pytest.raises(InputError, match="stand twice' touches 2 rows, expected 1"):
        argonne(write, results=RESULTS + f"{RUN},1,2.0,128\n")


SCORE_ROWS = [
    {"model": "lab/alpha-8B", "class": "A", "wh_per_1000_queries": 10.0},
    {"model": "lab/beta-8x4B", "class": "C", "wh_per_1000_queries": 50.0},
]
NAME = "leadgreen_mcp/data/per-query.json"


def test_energy_per_thousand_becomes_energy_per_query(write: Write, tmp_path: Path) -> None:
    write(NAME, {"unit": UNIT, "rows": SCORE_ROWS})
    table = read_ai_energy_score(tmp_path).set_index("model")
    assert table.loc["lab/alpha-8B", "wh_per_request"] == 0.01
    assert table.loc["lab/alpha-8B", "gpu_j_per_output_token"] == pytest.approx(3.6)
    assert table.loc["lab/alpha-8B", "gpus"] == 1
    assert pd.isna(table.loc["lab/beta-8x4B", "gpus"])
    assert table["set_aside"].fillna("").to_dict() == {"lab/alpha-8B": "", "lab/beta-8x4B": "no_gpu_count"}


def test_another_unit_is_refused(write: Write, tmp_path: Path) -> None:
    write(NAME, {"unit": "kWh", "rows": SCORE_ROWS})
    with pytest.raises(InputError, match="'kWh', expected 'Wh per 1,000 queries'"):
        read_ai_energy_score(tmp_path)


OVERVIEW = {
    "key": "cell", "set": "tensorrt_llm_overview", "model": "Alpha 8B", "total_params_b": 8.0,
    "active_params_b": 8.0, "gpu": "H100", "gpus": 8, "parallelism": "TP8", "precision": "FP8",
    "input_tokens": 128.0, "output_tokens": 256.0, "concurrency": None, "output_tokens_per_s": 1792.0,
    "document_version": "v0.20", "where": "a page", "note": None,
}  # fmt: skip
NOTE = "offered 8 requests/s; mean time to first token {} ms, between tokens 32 ms; software version 0.14.0"
ONLINE = OVERVIEW | {"key": "online", "set": "tensorrt_llm_serving", "note": NOTE.format("1,092")}


def tensorrt_llm(*rows: dict[str, object]) -> tuple[pd.DataFrame, pd.DataFrame]:
    return tuple(read_tensorrt_llm(pd.DataFrame(list(rows))).values())


def test_layouts_split_layers_or_requests() -> None:
    overview, _ = tensorrt_llm(OVERVIEW, OVERVIEW | {"key": "split", "parallelism": "DEP8"}, ONLINE)
    columns = ["tensor_parallel", "data_parallel", "expert_parallel"]
    assert overview[columns].fillna(0).to_numpy().tolist() == [[8, 1, 0], [1, 8, 8]]
    assert overview["engine_version"].tolist() == ["0.20", "0.20"]


def test_a_draft_without_cuda_graphs_is_set_aside() -> None:
    overview, _ = tensorrt_llm(OVERVIEW, OVERVIEW | {"document_version": "v0.20-draft"}, ONLINE)
    assert overview["set_aside"].fillna("").tolist() == ["", "no_cuda_graphs"]


def test_requests_in_flight_are_rate_times_time() -> None:
    _, online = tensorrt_llm(OVERVIEW, ONLINE)
    requests_per_s = 1792.0 / 256.0
    assert online["concurrency"].iloc[0] == pytest.approx(requests_per_s * (1.092 + 256 * 0.032))
    assert online["engine_version"].tolist() == ["0.14.0"]


def test_a_note_without_times_is_refused() -> None:
    with pytest.raises(InputError, match="does not give its times"):
        tensorrt_llm(OVERVIEW, ONLINE | {"note": "fast"})
