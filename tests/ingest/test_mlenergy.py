from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.core.errors import InputError
from pipeline.ingest.mlenergy import lengths, read_v2, read_v3

CONFIGURATION_MLENERGY_V3 = {
    "model_id": "lab/beta-8x4B",
    "gpu_model": "H100",
    "num_gpus": 2,
    "max_num_seqs": 64,
    "avg_batch_size": 63.5,
    "avg_output_len": 500.0,
    "output_throughput_tokens_per_sec": 2000.0,
    "avg_power_watts": 1000.0,
    "energy_per_token_joules": 0.5,
    "energy_per_request_joules": 250.0,
    "weight_precision": "fp8",
    "tensor_parallel": 1,
    "expert_parallel": 2,
    "data_parallel": 1,
    "total_params_billions": 30.0,
    "activated_params_billions": 6.0,
}
Write = Callable[[str, Any], Path]


def read_mlenergy_v3(write: Write, *changes: dict[str, Any]) -> pd.DataFrame:
    rows = [CONFIGURATION_MLENERGY_V3 | change for change in changes]
    path = write("public/data/tasks/lm-arena-chat.json", {"configurations": rows})
    return read_v3(path.parents[3])


def test_a_configuration_becomes_a_row(write: Write) -> None:
    row = read_mlenergy_v3(write, {}).iloc[0]
    assert row["model"] == "lab/beta-8x4B"
    assert (row["total_params_b"], row["active_params_b"]) == (30.0, 6.0)
    assert row["precision"] == "FP8"
    assert row["gpu_w"] == 1000.0
    assert row["wh_per_request"] == pytest.approx(250 / 3600)
    assert row["concurrency"] == 63.5


def test_a_configuration_measured_twice_keeps_both(write: Write) -> None:
    again = {"avg_power_watts": 1002.0, "output_throughput_tokens_per_sec": 2004.0}
    table = read_mlenergy_v3(write, again, {})
    assert table["key"].str.endswith("/64/2").tolist() == [False, True]
    assert table["gpu_w"].tolist() == [1000.0, 1002.0]


def test_a_missing_column_is_refused(write: Write) -> None:
    row = {key: value for key, value in CONFIGURATION_MLENERGY_V3.items() if key != "avg_power_watts"}
    path = write("public/data/tasks/lm-arena-chat.json", {"configurations": [row]})
    with pytest.raises(InputError, match="'avg_power_watts' is missing"):
        read_v3(path.parents[3])


def test_half_a_file_is_refused(write: Write) -> None:
    path = write("public/data/tasks/lm-arena-chat.json", '{"configurations": [')
    with pytest.raises(InputError, match="line 1: not valid JSON"):
        read_v3(path.parents[3])


def test_histograms_become_lengths(write: Write, tmp_path: Path) -> None:
    histogram = {"bins": [0.0, 10.0, 20.0], "counts": [1, 3]}
    content = {"model_id": "lab/alpha-8B", "output_length_distribution": histogram}
    write("public/data/models/lab__alpha-8B__lm-arena-chat.json", content)
    [entry] = lengths(tmp_path)
    assert entry["summary"]["mean"] == pytest.approx((5 + 3 * 15) / 4)
    assert entry["summary"]["p25"] == pytest.approx(10)


def test_a_histogram_with_wrong_edges_is_refused(write: Write, tmp_path: Path) -> None:
    histogram = {"bins": [0.0, 10.0], "counts": [1, 3]}
    content = {"model_id": "lab/alpha-8B", "output_length_distribution": histogram}
    write("public/data/models/lab__alpha-8B__lm-arena-chat.json", content)
    with pytest.raises(InputError, match="2 bin edges for 2 counts"):
        lengths(tmp_path)


CONFIGURATION_MLENERGY_V2 = {
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


def read_mlenergy_v2(write: Write, tmp_path: Path, **change: Any) -> pd.Series:
    for task in ("chat", "code"):
        name = f"data/llm_text_generation/{task}/H100/lab/alpha-8B/bs32+tp4+pp2.json"
        write(name, CONFIGURATION_MLENERGY_V2 | change)
    return read_v2(tmp_path).iloc[0]


def test_power_is_energy_per_token_times_throughput_of_all_stages(write: Write, tmp_path: Path) -> None:
    row = read_mlenergy_v2(write, tmp_path)
    assert row["gpus"] == 8
    assert row["gpu_j_per_output_token"] == 2.0
    assert row["gpu_w"] == 2000.0
    assert (row["load"], row["task"]) == ("constant", "chat")


def test_a_window_full_of_prefill_is_flagged(write: Write, tmp_path: Path) -> None:
    row = read_mlenergy_v2(write, tmp_path, **{"Token tput (tok/s)": 900.0})
    assert row["flags"] == "throughput_below_batch_over_tpot"
    assert row["load"] == "burst"


def test_a_missing_task_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no configuration of task 'chat'"):
        read_v2(tmp_path)
