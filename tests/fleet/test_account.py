import numpy as np
import pytest
from pydantic import ValidationError

from pipeline.core.errors import InputError
from pipeline.fleet.model.account import KINDS, UnitCost
from pipeline.fleet.model.draws import TIERS, Places
from pipeline.fleet.model.settings import Fleet
from tests.fleet.parts import COSTS, DRAWS, FLEET, PLACES, SITES, WATER, a_day, gain_of, scenario

EVERYTHING = {"long_share": 0.2, "agentic_share": 0.1, "small_share": 0.3, "middle_share": 0.2}


def all_of(found) -> list[np.ndarray]:
    return [*found.energy_gwh.values(), found.average_mw, found.peak_mw, found.servers]


@pytest.mark.parametrize("factor", [0.0, 0.5, 7.0])
def test_the_fleet_is_linear_in_queries(factor: float) -> None:
    once = a_day(**EVERYTHING)
    more = a_day(**EVERYTHING, queries_per_day=factor * FLEET.base.queries_per_day)
    for before, after in zip(all_of(once), all_of(more), strict=True):
        assert after == pytest.approx(factor * before)


def test_nothing_is_ever_negative() -> None:
    for name in FLEET.all:
        found = a_day(**FLEET.all[name].model_dump(by_alias=True))
        assert all((values >= 0).all() for values in all_of(found))
        assert (found.total_gwh > 0).all()


@pytest.mark.parametrize(("share", "kind"), [("long_share", "long"), ("agentic_share", "agentic")])
def test_shares_of_kinds_mix_linearly_between_their_ends(share: str, kind: str) -> None:
    others = {"long_share": 0.0, "agentic_share": 0.0}
    none, quarter, every = (a_day(**others | {share: value}).total_gwh for value in (0.0, 0.25, 1.0))
    assert quarter == pytest.approx(0.75 * none + 0.25 * every)
    assert (a_day(**others | {share: 1.0}).energy_gwh["short"] == 0).all()


def test_all_to_one_tier_is_that_tier() -> None:
    found = a_day(long_share=0, small_share=1)
    cost: UnitCost = COSTS["production", "short", "small"]
    assert found.total_gwh == pytest.approx(cost.energy_wh * DRAWS.samples.pue)


def test_a_task_of_an_agent_takes_all_its_calls() -> None:
    found = a_day(long_share=0, agentic_share=1)
    cost = COSTS["production", "agentic", "large"]
    assert found.total_gwh == pytest.approx(cost.energy_wh * DRAWS.samples.pue * DRAWS.calls_per_task)


def test_power_and_servers_fit_together() -> None:
    found = a_day(**EVERYTHING)
    assert found.average_mw * 24 / 1000 == pytest.approx(found.total_gwh)
    assert (found.peak_mw > found.average_mw).all()
    watts_per_server = found.average_mw * 1e6 / found.servers
    assert watts_per_server.min() > 500
    assert watts_per_server.max() < 15_000


def test_a_site_multiplies_energy_and_power_by_its_pue_and_leaves_servers() -> None:
    best, industry = a_day(site="best"), a_day(site="industry")
    assert (industry.total_gwh > best.total_gwh).all()
    assert industry.servers == pytest.approx(best.servers)
    ratio = industry.total_gwh / best.total_gwh
    assert industry.peak_mw / best.peak_mw == pytest.approx(ratio)


def test_gain_divides_growth_multiplies_and_full_rebound_undoes_the_gain() -> None:
    base = a_day().total_gwh
    assert a_day(gain=gain_of(8)).total_gwh == pytest.approx(base / 8)
    assert a_day(years=3, queries_growth=2).total_gwh == pytest.approx(8 * base)
    assert a_day(gain=gain_of(8), rebound=1).total_gwh == pytest.approx(base)
    assert (a_day(gain=gain_of(8), rebound=1.5).total_gwh > base).all()
    assert a_day(overhead=1.25).total_gwh == pytest.approx(1.25 * base)


def test_the_cache_spares_prefill_and_nothing_else() -> None:
    call = DRAWS.calls["production", "agentic"]
    assert (np.asarray(call.moments.cached_share) > 0).all()
    assert (call.context_tokens > call.moments.input_tokens).all()


def test_every_kind_and_tier_is_priced() -> None:
    assert set(COSTS) == {(lengths, kind, tier) for lengths in ("published", "production") for kind in KINDS
                          for tier in TIERS}  # fmt: skip


@pytest.mark.parametrize(
    "choice",
    [
        {"long_share": 0.7, "agentic_share": 0.5},
        {"small_share": 0.7, "middle_share": 0.5},
        {"queries_per_day": -1},
        {"overhead": 0.9},
        {"lengths": "typical"},
    ],
)
def test_impossible_choices_are_refused(choice: dict) -> None:
    with pytest.raises(ValidationError):
        scenario(**choice)


def test_water_is_that_of_what_the_servers_draw() -> None:
    base, hot = a_day(), a_day(site="as water_site", water_site="hot_dry")
    it_kwh = base.total_gwh * 1e6 / DRAWS.samples.pue
    factors = PLACES.sites["microsoft_today"]
    assert base.water_ml["onsite"] == pytest.approx(it_kwh * factors.wue_l_per_kwh * 1e3)
    grid = base.total_gwh * 1e6 * factors.electricity_l_per_kwh * 1e3
    assert base.water_ml["offsite"] == pytest.approx(grid)
    assert base.water_ml["total"] == pytest.approx(base.water_ml["onsite"] + base.water_ml["offsite"])
    assert hot.total_gwh / base.total_gwh == pytest.approx(PLACES.sites["hot_dry"].pue / DRAWS.samples.pue)
    assert (hot.water_ml["onsite"] > base.water_ml["onsite"]).all()


def test_designs_without_evaporation_take_no_water_on_site() -> None:
    dry = a_day(site="as water_site", water_site="zero_water")
    assert (dry.water_ml["onsite"] == 0).all()
    assert (dry.water_ml["offsite"] > 0).all()


def test_an_unknown_place_is_refused_by_its_name() -> None:
    with pytest.raises(ValueError, match="site 'nowhere' is none of"):
        Fleet.model_validate(
            FLEET.model_dump(by_alias=True) | {"base": scenario(site="nowhere").model_dump(by_alias=True)}
        )
    elsewhere = FLEET.model_copy(update={"base": scenario(water_site="nowhere")})
    with pytest.raises(InputError, match="water_site 'nowhere', expected one of published"):
        Places.draw(elsewhere, DRAWS.samples, WATER, SITES)
