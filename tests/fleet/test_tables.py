import math

import numpy as np
import pandas as pd
import pytest

from pipeline.core.read import read_table
from pipeline.core.summaries import band
from pipeline.fleet.model.account import overheads
from pipeline.fleet.model.contract import COMPARISONS
from pipeline.fleet.model.draws import cooling_lever, datacentre_lever
from pipeline.fleet.model.tables import comparisons, headline, scenarios, shares, sweep, unit_cost_table
from pipeline.ingest.contract import CLAIMS
from tests.energy.study_parts import SETTINGS
from tests.fleet.parts import COSTS, DRAWS, FLEET, PLACES, SITES, WATER, a_day

PUBLISHED = read_table("data/published/claims.csv", CLAIMS).set_index("key")["value"]
SCENARIOS = scenarios(FLEET, DRAWS, COSTS, PLACES, PUBLISHED)


def energy_of(table: pd.DataFrame) -> pd.DataFrame:
    return table[(table["quantity"] == "energy") & (table["component"] == "total")]


def test_published_values_stand_beside_the_scenarios_that_have_one() -> None:
    beside = energy_of(SCENARIOS).dropna(subset="published_value").set_index("scenario")["published_value"]
    assert beside.to_dict() == {"published_short": 0.7, "published_mixed": 1.7, "published_improved": 0.8}


def test_the_band_is_ignorance_and_its_monte_carlo_error_is_apart() -> None:
    energy = energy_of(SCENARIOS)
    assert ((energy["p95"] - energy["p5"]) > 5 * energy["mc_error_p50"]).all()
    values = np.exp(np.random.default_rng(1).standard_normal(8 * 4096))
    found = band(values, 8)
    assert [found["p5"], found["p50"], found["p95"]] == pytest.approx(np.exp([-1.645, 0, 1.645]), rel=0.03)


def test_the_sweep_has_every_combination_and_meets_the_base() -> None:
    table = energy_of(sweep(FLEET, DRAWS, COSTS, PLACES))
    assert len(table) == math.prod(len(values) for values in FLEET.sweep.model_dump().values())
    like_base = (table[["long_share", "agentic_share", "small_share"]] == [0.1, 0, 0]).all(axis=1)
    base = energy_of(SCENARIOS).set_index("scenario").loc["base", "p50"]
    assert table.loc[like_base, "p50"].item() == pytest.approx(base)


def test_shares_of_the_band_are_of_what_can_matter() -> None:
    table = shares(FLEET, DRAWS, PLACES, ["base", "published_improved", "agents_tenth"])
    groups = table.groupby("scenario")["group"].agg(set).to_dict()
    assert groups["base"] == {"length", "throughput", "power", "load", "site"}
    assert groups["published_improved"] == {"throughput", "power", "load", "site", "gain"}
    assert {"calls", "context"} <= groups["agents_tenth"]
    total = table.groupby("scenario")["first_order"].sum()
    assert total.between(0.6, 1.4).all()  # few points, so wide
    agents = table.set_index(["scenario", "group"])["first_order"]["agents_tenth"]
    assert set(agents.nlargest(2).index) == {"calls", "context"}


def test_the_published_factor_is_the_product_of_three() -> None:
    table = overheads(DRAWS, [1.1, 1.076, 1.12], "aienergy_simulation").set_index(["analysis", "factor"])
    assert table.loc[("as_published", "all"), "p50"] == pytest.approx(1.1 * 1.076 * 1.12)
    ours = table.loc["re_estimated"]
    assert (ours["p5"] >= 1).all()
    assert ours.loc["all", "p50"] > ours.loc["host", "p50"]


def test_comparisons_follow_the_published_values() -> None:
    facts = read_table("data/published/comparisons.csv", COMPARISONS)
    table = comparisons(FLEET, DRAWS, COSTS, PLACES, facts)
    base = table[table["scenario"] == "base"].set_index("compared_with")
    assert base.loc["as many web searches, 2009", "value_gwh_per_day"] == pytest.approx(0.3)
    assert base.loc["as many minutes of television", "value_gwh_per_day"] == pytest.approx(1.6)
    assert base.loc["a 30 MW datacentre at its load", "value_gwh_per_day"] == pytest.approx(0.576)
    energy = energy_of(SCENARIOS).set_index("scenario").loc["base", "p50"]
    assert base.loc["as many web searches, 2009", "p50"] == pytest.approx(energy / 0.3)


def test_the_mean_is_per_query_that_is_asked_also_after_growth() -> None:
    found = a_day(years=2, queries_growth=3)
    assert found.queries == pytest.approx(9e9)
    total = SCENARIOS[(SCENARIOS["quantity"] == "mean energy") & (SCENARIOS["component"] == "total")]
    means = total.set_index("scenario")["p50"]
    assert means["growth"] == pytest.approx(means["base"] / 8)
    assert headline(SCENARIOS)["mean energy (Wh/query)"]["p50"] == means["base"]


def test_moving_to_a_better_site_helps_and_the_table_says_from_where() -> None:
    table = datacentre_lever(FLEET.sites, SETTINGS.pue, DRAWS.samples.design)
    assert (table["p50"] > 1).all()
    moves = table.set_index(["from_site", "to_site"])["p50"]
    assert moves["industry", "best"] == pytest.approx(
        moves["industry", "hyperscale mean"] * moves["hyperscale mean", "best"], rel=0.02
    )


def test_a_closed_loop_trades_water_on_site_for_energy() -> None:
    table = cooling_lever(WATER, SITES, DRAWS.samples.design)
    assert "zero_water" not in set(table["site_scenario"])
    assert (table["energy_p95"] <= 1).all()
    evaporative = table.set_index("site_scenario")
    assert (
        evaporative.loc["hot_dry", "worlds_saving_water"]
        > evaporative.loc["hydro_grid", "worlds_saving_water"]
    )
    assert (table["water_before_p50"] > table["onsite_before_p50"]).all()


def test_unit_costs_of_a_call_add_up_to_the_fleet() -> None:
    table = unit_cost_table(COSTS, DRAWS.samples.replicates).set_index(["lengths", "kind", "tier"])
    nodes = SCENARIOS[SCENARIOS["quantity"] == "nodes"].set_index("scenario")["p50"]
    servers = table.loc[("production", "short", "large"), "servers_p50"]
    assert servers * FLEET.base.queries_per_day / 1e6 == pytest.approx(nodes["short_only"])
