from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.errors import InputError
from pipeline.ingest.mlenergy_v2 import read_measurements

CONFIGURATION = {
    "Model": "lab/alpha-8B",
    "GPU": "NVIDIA H100 80GB HBM3",
    "TP": 4,
    "PP": 2,
    "Energy/req (J)": 400.0,
    "Avg TPOT (s)": 0.05,
    "Token tput (tok/s)": 1000.0,
    "Avg Output Tokens": 200.0,
    "Avg BS (reqs)": 52.0,
    "Max BS (reqs)": 64,
}
Write = Callable[[str, Any], Path]


def read(write: Write, tmp_path: Path, models: pd.DataFrame, **change: Any) -> pd.Series:
    for task in ("chat", "code"):
        name = f"data/llm_text_generation/{task}/H100/lab/alpha-8B/bs32+tp4+pp2.json"
        write(name, CONFIGURATION | change)
    return read_measurements(tmp_path, models).iloc[0]


def test_power_is_energy_per_token_times_throughput_of_all_stages(
    write: Write, tmp_path: Path, models: pd.DataFrame
) -> None:
    row = read(write, tmp_path, models)
    assert row["gpus"] == 8
    assert row["gpu_j_per_output_token"] == 2.0
    assert row["gpu_w"] == 2000.0
    assert row["steady_state"] == "yes"


def test_a_window_full_of_prefill_is_flagged(write: Write, tmp_path: Path, models: pd.DataFrame) -> None:
    row = read(write, tmp_path, models, **{"Token tput (tok/s)": 900.0})
    assert row["flags"] == "throughput_below_batch_over_tpot"
    assert row["steady_state"] == "no"


def test_a_missing_task_is_refused(tmp_path: Path, models: pd.DataFrame) -> None:
    with pytest.raises(InputError, match="no configuration of task 'chat'"):
        read_measurements(tmp_path, models)
