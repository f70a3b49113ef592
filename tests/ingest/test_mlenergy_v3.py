from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.errors import InputError
from pipeline.ingest.mlenergy_v3 import lengths, read_measurements

CONFIGURATION = {
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


def read(write: Write, models: pd.DataFrame, *changes: dict[str, Any]) -> pd.DataFrame:
    rows = [CONFIGURATION | change for change in changes]
    path = write("tasks/lm-arena-chat.json", {"configurations": rows})
    return read_measurements(path.parents[1], models)


def test_a_configuration_becomes_a_row(write: Write, models: pd.DataFrame) -> None:
    row = read(write, models, {}).iloc[0]
    assert row["model"] == "Beta 8x4B"
    assert row["architecture"] == "moe"
    assert row["precision"] == "FP8"
    assert row["gpu_w"] == 1000.0
    assert row["wh_per_request"] == pytest.approx(250 / 3600)
    assert row["steady_state"] == "yes"
    assert pd.isna(row["flags"])


def test_energy_that_disagrees_with_power_is_flagged_not_hidden(write: Write, models: pd.DataFrame) -> None:
    table = read(write, models, {"energy_per_token_joules": 0.6}, {"max_num_seqs": 32})
    flags = table.set_index("max_concurrency")["flags"]
    assert flags[64] == "energy_disagrees_with_power"
    assert pd.isna(flags[32])


def test_a_configuration_measured_twice_keeps_both(write: Write, models: pd.DataFrame) -> None:
    again = {"avg_power_watts": 1002.0, "output_throughput_tokens_per_sec": 2004.0}
    table = read(write, models, again, {})
    assert table["key"].str.endswith("/64/2").tolist() == [False, True]
    assert table["gpu_w"].tolist() == [1000.0, 1002.0]


def test_a_size_that_contradicts_ours_is_refused(write: Write, models: pd.DataFrame) -> None:
    with pytest.raises(InputError, match=r"total_params_billions.*40"):
        read(write, models, {"total_params_billions": 40.0})


def test_an_unknown_model_is_refused(write: Write, models: pd.DataFrame) -> None:
    with pytest.raises(InputError, match="lab/gamma"):
        read(write, models, {"model_id": "lab/gamma"})


def test_a_missing_column_is_refused(write: Write, models: pd.DataFrame) -> None:
    row = {key: value for key, value in CONFIGURATION.items() if key != "avg_power_watts"}
    path = write("tasks/lm-arena-chat.json", {"configurations": [row]})
    with pytest.raises(InputError, match="'avg_power_watts' is missing"):
        read_measurements(path.parents[1], models)


def test_half_a_file_is_refused(write: Write, models: pd.DataFrame) -> None:
    path = write("tasks/lm-arena-chat.json", '{"configurations": [')
    with pytest.raises(InputError, match="line 1: not valid JSON"):
        read_measurements(path.parents[1], models)


def test_histograms_become_lengths(write: Write, tmp_path: Path) -> None:
    histogram = {"bins": [0.0, 10.0, 20.0], "counts": [1, 3]}
    content = {"model_id": "lab/alpha-8B", "output_length_distribution": histogram}
    write("models/lab__alpha-8B__lm-arena-chat.json", content)
    [entry] = lengths(tmp_path)
    assert entry["summary"]["mean"] == pytest.approx((5 + 3 * 15) / 4)
    assert entry["summary"]["p25"] == pytest.approx(10)


def test_a_histogram_with_wrong_edges_is_refused(write: Write, tmp_path: Path) -> None:
    histogram = {"bins": [0.0, 10.0], "counts": [1, 3]}
    content = {"model_id": "lab/alpha-8B", "output_length_distribution": histogram}
    write("models/lab__alpha-8B__lm-arena-chat.json", content)
    with pytest.raises(InputError, match="2 bin edges for 2 counts"):
        lengths(tmp_path)
