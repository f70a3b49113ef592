import numpy as np
import pandas as pd
import pytest

from pipeline.core.columns import ENERGY_PER_QUERY
from pipeline.core.read import read_table, validate
from pipeline.energy.model.bridge import PUBLISHED, STEPS, UNTRIMMED, Recipe, bridge, kind
from pipeline.energy.model.contract import BEYOND, BRIDGE, START, WITHIN
from pipeline.energy.model.estimate import estimate
from pipeline.published.model.energy import ThroughputFit
from pipeline.published.model.settings import AsPublished
from tests.energy.study_parts import case_of, small

STUDY = small()


@pytest.fixture(scope="module")
def energy() -> pd.DataFrame:
    return read_table("data/results/energy_per_query.csv", ENERGY_PER_QUERY)


@pytest.fixture(scope="module")
def table(published: AsPublished, fits: dict[str, ThroughputFit], energy: pd.DataFrame) -> pd.DataFrame:
    return validate(bridge(STUDY, published, fits, energy), BRIDGE, "bridge")


def published_row(energy: pd.DataFrame, variant: str, regime: str) -> pd.Series:
    keys = ["analysis", "variant", "regime", "subject", "boundary"]
    return energy.set_index(keys).loc[("as_published", variant, regime, "blend", "facility")]


@pytest.mark.parametrize("regime", ["short", "long"])
def test_both_ends_are_the_two_analyses(table: pd.DataFrame, energy: pd.DataFrame, regime: str) -> None:
    steps = table[table["regime"] == regime].set_index("name")
    assert list(steps.index) == list(STEPS)
    for name, variant in (("published", PUBLISHED), ("no trimming", UNTRIMMED)):
        row = published_row(energy, variant, regime)
        assert steps.loc[name, "median_wh"] == row["p50_wh"]
        assert steps.loc[name, "mean_wh"] == row["mean_wh"]
    split = estimate(STUDY, 1e9, 0.1)[1].set_index(["variant", "regime", "subject", "boundary"])
    for name, variant in (("pue", "published_lengths"), ("lengths", "production_lengths")):
        row = split.loc[(variant, regime, "blend", "facility")]
        assert steps.loc[name, "median_wh"] == pytest.approx(row["total_p50_wh"], rel=1e-9)
        assert steps.loc[name, "mean_wh"] == pytest.approx(row["total_mean_wh"], rel=1e-9)


def test_the_ratios_multiply_to_the_whole_change(table: pd.DataFrame) -> None:
    for _, steps in table.groupby("regime"):
        for statistic in ("median_wh", "mean_wh"):
            whole = steps[statistic].iloc[-1] / steps[statistic].iloc[0]
            assert np.prod(steps[f"{statistic}_ratio"]) == pytest.approx(whole)


def test_the_error_of_the_fit_widens_without_moving_the_median(table: pd.DataFrame) -> None:
    steps = table[table["regime"] == "short"].set_index("name")
    before, after = steps.loc["no trimming"], steps.loc["error of the throughput fit"]
    assert after["median_wh"] == pytest.approx(
        before["median_wh"], abs=4 * after["mc_error_median_wh"] + 0.02
    )
    assert after["mean_wh"] > before["mean_wh"]


def test_a_step_within_two_errors_of_both_ends_is_none() -> None:
    before = {"median_wh": 1.0, "mc_error_median_wh": 0.03}
    for after, expected in ((1.09, WITHIN), (0.91, WITHIN), (1.11, BEYOND), (0.89, BEYOND)):
        assert kind(before, {"median_wh": after, "mc_error_median_wh": 0.04}, "median_wh") == expected
    assert kind({}, before, "median_wh") == START
    exact = {"median_wh": 1.0, "mc_error_median_wh": 0.0}
    assert kind(exact, exact, "median_wh") == WITHIN


def test_memory_full_of_requests_takes_no_longer_than_the_assumed_concurrency(
    published: AsPublished, fits: dict[str, ThroughputFit]
) -> None:
    """In every world and for every query: more requests share each step, at the same model."""
    recipe = Recipe(STUDY, published, fits, case_of(STUDY, "published", "short"))
    full, assumed = (recipe.serving(saturated=saturated) for saturated in (True, False))
    for member, other in zip(full, assumed, strict=True):
        assert (member <= other * (1 + 1e-9)).all()
    assert np.median(full) < np.median(assumed)
