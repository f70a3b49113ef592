"""Everyday situations that once gave a wrong number in silence: now the right one, a refusal, or a flag."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pipeline.core.errors import InputError
from pipeline.logs.deployment import Deployment
from pipeline.logs.engines import connect
from pipeline.logs.estimate import EnergyFromLogs, energy_from_logs
from pipeline.logs.node_ratio import NodeRatio
from pipeline.logs.settings import Settings, TokenWeights
from tests.logs.conftest import assert_balanced, params, write
from tests.logs.situations import IDLE_W, PREFILL, Service, service, stamped


@pytest.fixture
def base() -> Service:
    return service()


@pytest.fixture
def run(tmp_path):
    """Estimate from two tables with node power as metered; `facts` of deployment.yaml, other changes of
    settings."""

    def go(
        asked: pd.DataFrame, drawn: pd.DataFrame, facts=None, weights=PREFILL, **changes
    ) -> EnergyFromLogs:
        given = Deployment.model_validate(facts or {})
        told = weights if isinstance(weights, TokenWeights | None) else TokenWeights(weights)
        settings = replace(Settings.of(params(), told, given), node=NodeRatio.constant(1.0), **changes)
        with connect("duckdb", 300) as engine:
            paths = [str(write(asked, tmp_path / "r.parquet")), str(write(drawn, tmp_path / "p.parquet"))]
            result = energy_from_logs(engine, *paths, settings)
        assert_balanced(result)
        return result

    return go


def mean(result: EnergyFromLogs, model: str = "m") -> float:
    return float(result.models.set_index("model").loc[model, "node_mean_wh"])


def kinds(result: EnergyFromLogs) -> set[str]:
    return {flag.kind for flag in result.flags}


def test_the_base_case_is_right_and_without_doubt(run, base):
    result = run(base.asked, base.drawn)
    assert mean(result) == pytest.approx(base.wh, rel=2e-3)
    assert not kinds(result)


# -- meters
# -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("count", [2, 4, 8])
@pytest.mark.parametrize("step", [1, 2, 4])
def test_meters_without_names_are_refused(run, base, count, step):
    drawn = base.cards(count).drop(columns="device")
    drawn = drawn[drawn["time"].dt.second % step == 0]
    with pytest.raises(InputError, match=rf"{count} samples at each time .* the column `device` is missing"):
        run(base.asked, drawn)


def test_meters_without_names_and_equal_watts_are_refused(run, base):
    drawn = pd.concat([base.drawn.assign(scope="gpu", watts=700.0)] * 8)
    with pytest.raises(InputError, match="8 samples at each time"):
        run(base.asked, drawn)


def test_meters_that_are_named_add_up(run, base):
    assert mean(run(base.asked, base.cards())) == pytest.approx(base.wh, rel=2e-3)


@pytest.mark.parametrize("watts", [0.0, np.nan])
def test_a_dead_meter_is_refused(run, base, watts):
    drawn = base.cards()
    drawn.loc[drawn["device"] == "3", "watts"] = watts
    with pytest.raises(InputError, match="meter '3' of node 'n1' reads no power"):
        run(base.asked, drawn)


def test_one_meter_twice_and_a_total_beside_its_parts_are_refused(run, base):
    drawn = base.cards(2)
    twice = pd.concat([drawn, drawn[drawn["device"] == "1"].assign(device="1-exporter")])
    with pytest.raises(InputError, match="show the same series"):
        run(base.asked, twice)
    total = base.drawn.assign(scope="gpu", device="main")
    with pytest.raises(InputError, match="'main' of node 'n1' is the sum of its 2 other meters"):
        run(base.asked, pd.concat([drawn, total]))


def test_a_meter_that_stands_still_is_flagged(run, base):
    drawn = base.cards()
    drawn.loc[drawn["device"] == "3", "watts"] = 312.0
    assert "meter stands still" in kinds(run(base.asked, drawn))


@pytest.mark.parametrize("unit", [3.6e6, 3600.0, 1.0])
def test_a_counter_in_watts_is_refused(run, base, unit):
    counted = 5000 + base.drawn["watts"].cumsum() / unit
    if unit == 1.0:  # a counter that begins anew
        counted = 100 + (base.drawn["watts"].cumsum() / 30) % 15_000
    with pytest.raises(InputError, match=r"counts energy|looks like mW"):
        run(base.asked, base.drawn.assign(watts=counted))


def test_spikes_are_flagged(run, base):
    drawn = base.drawn.assign(watts=base.drawn["watts"] / 10)
    drawn.loc[::90, "watts"] = 9000.0
    assert "single spikes" in kinds(run(base.asked, drawn))


@pytest.mark.parametrize("factor", [1e-3, 1e3])
def test_another_unit_is_refused_or_flagged(run, base, factor):
    drawn = base.drawn.assign(watts=base.drawn["watts"] * factor * (10 if factor < 1 else 1))
    try:
        assert kinds(run(base.asked, drawn)) & {"far from any model", "power_series set aside"}
    except InputError as error:
        assert "looks like" in str(error)


@pytest.mark.parametrize("interval", [1.12, 10, 15, 60])
def test_intervals_are_those_of_each_meter(run, interval):
    made = service(minutes=20, step_s=interval)
    result = run(made.asked, made.drawn)
    assert mean(result) == pytest.approx(made.wh, rel=0.02)
    assert not kinds(result)


def test_a_slow_meter_at_the_wall_goes_before_fast_ones_of_accelerators(run):
    made = service(minutes=20)
    wall = made.drawn.groupby(made.drawn["time"].dt.floor("10s"), as_index=False).agg(
        time=("time", "first"), node=("node", "first"), watts=("watts", "mean"), scope=("scope", "first")
    ).assign(device="")  # fmt: skip
    cards = made.cards()
    result = run(made.asked, pd.concat([cards.assign(watts=cards["watts"] / 2), wall]))
    assert mean(result) == pytest.approx(made.wh, rel=5e-3)


@pytest.mark.parametrize(("seconds", "begin"), [(45, 20), (90, 20), (120, 0), (50, 45)])
def test_short_runs_work(run, seconds, begin):
    made = service(minutes=seconds / 60, a_second=4, begin_s=begin)
    result = run(made.asked, made.drawn)
    # a last window without requests is idle, and shown apart
    idle = result.models["idle_wh"].item() / params().pue.distribution.median()
    assert mean(result) + idle == pytest.approx(made.wh, rel=2e-3)
    assert idle < 0.05 * made.wh and not kinds(result)


# -- requests
# -----------------------------------------------------------------------------------------------------
def test_a_load_test_with_second_stamps_keeps_all_requests(run, base):
    seconds = base.asked["time"].dt.floor("s")
    fixed = base.asked.assign(
        time=seconds, end=seconds + pd.Timedelta(6, "s"), input_tokens=1024, output_tokens=128
    )
    result = run(fixed, base.drawn)
    assert result.models["queries"].item() == len(fixed)
    assert mean(result) == pytest.approx(base.wh, rel=2e-3)


def test_a_log_that_stands_twice_counts_once(run, base):
    result = run(pd.concat([base.asked, base.asked]), base.drawn)
    assert mean(result) == pytest.approx(base.wh, rel=2e-3)
    assert "requests set aside" in kinds(result)


def test_an_id_that_stands_again_counts_once(run, base):
    named = base.asked.assign(request=[f"r{k}" for k in range(len(base.asked))])
    again = named.assign(time=named["time"] + pd.Timedelta(1, "ms"))
    result = run(pd.concat([named, again]), base.drawn)
    assert mean(result) == pytest.approx(base.wh, rel=2e-3)
    assert "requests set aside" in kinds(result)


def test_failed_requests_are_no_queries(run, base):
    failed = base.asked.sample(frac=0.25, random_state=1).assign(output_tokens=0, status="429")
    asked = pd.concat([base.asked.assign(status="200"), failed])
    result = run(asked, base.drawn)
    assert mean(result) == pytest.approx(base.wh, rel=2e-3)
    assert not kinds(result)
    halfway = base.asked.assign(status=np.where(np.arange(len(base.asked)) % 5 == 0, "error", "ok"))
    half = run(halfway, base.drawn)
    assert half.models["queries"].item() == (halfway["status"] == "ok").sum()
    assert (half.account["reason"] == "failed_with_tokens").any()


def test_an_unknown_status_is_refused(run, base):
    with pytest.raises(InputError, match="column 'status': 'perhaps', expected a word such as success"):
        run(base.asked.assign(status="perhaps"), base.drawn)


def test_cached_tokens_cost_nothing_unless_stated(run):
    made = service(costs={"agent": 1.0, "chat": 1.0})
    agent = made.requests["model"] == "agent"
    cached = np.where(agent, 20_000, 0)
    asked = made.asked.assign(input_tokens=made.asked["input_tokens"] + cached, cached_input_tokens=cached)
    result = run(asked, made.drawn)
    for model in ("agent", "chat"):
        of = made.requests[made.requests["model"] == model]
        share = (of["output_tokens"] + PREFILL * of["input_tokens"]).mean()
        every = (made.requests["output_tokens"] + PREFILL * made.requests["input_tokens"]).mean()
        assert mean(result, model) == pytest.approx(made.wh * share / every, rel=0.02)


def test_hidden_reasoning_is_flagged_and_counted_when_it_is_there(run):
    made = service(costs={"plain": 1.0, "thinker": 1.0})
    thinks = made.requests["model"] == "thinker"
    visible = made.asked["output_tokens"].where(
        ~thinks, (made.asked["output_tokens"] * 0.075).astype(int) + 1
    )
    assert "tokens may be hidden" in kinds(run(made.asked.assign(output_tokens=visible), made.drawn))
    told = made.asked.assign(output_tokens=visible, reasoning_tokens=made.asked["output_tokens"] - visible)
    result = run(told, made.drawn)  # more of them than of output tokens: they stand beside these
    assert "tokens may be hidden" not in kinds(result)
    of = made.requests[~thinks]
    every = (made.requests["output_tokens"] + PREFILL * made.requests["input_tokens"]).mean()
    share = (of["output_tokens"] + PREFILL * of["input_tokens"]).mean()
    assert mean(result, "plain") == pytest.approx(made.wh * share / every, rel=0.02)


def test_two_models_of_one_node_by_stated_prices(run):
    costs = {"large": 8.0, "small": 1.0}
    made = service(costs=costs)
    result = run(made.asked, made.drawn, {"price_ratios": costs}, weights=TokenWeights(PREFILL, output=costs))
    weight = (made.requests["output_tokens"] + PREFILL * made.requests["input_tokens"]) * made.requests[
        "model"
    ].map(costs)
    for model in costs:
        assert mean(result, model) == pytest.approx(
            made.wh * weight[made.requests["model"] == model].mean() / weight.mean(), rel=0.02
        )
    assert any("shared by large, small" in note for note in result.notes)


def test_two_models_by_the_model_of_serving(run):
    costs = {"Llama-3.1-70B": 8.0, "Llama-3.1-8B": 1.0}
    made = service(costs=costs, minutes=6)
    result = run(made.asked, made.drawn, weights=None)
    weight = (made.requests["output_tokens"] + PREFILL * made.requests["input_tokens"]) * made.requests[
        "model"
    ].map(costs)
    for model in costs:
        assert mean(result, model) == pytest.approx(
            made.wh * weight[made.requests["model"] == model].mean() / weight.mean(), rel=0.3
        )


def test_prices_that_nothing_says_are_flagged(run):
    made = service(costs={"alpha": 8.0, "beta": 1.0})
    assert "prices unknown" in kinds(run(made.asked, made.drawn, weights=None))


def test_models_on_their_own_accelerators_get_their_own_energy(run):
    large, small = service(seed=1, costs={"large": 1.0}), service(seed=2, costs={"small": 1.0})
    small = replace(small, power=small.power.assign(watts=small.power["watts"] / 5), wh=small.wh / 5)
    cards = small.cards(4)
    drawn = pd.concat([large.cards(4), cards.assign(device=(cards["device"].astype(int) + 4).astype(str))])
    asked = pd.concat([large.asked.assign(device="0,1,2,3"), small.asked.assign(device="4,5,6,7")])
    result = run(asked, drawn)
    assert mean(result, "large") == pytest.approx(large.wh, rel=2e-3)
    assert mean(result, "small") == pytest.approx(small.wh, rel=2e-3)
    walls = large.drawn.assign(watts=large.power["watts"] + small.power["watts"], device="")
    beside = run(asked, pd.concat([drawn, walls]))
    assert mean(beside, "large") == pytest.approx(large.wh, rel=2e-3)
    assert "node without requests" not in kinds(beside)
    alone = run(asked, walls, {"price_ratios": {"large": 1, "small": 1}})
    assert alone.models["queries"].sum() == len(asked)
    with pytest.raises(InputError, match="sets that overlap"):
        run(asked.assign(device=np.where(asked["device"] == "4,5,6,7", "3,4", asked["device"])), drawn)


def test_an_instance_over_two_nodes(run, base):
    part = np.random.default_rng(4).uniform(0.4, 0.6, len(base.power))
    nodes = [
        base.power.assign(watts=base.power["watts"] * p, node=n) for p, n in ((part, "n1"), (1 - part, "n2"))
    ]
    drawn = stamped(pd.concat(nodes).assign(scope="node_wall"))
    told = run(base.asked, drawn, {"instances": {"pair": ["n1", "n2"]}})
    assert mean(told) == pytest.approx(base.wh, rel=2e-3)
    assert mean(run(base.asked.assign(node="n1+n2"), drawn)) == pytest.approx(base.wh, rel=2e-3)
    assert "node without requests" in kinds(run(base.asked, drawn))


# -- time and coverage
# --------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("seconds", "minutes"), [(30, 5), (-60, 5), (120, 60), (900, 60)])
def test_clocks_that_differ_are_found(run, seconds, minutes):
    made = service(minutes=minutes, bursts=True, a_second=3.0 if minutes < 10 else 0.8)
    moved = made.asked.assign(**{c: made.asked[c] + pd.Timedelta(seconds, "s") for c in ("time", "end")})
    result = run(moved, made.drawn)
    text = next(flag.text for flag in result.flags if flag.kind == "clocks differ")
    assert float(text.split("moved by ")[1].split(" s")[0]) == pytest.approx(-seconds, abs=5)
    right = run(moved, made.drawn, shift_us=-seconds * 1_000_000, shift_stated=True)
    assert mean(right) == pytest.approx(mean(run(made.asked, made.drawn)), rel=1e-6)
    assert "clocks differ" not in kinds(right) | kinds(run(made.asked, made.drawn))


def test_requests_before_the_power_log_are_set_aside_by_their_own_length(run):
    of = service(minutes=10)
    late = of.drawn[of.drawn["time"] > of.drawn["time"].min() + pd.Timedelta("20s")]
    asked = of.asked.astype({"input_tokens": "float64", "output_tokens": "float64"})  # as texts are read
    whole, parts = run(of.asked, late), run(asked, late)
    assert not kinds(parts) and whole.set_aside["requests_set_aside"].max() > 0
    pd.testing.assert_frame_equal(parts.set_aside, whole.set_aside)


def test_requests_that_outlive_the_power_log_count_with_their_time_under_power(run):
    short, long = service(minutes=30, a_second=0.5), service(minutes=30, a_second=0.03, seed=3, stream=0.5)
    long = replace(long, requests=long.requests.assign(model="long"))
    watts = short.power["watts"] + long.power["watts"] - IDLE_W
    wh = watts.sum() / 3600
    asked = pd.concat([short.asked, long.asked])
    tokens = asked["output_tokens"] + PREFILL * asked["input_tokens"]
    truth = wh * tokens[asked["model"] == "long"].mean() / tokens.sum()
    result = run(asked, short.drawn.assign(watts=watts))
    beyond = long.requests["end"] > 1800
    assert beyond.any()
    assert mean(result, "long") == pytest.approx(truth, rel=0.15)
    assert result.models.set_index("model").loc["long", "queries"] == len(long.requests)


def test_a_node_that_only_one_log_has_is_flagged(run, base):
    other = service(seed=9, node="n2")
    assert "tokens without power" in kinds(run(pd.concat([base.asked, other.asked]), base.drawn))
    assert "node without requests" in kinds(run(base.asked, pd.concat([base.drawn, other.drawn])))


def test_rows_without_a_node_are_of_the_only_one_or_flagged(run, base):
    asked = base.asked.assign(node=np.where(np.arange(len(base.asked)) % 10, None, "n1"))
    assert mean(run(asked, base.drawn)) == pytest.approx(base.wh, rel=2e-3)
    other = service(seed=9, node="n2")
    found = kinds(run(pd.concat([asked, other.asked]), pd.concat([base.drawn, other.drawn])))
    assert "requests set aside" in found


def test_nodes_are_known_with_and_without_their_domain(run, base):
    result = run(base.asked, base.drawn.assign(node="N1.cluster.local"))
    assert mean(result) == pytest.approx(base.wh, rel=2e-3) and not kinds(result)


def test_requests_without_an_answer_are_flagged_unless_they_failed(run, base):
    failed = base.asked.sample(frac=0.25, random_state=1).assign(output_tokens=0)
    assert "requests without an answer" in kinds(run(pd.concat([base.asked, failed]), base.drawn))


def test_a_request_of_a_gateway_and_of_its_engine_is_flagged(run, base):
    again = base.asked.assign(time=base.asked["time"] + pd.Timedelta(3, "ms"))
    assert "requests look alike" in kinds(run(pd.concat([base.asked, again]), base.drawn))


def test_requests_that_are_missing_while_the_node_is_busy_are_flagged(run):
    made = service(minutes=20, bursts=True, a_second=0.8)
    here = (made.requests["time"] < 400) | (made.requests["time"] > 800)
    assert "power without requests" in kinds(run(made.asked[here], made.drawn))


def test_half_of_the_accelerators_is_flagged_when_their_number_is_known(run, base):
    drawn = base.cards()
    one = drawn[drawn["device"] == "0"]
    assert "meters missing" in kinds(run(base.asked, one, {"gpus": 8}))
