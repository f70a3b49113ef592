import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ingest.lengths import EDGES, from_bins, from_counts


def test_percentiles_of_counts_are_lengths_that_occur() -> None:
    summary, _ = from_counts(np.array([100, 10, 1]), np.array([1, 89, 10]))
    assert summary["mean"] == pytest.approx((100 + 890 + 10) / 100)
    assert [summary[f"p{q}"] for q in (1, 10, 25, 99)] == [1, 1, 10, 10]


def test_bins_are_shared_out_evenly() -> None:
    summary, histogram = from_bins(np.array([0, 10]), np.array([10, 30]), np.array([1, 1]))
    assert summary["p25"] == pytest.approx(5)
    assert summary["p75"] == pytest.approx(20)
    assert summary["mean"] == pytest.approx((5 + 20) / 2)
    assert histogram["share"].tolist() == [0.5, 0.5]


def test_short_lengths_have_a_bin_each() -> None:
    assert EDGES[:8].tolist() == [0, 1, 2, 3, 4, 5, 6, 7]


@given(st.lists(st.integers(1, 900_000), min_size=1, max_size=50))
def test_a_histogram_holds_every_request_in_its_bin(tokens: list[int]) -> None:
    summary, histogram = from_counts(np.array(tokens), np.ones(len(tokens)))
    assert histogram["share"].sum() == pytest.approx(1)
    assert summary["requests"] == len(tokens)
    for row in histogram.itertuples(index=False):
        inside = sum(row.from_tokens <= token < row.to_tokens for token in tokens)
        assert row.share == pytest.approx(inside / len(tokens))
