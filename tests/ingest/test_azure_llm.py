from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import InputError
from pipeline.ingest.azure_llm import lengths, read_requests

HEADER = "TIMESTAMP,ContextTokens,GeneratedTokens\n"
ROWS = """2023-11-16 18:15:46.6805900,10,40
2023-11-16 18:15:47.0000000,20,30
2023-11-16 18:15:48.0000000,30,20"""
NAME = "data/AzureLLMInferenceTrace_{}.csv"
Write = Callable[[str, Any], Path]


def test_requests_keep_time_and_tokens(write: Write, tmp_path: Path) -> None:
    write(NAME.format("conv"), HEADER + ROWS)
    requests = read_requests(tmp_path, "conv")
    assert requests["time"].iloc[0].microsecond == 680590
    assert requests["output_tokens"].tolist() == [40, 30, 20]
    assert requests["model"].isna().all()


def test_lengths_carry_the_rank_correlation(write: Write, tmp_path: Path) -> None:
    for service in ("conv", "code"):
        write(NAME.format(service), HEADER + ROWS)
    entries = lengths(tmp_path)
    assert len(entries) == 4
    assert entries[0]["summary"]["spearman_input_output"] == pytest.approx(-1)
    assert entries[0]["summary"]["p50"] == 20


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("yesterday,10,40", r"row 5, column 'TIMESTAMP': 'yesterday'"),
        ("2023-11-16 18:15:49,0,40", r"row 5, column 'ContextTokens': 0"),
        ("2023-11-16 18:15:49,10,-1", r"row 5, column 'GeneratedTokens': -1"),
        ("2023-11-16 18:15:49,10,", r"row 5, column 'GeneratedTokens'"),
    ],
)
def test_a_bad_request_is_refused_with_its_row(write: Write, tmp_path: Path, row: str, message: str) -> None:
    write(NAME.format("conv"), f"{HEADER}{ROWS}\n{row}\n")
    with pytest.raises(InputError, match=message):
        read_requests(tmp_path, "conv")


def test_a_missing_trace_names_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="make telemetry"):
        read_requests(tmp_path, "conv")
