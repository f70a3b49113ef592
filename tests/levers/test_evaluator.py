"""One deployment under a lever: what changes nothing, what may only help, and what a draft costs."""

import numpy as np
import pytest

from pipeline.core.settings import from_params
from pipeline.energy.model.query_energy import serve
from pipeline.fleet.model.draws import Picks
from pipeline.levers.model.evaluator import AS_DRAWN, Evaluated, changed
from pipeline.levers.model.serving import energy_of_throughput
from pipeline.levers.model.settings import LEVERS, Drafts, Options
from tests.levers.parts import evaluator, positive

ONES = np.ones(len(evaluator().every))
DRAFTED = next(lever for lever in LEVERS if lever.name == "drafted")


@pytest.fixture(scope="module", params=["short", "long"])
def one(request) -> Evaluated:
    item = evaluator().large[1]
    return evaluator().evaluate([item], evaluator().call(request.param))[item]


@pytest.mark.parametrize(
    "options",
    [
        Options(cached_share=0.0),
        Options(output_share=1.0),
        Options(gpu_power=ONES, time=ONES),
        Options(pue=evaluator().draws.samples.pue),
        Options(drafts=Drafts(0 * ONES, ONES, 0 * ONES)),
    ],
)
def test_a_lever_of_one_changes_nothing(one, options):
    assert evaluator().energy_wh(one, options) == pytest.approx(evaluator().energy_wh(one), rel=1e-12)


def test_a_lower_utilisation_than_drawn_changes_nothing():
    drawn, given = (evaluator().load(options) for options in (AS_DRAWN, Options(utilisation=0.0)))
    assert np.all(drawn.concurrency_share == given.concurrency_share)
    assert np.all(drawn.idle_per_active == given.idle_per_active)


def test_energy_is_positive(one):
    assert positive(evaluator().energy_wh(one))


def test_as_drawn_is_the_energy_of_the_fleet_at_the_site(one):
    """The account of the fleets prices the same call at PUE 1."""
    draws = evaluator().draws
    served = serve(
        one.curve, draws.server(one.item), one.item,
        Picks.as_drawn(draws.samples).conditions(draws.samples, one.call.context_tokens),
    )  # fmt: skip
    expected = served.mean_energy_wh("facility", one.call.moments) * draws.samples.pue
    assert evaluator().energy_wh(one) == pytest.approx(expected)


def test_more_cached_input_and_fewer_tokens_never_cost_more(one):
    drawn = evaluator().energy_wh(one)
    for options in (Options(cached_share=0.5), Options(output_share=0.5)):
        assert np.all(evaluator().energy_wh(one, options) <= drawn * (1 + 1e-9))


def test_a_fuller_node_costs_less_unless_prompts_are_all_the_work(one):
    """Where they are, a larger batch saves no time and draws a little more power."""
    ratio = evaluator().energy_wh(one, Options(utilisation=0.95)) / evaluator().energy_wh(one)
    assert np.all(ratio < 1.005)
    assert np.median(ratio) < 0.97


def test_all_of_the_input_cached_leaves_the_output():
    moments = evaluator().call("short").moments
    left = changed(moments, Options(cached_share=1.0))
    assert np.all(left.cached_share == 1)
    assert np.all(left.output_tokens == moments.output_tokens)


def test_a_lever_gains_only_over_what_services_do_already():
    moments = evaluator().call("short").moments
    cached = np.broadcast_to(moments.cached_share, moments.input_tokens.shape)
    assert np.all(changed(moments, Options(cached_share=0.3)).cached_share == np.maximum(cached, 0.3))
    settings = evaluator().settings
    practice = from_params("energy.practice")
    assert settings.cached.share == practice.cached_share
    assert settings.adaptive.utilisation == practice.reallocated_utilisation


def test_prefill_apart_takes_as_much_prefill_and_no_longer_a_step(one):
    """Decode runs at a batch at least as large, its step no longer than the mixed one."""
    apart = Options(disaggregated=True)
    running = evaluator().running(one, AS_DRAWN)
    mixed = one.curve.at(running, evaluator().every)
    (_, prefill_s), (_, decode_s) = evaluator().phases(one, apart)
    ((_, seconds),) = evaluator().phases(one, AS_DRAWN)
    moments = one.call.moments
    assert prefill_s == pytest.approx(mixed.of_input(moments.cached_share) * moments.input_tokens)
    assert np.all(prefill_s + decode_s <= seconds * (1 + 1e-6))
    gain = evaluator().energy_wh(one) / evaluator().energy_wh(one, apart)
    assert np.median(gain) >= 1


def test_a_cap_acts_on_the_accelerators_and_not_on_the_rest(one):
    """Half of the accelerators' energy at the same speed saves less than half of the facility's."""
    gain = evaluator().energy_wh(one) / evaluator().energy_wh(one, Options(gpu_power=0.5))
    assert np.all((gain > 1) & (gain < 2))


def test_drafts_gain_with_one_request_and_lose_in_a_large_batch(one):
    def gain(requests: float) -> np.ndarray:
        options = Options(requests=requests, utilisation=1.0)
        drafted = evaluator().applied(DRAFTED, options)
        return evaluator().energy_wh(one, options) / evaluator().energy_wh(one, drafted)

    assert np.median(gain(1.0)) > 1.2
    assert np.median(gain(256.0)) < 1
    assert np.mean(gain(1.0) > gain(256.0)) > 0.95


def test_drafts_beside_prefill_apart_are_refused(one):
    drafted = evaluator().applied(DRAFTED, Options(disaggregated=True))
    with pytest.raises(ValueError, match="not modelled"):
        evaluator().energy_wh(one, drafted)


def test_a_gain_of_throughput_is_at_most_one_of_energy():
    gain = energy_of_throughput(evaluator(), 2.0)
    assert np.all((gain > 1) & (gain <= 2))
    assert energy_of_throughput(evaluator(), 1.0) == pytest.approx(ONES)
