import numpy as np
import pytest
from scipy import optimize, special, stats

from pipeline.estimate.nested import COLUMNS, split

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
