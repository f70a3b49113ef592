from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.errors import InputError
from pipeline.ingest.splitwise import Corrections, read_measurements

HEADER = (
    "model,hardware,tensor_parallel,prompt_size,batch_size,token_size,"
    "average_power,prompt_time,token_time,e2e_time\n"
)
# Two whole repetitions (1,000 ms), one that stopped early, one computed row, one H100 row without power.
ROWS = """lab/alpha-8B,a100-80gb,2,512,4,91,0.5,100,10,1000
lab/alpha-8B,a100-80gb,2,512,4,91,0.5,100,10,1000
lab/alpha-8B,a100-80gb,2,512,4,91,0.5,100,10,600
lab/alpha-8B,h100-80gb-pcap,2,512,4,91,0,65,5,515
lab/alpha-8B,h100-80gb,2,512,4,91,0,50,5,500
"""
COUNTS = Corrections(computed=1, without_power=1, interrupted=1)
Write = Callable[[str, Any], Path]


def test_whole_repetitions_give_throughput_and_power(write: Write, models: pd.DataFrame) -> None:
    path = write("data/perf_model.csv", HEADER + ROWS)
    table = read_measurements(path.parents[1], models, COUNTS).set_index("gpu")
    a100, h100 = table.loc["A100 80GB"], table.loc["H100"]
    assert a100["output_tokens_per_s"] == pytest.approx(4 * 91 / 1.0)
    assert a100["gpu_w"] == 0.5 * 400 * 2
    assert a100["gpu_j_per_output_token"] == pytest.approx(400 / 364)
    assert a100["flags"] == "early_stops"
    assert pd.isna(h100["gpu_w"])
    assert h100["output_tokens_per_s"] == pytest.approx(4 * 91 / 0.5)


@pytest.mark.parametrize("field", ["computed", "without_power", "interrupted"])
def test_a_changed_count_stops_the_reader(write: Write, models: pd.DataFrame, field: str) -> None:
    path = write("data/perf_model.csv", HEADER + ROWS)
    counts = Corrections(**{**vars(COUNTS), field: 2})
    with pytest.raises(InputError, match="touches 1 rows, expected 2"):
        read_measurements(path.parents[1], models, counts)
