import numpy as np
import pandas as pd
import pytest

from pipeline.core.draws import Design
from pipeline.core.settings import read
from pipeline.energy.model.estimate import subjects
from pipeline.water.model.queries import mean_it_wh, median_it_wh, re_estimated_it_wh
from pipeline.water.model.sites import Factors, Sites, site_uniforms
from pipeline.water.model.tables import by_site, first_order, of_a_day
from tests.energy.study_parts import case_of, small
from tests.water.test_draws import FACTORS, scenario

SETTINGS = read()["water"].model_copy(
    update={"scenarios": {"both": scenario(), "dry": scenario(sites=["dry"]), "wet": scenario(sites=["wet"])}}
)
SITES = Sites.of(SETTINGS, FACTORS)
STUDY = small()
CASE = case_of(STUDY, "production", "short")
DESIGN = Design(seed=2, replicates=4, outer=16, inner=1)
UNIFORMS = site_uniforms(DESIGN)


def test_what_servers_draw_is_the_energy_at_the_facility_over_the_pue_of_the_same_draw() -> None:
    queries = CASE.queries.input_tokens.shape[1]
    it_wh = dict(re_estimated_it_wh(STUDY, CASE, queries))
    for subject, boundary, facility_wh in subjects(STUDY, CASE):
        if boundary == "facility":
            again = it_wh[subject] * STUDY.samples.pue[:, None]
            np.testing.assert_allclose(again, facility_wh.reshape(again.shape))


def test_the_mean_of_a_world_is_that_of_its_queries() -> None:
    blend = dict(re_estimated_it_wh(STUDY, CASE, CASE.queries.input_tokens.shape[1]))["blend"]
    assert mean_it_wh(STUDY, CASE).mean() == pytest.approx(blend.mean(), rel=0.05)
    assert median_it_wh(STUDY).shape == (len(STUDY.samples),)


def test_a_fleet_is_linear_in_its_queries_and_mixed_lies_between_short_and_long() -> None:
    means = {("re_estimated", "production_lengths"): {"short": np.ones(8), "long": np.full(8, 5.0)}}
    factors = Factors.draw(SETTINGS, np.full((2, 8), 0.5))
    one = of_a_day(SITES, means, factors, 1e9, 0.1)
    two = of_a_day(SITES, means, factors, 2e9, 0.1)
    litres = "p50_million_l_per_day"
    np.testing.assert_allclose(two[litres], 2 * one[litres])
    by = one.pivot_table(litres, ["site_scenario", "scope"], "scenario")
    np.testing.assert_allclose(by["mixed"], 0.9 * by["short"] + 0.1 * by["long"])
    # 10^9 queries of 1 Wh at 10 L/kWh and PUE 1.5 are 15 million litres, times the median factor.
    factor = SETTINGS.electricity_factor.distribution.median()
    assert by.loc[("dry", "offsite"), "short"] == pytest.approx(15 * factor, rel=1e-6)
    assert by.loc[("dry", "onsite"), "short"] == 0


def test_shares_of_the_variance_agree_with_a_simulation() -> None:
    rng = np.random.default_rng(7)
    n = 400_000
    e, a, b = rng.lognormal(0, 0.5, n), rng.lognormal(0, 0.3, n), rng.lognormal(0, 0.2, n)
    weight, wue, grid = np.array([0.5, 0.3, 0.2]), np.array([0.0, 1.0, 2.0]), np.array([4.0, 2.0, 1.0])
    site = rng.choice(3, n, p=weight)
    y = e * (wue[site] * a + grid[site] * b)
    parts = {part["group"]: part for part in first_order(e, weight, (wue, a), (grid, b))}
    assert parts["energy"]["sd_ml"] == pytest.approx(y.std(), rel=0.02)
    given_site = np.array([y[site == s].mean() for s in range(3)])
    among = weight @ (given_site - y.mean()) ** 2 / y.var()
    assert parts["site"]["share"] == pytest.approx(among, abs=0.01)
    bins = np.digitize(e, np.quantile(e, np.linspace(0, 1, 201)[1:-1]))
    given_e = pd.Series(y).groupby(bins).transform("mean")
    assert parts["energy"]["share"] == pytest.approx(given_e.var() / y.var(), abs=0.02)
    assert sum(part["share"] for part in parts.values()) == pytest.approx(1)


def test_no_water_has_no_variance_to_share() -> None:
    nothing = np.zeros(2)
    assert first_order(np.ones(4), np.full(2, 0.5), (nothing, np.ones(4)), (nothing, np.ones(4))) == []


def test_a_closed_loop_takes_none_on_site_and_pays_with_electricity() -> None:
    it_wh = np.ones(64)
    found = by_site(FACTORS, SETTINGS, it_wh, DESIGN)
    rows = found.set_index(["site", "design"])
    assert ("dry", "closed loop") not in rows.index  # nothing to save
    built, closed = rows.loc[("wet", "as built")], rows.loc[("wet", "closed loop")]
    assert closed["p95_onsite_ml"] == 0 < built["p50_onsite_ml"]
    assert closed["p50_offsite_ml"] > built["p50_offsite_ml"]
    assert closed["p50_wh"] > built["p50_wh"]
    assert closed["saves_water_share"] == 1  # 2.2 L/kWh saved, at most 0.1 * 1 * factor paid


def test_where_the_grid_is_thirsty_a_closed_loop_can_cost_water() -> None:
    thirsty = FACTORS.assign(wue_l_per_kwh=[0.05, 0.05], electricity_l_per_kwh=[20.0, 20.0])
    found = by_site(thirsty, SETTINGS, np.ones(64), DESIGN)
    assert found["saves_water_share"].dropna().between(0, 0.2).all()


def test_the_same_uniform_gives_the_same_factor_in_every_scenario() -> None:
    drawn = {where["site_scenario"]: at for where, at in SITES.draws(UNIFORMS)}
    wue = Factors.draw(SETTINGS, UNIFORMS[1:]).wue
    np.testing.assert_allclose(drawn["wet"].wue_l_per_kwh, 2.2 * wue)
    assert (drawn["dry"].wue_l_per_kwh == 0).all()
