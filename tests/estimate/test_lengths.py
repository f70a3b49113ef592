import numpy as np
import pytest
from scipy.stats import spearmanr

from pipeline.assumptions import load
from pipeline.contracts import read_table
from pipeline.contracts.traffic import LENGTH_FITS, LENGTH_PARAMETERS, LENGTH_TRAFFIC
from pipeline.errors import InputError
from pipeline.estimate.lengths import Shape, Traffic, coupled, length_scenario, read_traffic

LENGTHS = load("assumptions.re_estimate.lengths")
FITS = read_table("data/results/length_fits.csv", LENGTH_FITS)
TRAFFIC = read_traffic(
    FITS,
    read_table("data/results/length_parameters.csv", LENGTH_PARAMETERS),
    read_table("data/results/length_traffic.csv", LENGTH_TRAFFIC),
)
QUERIES = np.random.default_rng(1).random((20000, 2))
MIDDLE = np.full(3, 0.5)


@pytest.mark.parametrize(("regime", "median"), [("short", 300), ("long", 5000)])
def test_published_lengths_are_exponential_behind_a_fixed_prompt(regime: str, median: float) -> None:
    tokens_in, tokens_out = length_scenario(LENGTHS, TRAFFIC, "published", regime).sample(QUERIES, MIDDLE)
    assert np.unique(tokens_in).tolist() == [500]
    assert np.median(tokens_out) == pytest.approx(median, rel=0.02)
    assert tokens_out.mean() == pytest.approx(median / np.log(2), rel=0.02)
    assert tokens_out.min() == 1


@pytest.mark.parametrize(("regime", "traffic"), [("short", "conversation"), ("long", "reasoning")])
def test_production_lengths_have_the_trace_as_their_shape(regime: str, traffic: str) -> None:
    scenario = length_scenario(LENGTHS, TRAFFIC, "production", regime)
    _, tokens_out = scenario.sample(QUERIES, MIDDLE)
    level = getattr(LENGTHS.production, regime).output_level.distribution.median()
    row = FITS[(FITS["traffic"] == traffic) & (FITS["quantity"] == "output_tokens")].iloc[0]
    observed = [row[f"observed_p{q}"] for q in (5, 25, 50, 75, 95)]
    drawn = np.quantile(tokens_out, [0.05, 0.25, 0.5, 0.75, 0.95]) / level
    assert drawn == pytest.approx(observed, rel=0.08)


def test_nested_draws_broadcast_and_repeat() -> None:
    scenario = length_scenario(LENGTHS, TRAFFIC, "production", "short")
    ignorance = np.random.default_rng(2).random((7, 1, 3))
    first = scenario.sample(QUERIES[None, :50], ignorance)
    again = scenario.sample(QUERIES[None, :50], ignorance)
    for one, other in zip(first, again, strict=True):
        assert one.shape == (7, 50)
        assert np.array_equal(one, other)
        assert np.array_equal(one, np.rint(one))
        assert one.min() >= 1
    assert not np.array_equal(first[1][0], first[1][1])


def test_levels_scale_all_queries_alike() -> None:
    scenario = length_scenario(LENGTHS, TRAFFIC, "production", "long")
    low, high = (scenario.sample(QUERIES, np.array([0.5, u, 0.5]))[1] for u in (0.05, 0.95))
    assert high.mean() / low.mean() == pytest.approx(2.5 / 0.4, rel=0.01)


@pytest.mark.parametrize("spearman", [-0.6, 0.0, 0.07, 0.8])
def test_the_copula_gives_the_rank_correlation_and_keeps_the_marginal(spearman: float) -> None:
    second = coupled(QUERIES[:, 0], QUERIES[:, 1], np.array(spearman))
    assert spearmanr(QUERIES[:, 0], second).statistic == pytest.approx(spearman, abs=0.02)
    assert np.quantile(second, [0.1, 0.5, 0.9]) == pytest.approx([0.1, 0.5, 0.9], abs=0.01)


def test_an_unmeasured_correlation_is_drawn() -> None:
    flat = Shape("lognormal", np.array([5.0, 0.0]), 1e5)
    traffic = {"reasoning": Traffic(flat, flat, float("nan"))}
    scenario = length_scenario(LENGTHS, traffic, "production", "long")
    found = []
    for u in (0.0, 1.0):
        ignorance = np.array([0.5, 0.5, u])
        found.append(spearmanr(*scenario.sample(QUERIES, ignorance)).statistic)
    assert found == pytest.approx([-0.1, 0.3], abs=0.02)


def test_a_shape_ends_at_the_longest_length_seen() -> None:
    shape = Shape("lognormal", np.array([5.0, 0.5]), 1000.0)
    assert shape.ppf(np.array([0.5, 0.9999])) == pytest.approx([np.exp(5.0), 1000.0], rel=1e-3)


@pytest.mark.parametrize(("scenario", "regime"), [("measured", "short"), ("published", "middle")])
def test_an_unknown_scenario_is_refused(scenario: str, regime: str) -> None:
    with pytest.raises(InputError, match="expected published or production"):
        length_scenario(LENGTHS, TRAFFIC, scenario, regime)


def test_traffic_without_a_fit_is_refused() -> None:
    with pytest.raises(InputError, match="conversation"):
        length_scenario(LENGTHS, {}, "production", "short")
