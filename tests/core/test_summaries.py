"""Percentiles, Monte Carlo errors and histograms."""

import numpy as np
import pytest
from scipy import optimize, special, stats

from pipeline.core.summaries import COLUMNS, STATISTICS, histogram_table, sorted_quantiles, split, summarise

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


BETWEEN, WITHIN, MU = 0.5, 0.9, np.log(0.3)
Z95 = stats.norm.ppf(0.95)


def nested(seed: int, queries: stats.rv_continuous, replicates: int = 16, outer: int = 256, inner: int = 256):
    """Energies whose worlds are log-normal and whose queries have a given distribution."""
    rng = np.random.default_rng(seed)
    worlds = np.stack([stats.qmc.Sobol(1, rng=rng).random(outer) for _ in range(replicates)])
    levels = np.exp(MU + BETWEEN * special.ndtri(np.clip(worlds, 1e-12, 1 - 1e-12)))
    base = np.stack([stats.qmc.Sobol(1, rng=rng).random(inner).T for _ in range(replicates)])
    return levels * queries.ppf((base + rng.random((replicates, outer, 1))) % 1)


@pytest.fixture(scope="module")
def lognormal() -> dict[str, float]:
    return split(nested(1, stats.lognorm(WITHIN)))


def test_ignorance_is_the_spread_between_worlds(lognormal: dict[str, float]) -> None:
    for p, z in (("p5", -Z95), ("p50", 0), ("p95", Z95)):
        assert lognormal[f"median_{p}_wh"] == pytest.approx(np.exp(MU + BETWEEN * z), rel=0.02)
        mean = np.exp(MU + WITHIN**2 / 2 + BETWEEN * z)
        assert lognormal[f"mean_{p}_wh"] == pytest.approx(mean, rel=0.03)


def test_variability_is_the_spread_within_a_world(lognormal: dict[str, float]) -> None:
    for p, z in (("p5", -Z95), ("p95", Z95)):
        assert lognormal[f"query_{p}_wh"] == pytest.approx(np.exp(MU + WITHIN * z), rel=0.02)


def test_total_variance_is_within_plus_between(lognormal: dict[str, float]) -> None:
    total = np.hypot(BETWEEN, WITHIN)
    spread = np.log(lognormal["total_p95_wh"] / lognormal["total_p5_wh"]) / (2 * Z95)
    assert spread == pytest.approx(total, rel=0.01)
    assert lognormal["total_p50_wh"] == pytest.approx(np.exp(MU), rel=0.01)
    assert lognormal["total_mean_wh"] == pytest.approx(np.exp(MU + total**2 / 2), rel=0.02)


def test_total_quantiles_agree_with_quadrature() -> None:
    found = split(nested(2, stats.expon()))
    nodes, weights = special.roots_hermitenorm(60)
    levels = np.exp(MU + BETWEEN * nodes)

    def share_below(energy_wh: float) -> float:
        return float(weights @ -np.expm1(-energy_wh / levels) / weights.sum())

    for column, share in (("total_p5_wh", 0.05), ("total_p50_wh", 0.5), ("total_p95_wh", 0.95)):
        exact = optimize.brentq(lambda wh, share=share: share_below(wh) - share, 1e-6, 100)
        assert found[column] == pytest.approx(exact, rel=0.015)


def test_monte_carlo_errors_match_the_spread_over_seeds() -> None:
    found = [split(nested(seed, stats.lognorm(WITHIN), outer=32, inner=32)) for seed in range(60)]
    for column in COLUMNS:
        spread = np.std([one[column] for one in found], ddof=1)
        stated = np.mean([one[f"mc_error_{column}"] for one in found])
        assert 0.7 < spread / stated < 1.4, column


def test_nothing_is_cut() -> None:
    energy = nested(3, stats.lognorm(WITHIN), outer=32, inner=32)
    energy[0, 0, 0] = 1e6
    assert split(energy)["total_mean_wh"] == pytest.approx(energy.mean(), rel=1e-12)
