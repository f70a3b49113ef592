from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.errors import InputError
from pipeline.ingest.argonne import Corrections, read_measurements

HEADER = "Hardware,Num of Hardware,Framework,Model,Input Output Length,Batch Size,Latency,Throughput"
RUN = "Nvidia H100 GPU,1,vLLM,lab/alpha-8B,128"
RESULTS = f"""{HEADER}
{RUN},1,2.0,128
{RUN},16,4.0,1024
{RUN},32,8.0,1024
{RUN},32,8.0,1024
Nvidia H100 GPU,1,llama.cpp,lab/alpha-8B,128,16,4.0,64
"""
POWER = f"""{HEADER},avg_power

{RUN},16,4.0,1024,512000
"""
COUNTS = Corrections(llama_cpp=1, repeated=1)
Write = Callable[[str, Any], Path]


def read(write: Write, models: pd.DataFrame, results: str = RESULTS, power: str = POWER) -> pd.DataFrame:
    write("Plots/All_results.csv", results)
    path = write("Plots/Fig_16_a_b/power_results.csv", power)
    table = read_measurements(path.parents[2], models, COUNTS)
    return table.set_index("max_concurrency")


def test_milliwatts_and_tokens_of_both_kinds_are_turned(write: Write, models: pd.DataFrame) -> None:
    table = read(write, models)
    assert table.index.tolist() == [1, 16, 32]
    assert table.loc[16, "gpu_w"] == 512.0
    assert table.loc[16, "output_tokens_per_s"] == 512.0
    assert table.loc[16, "gpu_j_per_output_token"] == 1.0
    assert pd.isna(table.loc[1, "gpu_w"])


@pytest.mark.parametrize("value", ["512", "512000000"])
def test_power_in_another_unit_is_refused(write: Write, models: pd.DataFrame, value: str) -> None:
    with pytest.raises(InputError, match=r"avg_power.*mW"):
        read(write, models, power=POWER.replace("512000", value))


def test_throughput_of_output_tokens_only_is_refused(write: Write, models: pd.DataFrame) -> None:
    with pytest.raises(InputError, match="Throughput"):
        read(write, models, results=RESULTS.replace("2.0,128", "2.0,64"))


def test_a_new_repetition_stops_the_reader(write: Write, models: pd.DataFrame) -> None:
    with pytest.raises(InputError, match="stand twice' touches 2 rows, expected 1"):
        read(write, models, results=RESULTS + f"{RUN},1,2.0,128\n")
