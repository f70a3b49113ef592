import numpy as np
import pandas as pd
import pytest

from pipeline.core.read import read_table
from pipeline.fleet.model.contract import PROFILES, ROUTERS, ROUTING
from pipeline.fleet.model.routing import (
    PairEnergy,
    between,
    curves,
    deployments,
    gain,
    largest_share,
    needed,
    needed_share,
    profiles,
    published,
    routed_energies,
    routed_energy,
)
from tests.energy.serving_stub import stub
from tests.energy.study_parts import SETTINGS
from tests.fleet.parts import COSTS, DRAWS, FLEET

CHOICES = read_table("data/published/routing.csv", ROUTING)
RNG = np.random.default_rng(3)
LARGE = RNG.uniform(0.5, 2.0, 64)
SMALL = LARGE * RNG.uniform(0.02, 0.3, 64)
ROUTER = LARGE * 0.01


def test_no_share_and_every_share_are_the_models_alone() -> None:
    assert np.array_equal(routed_energy(0.0, LARGE, SMALL, ROUTER), LARGE)
    assert np.array_equal(routed_energy(1.0, LARGE, SMALL, ROUTER), SMALL)
    assert gain(0.0, LARGE, SMALL, ROUTER) == pytest.approx(1.0)


def test_more_to_the_small_model_takes_less_and_never_less_than_nothing() -> None:
    energy = np.array([routed_energy(r, LARGE, SMALL, ROUTER) for r in np.linspace(0.01, 0.99, 25)])
    assert (np.diff(energy, axis=0) < 0).all()
    assert (energy > SMALL).all()


@pytest.mark.parametrize("wanted", [1.5, 2.0, 3.0, 5.0, 10.0])
def test_the_needed_share_gives_the_wanted_gain(wanted: float) -> None:
    share = needed_share(wanted, LARGE, SMALL, ROUTER)
    inside = (share > 0) & (share < 1)
    assert gain(share[inside], LARGE[inside], SMALL[inside], ROUTER[inside]) == pytest.approx(wanted)
    never = np.isnan(share)
    assert (LARGE[never] < wanted * SMALL[never]).all()


def test_a_small_model_that_takes_more_never_reaches_a_gain() -> None:
    assert np.isnan(needed_share(2.0, SMALL, LARGE, ROUTER)).all()


def test_counts_are_those_of_the_source() -> None:
    totals = CHOICES.groupby("profile")["prompts"].sum().to_dict()
    assert totals == {"balanced": 990, "cost": 1000, "quality": 1010}
    assert set(totals) == set(PROFILES)


def test_closed_sizes_are_ranges_and_open_ones_are_not() -> None:
    basis = CHOICES.set_index("model")["size_basis"]
    closed = CHOICES[CHOICES["size_basis"] == "assumed by others"]
    assert (closed["active_low_b"] < closed["active_high_b"]).all()
    assert set(basis[basis == "published"].index) == {"gpt-oss-120b", "DeepSeek-V3.1"}
    for row in CHOICES[CHOICES["active_low_b"].notna()].to_dict("records"):
        sizes = [item.active_params_b for item in deployments(row, FLEET.routing)]
        assert len(sizes) == (1 if row["size_basis"] == "published" else 3)
        assert sizes == sorted(sizes)


def test_between_knots_energy_is_interpolated_in_its_logarithm() -> None:
    knots = [np.full(5, wh) for wh in (1.0, 4.0, 16.0)]
    places = np.array([0.0, 0.25, 0.5, 0.75, 1.0])
    assert between(knots, places) == pytest.approx([1.0, 2.0, 4.0, 8.0, 16.0])


def test_profiles_lie_in_the_order_of_their_names_and_within_the_ends() -> None:
    share = SETTINGS.deployments.tensorrt_share
    found = routed_energies(FLEET.routing, CHOICES, DRAWS, COSTS, stub(), share)
    closed = {regime: one for (pair, regime), one in found.pairs.items() if pair.startswith("closed")}
    table = profiles(CHOICES, found.models, closed, DRAWS.samples.replicates)
    for _, rows in table.groupby("regime"):
        medians = rows.set_index("profile").loc[PROFILES, "p50"]
        assert medians.is_monotonic_increasing
        assert medians["quality"] > 1
    shares = table[["share_small", "share_middle", "share_large", "share_unknown"]].sum(axis=1)
    assert shares.to_numpy() == pytest.approx(1.0)
    assert all((one.router < one.small).all() for one in found.pairs.values())


def test_tables_agree_with_each_other() -> None:
    pairs = {("open models", "short"): PairEnergy(LARGE, SMALL, ROUTER)}
    curve = curves(pairs, 8).set_index("share_small")["p50"]
    wanted = needed(pairs, [2.0, 5.0], read_table("data/published/routers.csv", ROUTERS)).set_index("gain")
    at_needed = np.interp(wanted.loc[2.0, "share_p50"], curve.index, curve)
    assert at_needed == pytest.approx(2.0, rel=0.03)
    assert wanted["share_p50"].is_monotonic_increasing
    assert isinstance(curve, pd.Series) and curve[0.0] == 1.0


def test_routers_stay_in_their_regime() -> None:
    """All were measured on short answers: no row, and no share that would suffice, for long ones."""
    pairs = {("open models", regime): PairEnergy(LARGE, SMALL, ROUTER) for regime in ("short", "long")}
    routers = read_table("data/published/routers.csv", ROUTERS)
    assert set(published(pairs, routers, 8)["regime"]) == set(routers["regime"]) == {"short"}
    shares = needed(pairs, [2.0], routers).set_index("regime")
    assert shares.loc["short", "published_share"] == 0.86
    assert shares.loc["long", ["published_share", "worlds_within_published"]].isna().all()


def test_a_reduction_of_cost_is_no_share_of_calls() -> None:
    routers = read_table("data/published/routers.csv", ROUTERS)
    cost = routers["share_basis"] == "cost reduction"
    assert set(routers.loc[cost, "grade"]) == {"D"}
    assert np.isnan(largest_share(routers[cost], "short"))


def test_published_shares_lie_on_the_curve() -> None:
    pairs = {("open models", "short"): PairEnergy(LARGE, SMALL, ROUTER)}
    routers = read_table("data/published/routers.csv", ROUTERS)
    table = published(pairs, routers, 8).set_index("key")
    assert table["p50"].rank().tolist() == table["share_small"].rank().tolist()
    energy = 100 / curves(pairs, 8).set_index("share_small")["p50"]
    share = table.loc["routellm_mmlu", "share_small"]
    assert 100 / table.loc["routellm_mmlu", "p50"] == pytest.approx(energy[share], rel=1e-9)
