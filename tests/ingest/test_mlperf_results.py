from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.errors import InputError
from pipeline.ingest.mlperf_results import throughput

RESULT = {
    "ID": "5.1-0001",
    "Location": "here",
    "Category": "closed",
    "Suite": "datacenter",
    "Submitter": "somebody",
    "Platform": "box",
    "UsedModel": "llama3.1-405b",
    "Scenario": "Offline",
    "Accelerator": "",
    "a#": "",
    "Nodes": 2,
    "weight_data_types": "fp8",
    "Software": "engine 1",
    "Accuracy": "ROUGEL: 21.6  TOKENS_PER_SAMPLE: 654.6",
    "Performance_Result": 1000.0,
    "Performance_Units": "Tokens/s",
    "Power_Result": None,
}
Write = Callable[[str, Any], Path]


def test_language_models_of_the_datacentre_are_kept(write: Write, tmp_path: Path) -> None:
    others = [
        RESULT | {"Suite": "edge"},
        RESULT | {"UsedModel": "resnet50", "Performance_Units": "Samples/s"},
        RESULT | {"UsedModel": "llama3_1-70b-fp8_dyn", "Power_Result": 5000.0},
    ]
    write("summary_results.json", [RESULT, *others])
    table = throughput(tmp_path).set_index("model")
    assert set(table.index) == {"Llama 3.1 405B", "Llama 3.1 70B"}
    row = table.loc["Llama 3.1 405B"]
    assert row["output_tokens"] == 654.6
    assert pd.isna(row["gpus_per_node"])
    assert pd.isna(row["published_w"])
    assert table.loc["Llama 3.1 70B", "published_w"] == 5000.0


def test_a_model_that_is_not_known_is_refused(write: Write, tmp_path: Path) -> None:
    write("summary_results.json", [RESULT | {"UsedModel": "gpt-9"}])
    with pytest.raises(InputError, match="'gpt-9'"):
        throughput(tmp_path)


def test_a_result_that_stands_twice_is_refused(write: Write, tmp_path: Path) -> None:
    write("summary_results.json", [RESULT, RESULT])
    with pytest.raises(InputError, match="stand once"):
        throughput(tmp_path)
