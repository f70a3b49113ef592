import numpy as np
import pytest
from scipy.special import ndtri
from scipy.stats import spearmanr

from pipeline.core.errors import InputError
from pipeline.core.read import read_table
from pipeline.core.settings import from_params
from pipeline.lengths.model.contract import LENGTH_FITS, LENGTH_PARAMETERS, LENGTH_TRAFFIC
from pipeline.lengths.model.scenario import Shape, Traffic, coupled, length_scenario, of_scores, read_traffic

LENGTHS = from_params("lengths")
FITS = read_table("data/results/length_fits.csv", LENGTH_FITS)
TRAFFIC = read_traffic(
    FITS,
    read_table("data/results/length_parameters.csv", LENGTH_PARAMETERS),
    read_table("data/results/length_traffic.csv", LENGTH_TRAFFIC),
)
QUERIES = np.random.default_rng(1).random((20000, 2))
MIDDLE = np.full(4, 0.5)


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
    ignorance = np.random.default_rng(2).random((7, 1, 4))
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
    low, high = (scenario.sample(QUERIES, np.array([u, 0.5, 0.5, 0.5]))[0] for u in (0.05, 0.95))
    level = LENGTHS.production.long.input_level.distribution
    assert high.mean() / low.mean() == pytest.approx(level.p95 / level.p5, rel=0.01)


def test_levels_of_services_go_together_as_stated() -> None:
    scenario = length_scenario(LENGTHS, TRAFFIC, "production", "short")
    uniforms = np.random.default_rng(3).random((20_000, 4))
    uniforms[:, 3] = 1.0
    ln = [ndtri(level) for level in scenario.levels(uniforms)]
    assert np.corrcoef(*ln)[0, 1] == pytest.approx(
        LENGTHS.production.level_correlation.distribution.high, abs=0.01
    )
    assert ln[1].std() == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("spearman", [-0.6, 0.0, 0.07, 0.8])
def test_the_copula_gives_the_rank_correlation_and_keeps_the_marginal(spearman: float) -> None:
    second = coupled(QUERIES[:, 0], QUERIES[:, 1], of_scores(np.array(spearman)))
    assert spearmanr(QUERIES[:, 0], second).statistic == pytest.approx(spearman, abs=0.02)
    assert np.quantile(second, [0.1, 0.5, 0.9]) == pytest.approx([0.1, 0.5, 0.9], abs=0.01)


def test_an_unmeasured_correlation_is_drawn() -> None:
    flat = Shape("lognormal", np.array([5.0, 0.0]), 1e5)
    traffic = {"reasoning": Traffic(flat, flat, float("nan"))}
    scenario = length_scenario(LENGTHS, traffic, "production", "long")
    found = []
    for u in (0.0, 1.0):
        ignorance = np.array([0.5, 0.5, u, 0.5])
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


@pytest.mark.parametrize("quantity", ["input_tokens", "output_tokens"])
@pytest.mark.parametrize("regime", ["short", "long"])
def test_at_level_one_a_service_has_the_mean_of_the_trace(regime: str, quantity: str) -> None:
    scenario = length_scenario(LENGTHS, TRAFFIC, "production", regime)
    tokens = getattr(scenario.traffic, quantity).ppf((np.arange(50_000) + 0.5) / 50_000)
    kind = {"short": "conversation", "long": "reasoning"}[regime]
    row = FITS[(FITS["traffic"] == kind) & (FITS["quantity"] == quantity) & (FITS["chosen"] == "yes")].iloc[0]
    assert tokens.mean() == pytest.approx(row["observed_mean"], rel=0.02)
