"""No measured row is lost: each is used, scored, or set aside with a reason."""

import pandas as pd
import pytest

from pipeline.core.errors import InputError
from pipeline.validation.model.accounts import account, mlperf_reasons, serving_reasons, source_counts

ROWS = pd.DataFrame({"key": ["a", "b", "c", "d"], "source": ["one", "one", "two", "two"]})
REASONS = pd.Series([None, None, "flagged", "flagged"], dtype="str")


def test_each_row_counts_once() -> None:
    counts = account("table", ROWS, ["a", "c"], ["a", "b"], REASONS).set_index("source")
    assert counts.loc["one", ["rows", "fitted", "scored", "set_aside"]].tolist() == [2, 1, 1, 0]
    assert counts.loc["two", ["rows", "fitted", "scored", "set_aside"]].tolist() == [2, 1, 0, 1]
    assert counts["reasons"].to_dict() == {"one": "", "two": "flagged 1"}


def test_a_row_in_none_of_the_three_is_named() -> None:
    with pytest.raises(InputError, match="table of one, column 'key': 'b', expected a fit that uses the row"):
        account("table", ROWS, ["a"], [], REASONS)


def test_a_source_without_rows_is_named() -> None:
    sources = pd.DataFrame({"source": ["one", "two", "three"], "laboratory": "lab"})
    counts = account("table", ROWS, ["a", "b"], [], REASONS)
    with pytest.raises(InputError, match="source 'three' has no row"):
        source_counts([counts], sources)
    assert source_counts([counts], sources[:2])["source"].tolist() == ["one", "two"]


def test_the_reason_of_the_file_goes_before_that_of_the_fit() -> None:
    rows = pd.DataFrame({"set_aside": ["speculation", None, None], "fits": "step", "checks": "online"})
    rows["ttft_ms"] = [9000.0, 9000.0, 10.0]
    found = serving_reasons(rows, pd.Series({0: "unknown_shape"}, dtype="str"), 1.0)
    assert found.fillna("").tolist() == ["speculation", "not_steady", ""]


def test_why_a_submission_is_not_compared() -> None:
    run = {
        "key": "kept", "category": "closed", "scenario": "Offline", "software": "TensorRT 10",
        "platform": "p", "gpu": "NVIDIA H200-SXM-141GB", "submitter": "s", "model": "m",
        "output_tokens_per_s": 1.0,
    }  # fmt: skip
    others = {
        "other_rules": {"category": "open"},
        "other_engine": {"software": "vLLM"},
        "other_accelerator": {"gpu": "TPU"},
        "length_not_stated": {"output_tokens_per_s": 2.0},
        "restated": {},
    }
    runs = pd.DataFrame([run, *(run | {"key": name} | change for name, change in others.items())])
    found = mlperf_reasons(runs, runs[:1])
    assert found[1:].tolist() == list(others)
