import numpy as np
import pandas as pd
import pytest

from pipeline.ingest.traces import EDGES
from pipeline.lengths.model.families import FAMILIES, LEAST_LN_SIGMA, bin_probabilities, by_median
from pipeline.lengths.model.fit import (
    Histogram,
    compare,
    fit,
    length_services,
    log_likelihood,
    pooled,
    standard_errors,
)

TRUTH = {
    "exponential": [np.log(430)],
    "gamma": [np.log(300), np.log(2.5)],
    "lognormal": [5.5, np.log(0.9)],
    "lognormal_mixture_2": [4.6, 6.0, np.log(0.7), np.log(0.1), 0.5],
    "lognormal_mixture_3": [3.0, 5.0, 7.0, np.log(0.4), np.log(0.3), np.log(0.5), 0.6, -0.4],
}


def binned(values: np.ndarray) -> Histogram:
    counts, _ = np.histogram(values, bins=EDGES)
    return Histogram(EDGES[:-1][counts > 0], EDGES[1:][counts > 0], counts[counts > 0].astype(float))


def drawn(family: str, number: int, seed: int) -> np.ndarray:
    uniforms = np.random.default_rng(seed).random(number)
    return np.floor(FAMILIES[family].ppf(np.array(TRUTH[family]), uniforms))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_is_recovered_from_its_own_draws(family: str) -> None:
    found = fit(family, binned(drawn(family, 40000, 1)))
    order = np.argsort(found.theta[: FAMILIES[family].components]) if FAMILIES[family].components else None
    size = FAMILIES[family].components
    theta = found.theta
    if order is not None:
        theta = np.r_[theta[:size][order], theta[size : 2 * size][order]]
        expected = np.array(TRUTH[family])[: 2 * size]
        errors = np.r_[found.standard_errors[:size][order], found.standard_errors[size : 2 * size][order]]
    else:
        expected, errors = np.array(TRUTH[family]), found.standard_errors
    assert np.all(np.abs(theta - expected) < 4 * errors)


@pytest.mark.parametrize("family", ["exponential", "lognormal", "lognormal_mixture_2"])
def test_the_family_that_made_the_data_is_chosen(family: str) -> None:
    parts = [binned(drawn(family, 20000, seed)) for seed in (1, 2)]
    table, _ = compare(parts)
    chosen = table.loc[table["chosen"] == "yes"].iloc[0]
    truth = table.set_index("family").loc[family]
    # A richer family contains the true one: then the two differ by noise alone.
    assert chosen["held_out_log_likelihood"] - truth["held_out_log_likelihood"] < 3e-4
    assert truth["quantile_error"] < 0.02
    assert (table["chosen"] == "yes").sum() == 1


def test_held_out_scores_punish_a_family_that_learnt_one_part() -> None:
    rng = np.random.default_rng(4)
    parts = [binned(np.floor(np.exp(rng.normal(m, 0.3, 5000)))) for m in (3.0, 5.0, 7.0)]
    table, _ = compare(parts)
    table = table.set_index("family")
    rich, plain = table.loc["lognormal_mixture_3"], table.loc["lognormal"]
    assert rich["log_likelihood_per_request"] > plain["log_likelihood_per_request"]
    assert table["chosen"]["lognormal"] == "yes"


@pytest.mark.parametrize("family", FAMILIES)
def test_quantiles_invert_the_distribution(family: str) -> None:
    p = np.array([0.001, 0.05, 0.5, 0.95, 0.999])
    theta = np.array(TRUTH[family])
    assert FAMILIES[family].cdf(theta, FAMILIES[family].ppf(theta, p)) == pytest.approx(p, abs=2e-3, rel=2e-3)


def test_slopes_of_bin_probabilities_are_their_differences() -> None:
    theta = np.array(TRUTH["lognormal_mixture_3"])
    low, high = EDGES[:-1], EDGES[1:]
    _, slope = bin_probabilities(theta, low, high)
    for i in range(len(theta)):
        step = np.zeros(len(theta))
        step[i] = 1e-5
        up, down = (bin_probabilities(theta + s, low, high)[0] for s in (step, -step))
        assert slope[:, i] == pytest.approx((up - down) / 2e-5, abs=1e-8)


def test_standard_error_of_an_exponential_is_one_over_root_n() -> None:
    data = binned(drawn("exponential", 40000, 5))
    error = standard_errors("exponential", np.array(TRUTH["exponential"]), data)
    assert error[0] == pytest.approx(1 / np.sqrt(40000), rel=0.05)


def test_a_spread_at_its_bound_has_no_standard_error() -> None:
    theta = np.array([4.6, 6.0, np.log(0.7), LEAST_LN_SIGMA, 0.5])
    errors = standard_errors("lognormal_mixture_2", theta, binned(drawn("lognormal_mixture_2", 20000, 6)))
    assert np.isnan(errors[3])
    assert np.isfinite(errors[:3]).all()


def test_pooled_bins_that_overlap_keep_the_quantiles() -> None:
    # 100 requests evenly in [0, 100) in bins of 10, and as many in bins of 25
    fine = Histogram(np.arange(0, 100, 10.0), np.arange(10, 101, 10.0), np.full(10, 10.0))
    coarse = Histogram(np.arange(0, 100, 25.0), np.arange(25, 101, 25.0), np.full(4, 25.0))
    both = pooled([fine, coarse, fine])
    assert both.total == 300
    assert len(both.low) == 14
    assert both.quantiles(np.array([0.05, 0.5, 0.9])) == pytest.approx([5, 50, 90])


def test_a_gap_between_bins_holds_no_requests() -> None:
    data = Histogram(np.array([1.0, 100.0]), np.array([2.0, 101.0]), np.array([50.0, 50.0]))
    assert data.quantiles(np.array([0.49, 0.51])) == pytest.approx([1.98, 100.02])


@pytest.mark.parametrize("family", ["exponential", "gamma"])
def test_no_step_away_from_a_fit_to_lumpy_lengths_is_better(family: str) -> None:
    rng = np.random.default_rng(7)
    lumpy = np.r_[np.floor(rng.lognormal(2.5, 0.4, 7000)), np.floor(rng.lognormal(3.7, 0.9, 1800))]
    found = fit(family, binned(lumpy))
    for step in np.vstack([np.eye(len(found.theta)), -np.eye(len(found.theta))]) * 1e-3:
        assert log_likelihood(family, found.theta + step, binned(lumpy)) < found.log_likelihood


def test_components_stand_in_the_order_of_their_medians() -> None:
    theta = np.array([7.0, 3.0, 5.0, -0.7, -0.9, -1.2, 1.0, 1.6])
    ordered = by_median("lognormal_mixture_3", theta)
    assert ordered[:6] == pytest.approx([3.0, 5.0, 7.0, -0.9, -1.2, -0.7])
    cdf = FAMILIES["lognormal_mixture_3"].cdf
    assert cdf(ordered, EDGES) == pytest.approx(cdf(theta, EDGES), abs=1e-12)


def test_a_service_is_predicted_from_the_others_of_its_class() -> None:
    services = pd.DataFrame({
        "class": "chat", "key": ["a", "b", "c", "d"],
        "input_tokens": [100.0, 200.0, 400.0, np.nan], "output_tokens": [9.0, 9.0, 8.0, 7.0],
    })  # fmt: skip
    rows = length_services(services).set_index(["quantity", "key"])
    assert ("input_tokens", "d") not in rows.index
    # Without a: b and c, whose logarithms differ by ln 2; t of one degree of freedom is 6.314 at 0.95.
    row, half = rows.loc[("input_tokens", "a")], 6.313752 * np.log(2) / np.sqrt(2) * np.sqrt(1.5)
    assert row["left_out_p50"] == pytest.approx(np.sqrt(200 * 400))
    assert np.log(row["left_out_p95"] / row["left_out_p50"]) == pytest.approx(half)
    assert np.log(row["left_out_p50"] / row["left_out_p5"]) == pytest.approx(half)
    assert row["left_out_ln_error"] == pytest.approx(np.log(100 / np.sqrt(200 * 400)))
    assert (row["inside_90"], row["services"], row["class_centre_tokens"]) == ("yes", 3, pytest.approx(200))
    assert row["class_ln_spread"] == pytest.approx(np.log(2))
