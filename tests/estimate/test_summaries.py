"""Percentiles, Monte Carlo errors and histograms."""

import numpy as np
import pytest

from pipeline.estimate.summaries import STATISTICS, histogram_table, sorted_quantiles, summarise

EDGES = np.array([0.0, 1.0, 2.0, 3.0])


def test_percentiles_are_numpys_and_cut_draws_do_not_count() -> None:
    draws = np.random.default_rng(0).normal(size=(1, 1001))
    draws[0, ::7] = np.nan
    kept = draws[~np.isnan(draws)]
    summary = summarise(draws, EDGES)
    expected = [kept.mean(), *np.percentile(kept, [5, 25, 50, 75, 95])]
    assert summary.value == pytest.approx(expected)
    assert summary.draws == len(kept)


def test_percentiles_within_a_part_of_a_row() -> None:
    ordered = np.arange(20.0).reshape(2, 10)
    first, last = np.array([2, 0]), np.array([6, 9])
    assert sorted_quantiles(ordered, first, last, [0, 50, 100]) == pytest.approx(
        np.array([[2, 4, 6], [10, 14.5, 19]])
    )


def test_the_error_of_one_sample_is_the_spread_of_many() -> None:
    rng = np.random.default_rng(1)
    samples = [summarise(rng.exponential(size=(1, 2000)), EDGES) for _ in range(400)]
    spread = np.std([sample.value for sample in samples], axis=0)
    stated = np.mean([sample.error for sample in samples], axis=0)
    assert stated == pytest.approx(spread, rel=0.15)


def test_the_error_of_replicates_is_the_standard_error_of_their_mean() -> None:
    rng = np.random.default_rng(2)
    draws = rng.exponential(size=(5, 400))
    medians = np.median(draws, axis=1)
    summary = summarise(draws, EDGES)
    at = STATISTICS.index("p50")
    assert summary.value[at] == pytest.approx(medians.mean())
    assert summary.error[at] == pytest.approx(medians.std(ddof=1) / np.sqrt(5))


def test_the_histogram_counts_below_and_above_its_edges() -> None:
    draws = np.array([[-1.0, 0.0, 0.5, np.nan], [1.0, 2.5, 3.0, 9.0]])
    summary = summarise(draws, EDGES)
    assert summary.counts.tolist() == [1, 2, 1, 1, 2]
    table = histogram_table(summary.counts, EDGES, "low", "high", subject="x")
    assert table["low"].iloc[0] == -np.inf
    assert table["high"].iloc[-1] == np.inf
    assert table["count"].sum() == summary.draws


def test_columns_carry_the_unit() -> None:
    columns = summarise(np.random.default_rng(3).random((2, 50)), EDGES).columns("wh")
    assert list(columns)[:2] == ["mean_wh", "p5_wh"]
    assert "mc_error_p50_wh" in columns
    assert columns["n_draws"] == 100
