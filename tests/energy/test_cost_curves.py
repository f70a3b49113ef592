import numpy as np
import pytest

from pipeline.core.errors import InputError
from pipeline.energy.model.cost_curves import (
    CONCURRENCIES,
    EngineCurves,
    MeanLengths,
    configurations,
    cost_curves,
)
from tests.energy.serving_stub import CACHE_TOKENS, stub
from tests.energy.study_parts import SETTINGS

LENGTHS = MeanLengths(input_tokens=500, output_tokens=430, output_cv=1.0)
DEPLOYMENT = SETTINGS.deployments.models[0]
DRAWS = 200


def price(rows, cache_tokens=CACHE_TOKENS):
    return stub(cache_tokens=cache_tokens)(rows, DRAWS)


(CURVE,) = cost_curves([(DEPLOYMENT, LENGTHS)], price)


def test_costs_at_the_priced_concurrencies_are_the_models_own() -> None:
    cost = price(configurations(DEPLOYMENT, LENGTHS))
    world = np.arange(DRAWS)
    for row, running in enumerate(CONCURRENCIES[:6]):
        terms = CURVE.at(np.full(DRAWS, running), world)
        assert terms.a == pytest.approx(cost.a_s_per_input_token[row])
        assert terms.b == pytest.approx(cost.b_s_per_output_token[row])
        assert terms.gpu_w == pytest.approx(cost.gpu_w[row])


def test_a_step_that_is_linear_in_the_batch_is_interpolated_exactly() -> None:
    rows = configurations(DEPLOYMENT, LENGTHS).assign(concurrency=np.linspace(5, 300, len(CONCURRENCIES)))
    cost = price(rows)
    for row, running in enumerate(rows["concurrency"]):
        terms = CURVE.at(np.full(DRAWS, running), np.arange(DRAWS))
        assert terms.b == pytest.approx(cost.b_s_per_output_token[row], rel=1e-9)


def test_a_gain_divides_the_time_of_every_term_and_leaves_the_power() -> None:
    times = np.linspace(1, 3, DRAWS)
    faster = CURVE.faster(times)
    world, running = np.arange(DRAWS), np.full(DRAWS, 16.0)
    before, after = CURVE.at(running, world), faster.at(running, world)
    for name in ("a", "b", "k"):
        assert getattr(after, name) == pytest.approx(getattr(before, name) / times)
    assert after.gpu_w == pytest.approx(before.gpu_w)
    median = np.array([CURVE.median_sample])
    assert faster.at(running[:1], median).b == pytest.approx(CURVE.at(running[:1], median).b / 2)


def test_the_cache_limits_what_runs_in_proportion_to_the_context() -> None:
    assert LENGTHS.context_tokens == 930
    held = CURVE.configured(np.array([1e6, 1e6, 10.0]), np.array([930.0, 9300.0, 930.0]))
    assert held == pytest.approx([CACHE_TOKENS / 930, CACHE_TOKENS / 9300, 10.0])


def test_a_cache_that_holds_no_two_requests_is_an_error() -> None:
    with pytest.raises(InputError, match="holds no two requests of 930 tokens"):
        cost_curves([(DEPLOYMENT, LENGTHS)], lambda rows: price(rows, cache_tokens=900.0))


def test_a_world_costs_what_its_engine_costs() -> None:
    (other,) = cost_curves([(DEPLOYMENT, LENGTHS)], lambda rows: price(rows, cache_tokens=20_000.0))
    world, running = np.array([5, 2, 5, 9]), np.array([3.0, 40.0, 7.0, 1.0])
    choice = np.arange(DRAWS + 1) % 2
    terms = EngineCurves((CURVE, other), choice).at(running, world)
    each = [curve.at(running, world) for curve in (CURVE, other)]
    for name in ("a", "b", "k", "gpu_w"):
        expected = np.where(world % 2 == 0, *(getattr(one, name) for one in each))
        np.testing.assert_array_equal(getattr(terms, name), expected)


def test_the_power_residual_does_not_go_with_the_time_of_a_step() -> None:
    middle = len(CURVE.concurrency) // 2
    slowness = np.log(CURVE.step_terms[1, middle])
    assert CURVE.power_residual[CURVE.median_sample] == 0
    assert abs(np.corrcoef(slowness[:-1], CURVE.power_residual[:-1])[0, 1]) < 0.02
    # The stub's own: a log-normal factor of 0.05.
    assert CURVE.power_residual.std() == pytest.approx(0.05, rel=0.2)
