"""One deployment under a lever: what changes nothing, what may only help, and what a draft costs."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.estimate.fleet.draws import Picks
from pipeline.estimate.levers.bench import AS_DRAWN, Cap, How, Priced, changed
from pipeline.estimate.levers.serving import energy_of_throughput, speculative_wh
from pipeline.estimate.query_energy import serve
from tests.estimate.levers.parts import bench, constant, positive

ONES = np.ones(len(bench().every))


@pytest.fixture(scope="module", params=["short", "long"])
def priced(request) -> Priced:
    item = bench().draws.tiers["large"][1]
    return bench().price([item], bench().call(request.param))[item]


@pytest.mark.parametrize(
    "how",
    [
        How(cached_share=0.0),
        How(output_share=1.0),
        How(cap=Cap(ONES, ONES)),
        How(pue=bench().draws.worlds.pue),
    ],
)
def test_a_lever_of_one_changes_nothing(priced, how):
    assert bench().energy_wh(priced, how) == pytest.approx(bench().energy_wh(priced), rel=1e-12)


def test_a_lower_utilisation_than_drawn_changes_nothing():
    drawn, given = (bench().load(how) for how in (AS_DRAWN, How(utilisation=0.0)))
    assert np.all(drawn.concurrency_share == given.concurrency_share)
    assert np.all(drawn.idle_per_active == given.idle_per_active)


def test_energy_is_positive(priced):
    assert positive(bench().energy_wh(priced))


def test_as_drawn_is_the_energy_of_the_fleet_at_the_site(priced):
    """The account of the fleets prices the same call at PUE 1."""
    draws = bench().draws
    served = serve(
        priced.curve, draws.server(priced.item), priced.item,
        Picks.as_drawn(draws.worlds).conditions(draws.worlds, priced.call.context_tokens),
    )  # fmt: skip
    expected = served.mean_energy_wh("facility", priced.call.moments) * draws.worlds.pue
    assert bench().energy_wh(priced) == pytest.approx(expected)


def test_more_cached_input_and_fewer_tokens_never_cost_more(priced):
    drawn = bench().energy_wh(priced)
    for how in (How(cached_share=0.5), How(output_share=0.5)):
        assert np.all(bench().energy_wh(priced, how) <= drawn * (1 + 1e-9))


def test_a_fuller_node_costs_less_unless_prompts_are_all_the_work(priced):
    """Where they are, a larger batch saves no time and draws a little more power."""
    ratio = bench().energy_wh(priced, How(utilisation=0.95)) / bench().energy_wh(priced)
    assert np.all(ratio < 1.005)
    assert np.median(ratio) < 0.95


def test_all_of_the_input_cached_leaves_the_output():
    moments = bench().call("short").moments
    left = changed(moments, How(cached_share=1.0))
    assert np.all(left.input_tokens == 0)
    assert np.all(left.output_tokens == moments.output_tokens)


def test_prefill_apart_never_costs_more_at_the_same_speed(priced):
    """Decode runs at a batch at least as large, its step no longer than the mixed one."""
    running = bench().running(priced, AS_DRAWN)
    (mixed, prefill, _), (apart, _, decode) = bench().disaggregated(priced, AS_DRAWN, running)
    assert (prefill, decode) == (1.0, 1.0)
    assert np.all(apart.b <= mixed.b * (1 + 1e-6))
    gain = bench().energy_wh(priced) / bench().energy_wh(priced, How(disaggregated=True))
    assert np.median(gain) >= 1


def test_a_cap_acts_on_the_accelerators_and_not_on_the_rest(priced):
    """Half of the accelerators' energy at the same speed saves less than half of the facility's."""
    gain = bench().energy_wh(priced) / bench().energy_wh(priced, How(cap=Cap(2 * ONES, ONES)))
    assert np.all((gain > 1) & (gain < 2))


def test_drafts_gain_with_one_request_and_lose_in_a_large_batch(priced):
    def gain(requests: float) -> np.ndarray:
        how = How(requests=requests, utilisation=1.0)
        return bench().energy_wh(priced, how) / speculative_wh(bench(), priced, how)

    assert np.median(gain(1.0)) > 1.2
    assert np.median(gain(256.0)) < 1
    assert np.mean(gain(1.0) > gain(256.0)) > 0.95


def test_drafts_that_are_free_and_yield_nothing_change_nothing(priced):
    """No drafted token, one token a step, no time for the draft."""
    plain = bench().settings.speculation
    none = plain.model_copy(
        update={
            "drafted_tokens": constant(plain.draft_cost, 0.0),  # as a number of tokens at least one is asked
            "tokens_per_step": constant(plain.tokens_per_step, 1.0),
            "draft_cost": constant(plain.draft_cost, 0.0),
        }
    )
    silent = replace(bench(), settings=bench().settings.model_copy(update={"speculation": none}))
    assert speculative_wh(silent, priced, AS_DRAWN) == pytest.approx(bench().energy_wh(priced))


def test_a_gain_of_throughput_is_at_most_one_of_energy():
    gain = energy_of_throughput(bench(), 2.0)
    assert np.all((gain > 1) & (gain <= 2))
    assert energy_of_throughput(bench(), 1.0) == pytest.approx(ONES)
