import numpy as np
import pytest
from scipy.special import ndtri

from pipeline.core.read import validate
from pipeline.energy.model.contract import TORNADO, VARIANCE_SHARES
from pipeline.energy.model.sensitivity import GROUPS, design, indices, shares, tornado
from tests.energy.serving_stub import stub
from tests.energy.study_parts import SETTINGS, constant, small

STUDY = small()
SHARES = shares(STUDY)
TORNADO_TABLE = tornado(STUDY)


def test_indices_of_an_additive_model_are_its_variance_shares() -> None:
    weights = np.array([3.0, 2.0, 1.0, 0.5, 0.0])
    points = np.clip(design(GROUPS, 2048, seed=3), 1e-9, 1 - 1e-9)
    found = indices(ndtri(points) @ weights, GROUPS, 2048)
    known = weights**2 / (weights @ weights)
    assert found["first_order"].to_numpy() == pytest.approx(known, abs=0.02)
    assert found["total_order"].to_numpy() == pytest.approx(known, abs=0.02)
    assert found["ln_variance"].iloc[0] == pytest.approx(weights @ weights, rel=0.05)


def test_indices_of_a_pure_interaction_are_in_the_total_order_alone() -> None:
    points = np.clip(design(GROUPS, 2048, seed=3), 1e-9, 1 - 1e-9)
    found = indices(ndtri(points[:, 0]) * ndtri(points[:, 1]), GROUPS, 2048)
    assert found["first_order"].to_numpy() == pytest.approx(0, abs=0.06)
    assert found["total_order"].to_numpy()[:2] == pytest.approx(1, abs=0.1)
    assert found["total_order"].to_numpy()[2:] == pytest.approx(0, abs=1e-9)


def test_shares_cover_every_case_and_target() -> None:
    validate(SHARES, VARIANCE_SHARES, "shares")
    assert len(SHARES) == 4 * (6 + 5 + 6)
    totals = SHARES.groupby(["variant", "regime", "subject", "target"])["first_order"].sum()
    assert totals.between(0.8, 1.2).all()


def test_a_source_without_spread_has_no_share() -> None:
    alone = [item.model_copy(update={"fleet_gain": None}) for item in SETTINGS.deployments.models]
    deployments = SETTINGS.deployments.model_copy(update={"models": alone})
    settings = SETTINGS.model_copy(update={"pue": constant(SETTINGS.pue, 1.2), "deployments": deployments})
    found = shares(small(settings, stub(spread=1e-9))).set_index("group")
    assert found.loc[["pue", "throughput"], "total_order"].max() < 1e-4
    stated = SHARES[(SHARES["variant"] == "published_lengths") & (SHARES["target"] == "mean over queries")]
    assert (stated.loc[stated["group"] == "length", "total_order"] == 0).all()


def test_tornado_bars_hold_the_median_and_stand_widest_first() -> None:
    validate(TORNADO_TABLE, TORNADO, "tornado")
    low, high = TORNADO_TABLE["energy_p5_wh"], TORNADO_TABLE["energy_p95_wh"]
    middle = TORNADO_TABLE["energy_at_median_wh"]
    assert ((low <= middle * 1.001) & (middle <= high * 1.001)).all()
    for _, bars in (high / low).groupby([TORNADO_TABLE["variant"], TORNADO_TABLE["regime"]]):
        assert (np.diff(bars) <= 1e-12).all()


def test_the_bar_of_the_pue_is_its_own_spread() -> None:
    bars = TORNADO_TABLE[TORNADO_TABLE["input"] == "pue"]
    factor = np.percentile(STUDY.samples.pue, [5, 95]) / np.median(STUDY.samples.pue)
    for row in bars.to_dict("records"):
        assert row["energy_p5_wh"] / row["energy_at_median_wh"] == pytest.approx(factor[0])
        assert row["energy_p95_wh"] / row["energy_at_median_wh"] == pytest.approx(factor[1])
