"""Claims about levers, judged on small tables of known gains."""

import pandas as pd
import pytest

from pipeline.distributions import LogNormal
from pipeline.present.claims.evidence import Evidence
from pipeline.present.claims.levers import (
    MODELLED,
    SAME_ACCELERATORS,
    WHOLE,
    LeversCombined,
    NextHardware,
    PublishedProduct,
    ServingTogether,
    SingleLevers,
    needed_share,
)

GAINS = {"short": 16.0, "long": 10.0}
NAMES = ("p25", "p50", "p75", "p95")


def chains() -> pd.DataFrame:
    """Two steps; the whole gains GAINS with all evidence and half of it on good evidence."""
    return pd.DataFrame(
        [
            {"combination": combination, "regime": regime, "sequence": sequence, "order": order,
             "cumulative_p50": gain * scale if order else 1.0, "worlds_8_to_20": 0.613,
             "step_p50": 2.0, "step_p25": 1.5, "step_p75": 2.5}
            for combination, scale in (("overlap", 1.0), ("graded", 0.5))
            for regime, gain in GAINS.items()
            for sequence in ("models first", "hardware first")
            for order in (0, 1)
        ]
    )  # fmt: skip


def systems() -> pd.DataFrame:
    whole = [
        {"group": group, "system": system, "regime": regime, "basis": MODELLED}
        | {name: 2.0 + at for at, name in enumerate(NAMES)}
        for group, system in WHOLE.items()
        for regime in GAINS
    ]
    others = [
        ("serving", "Disaggregated serving", "published throughput and rated power", 5.0),
        ("serving", "Continuous batching", MODELLED, 6.0),
        ("hardware", "B200", "measured energy", 1.5),
        ("hardware", "Maia 200", "fitted model", 3.0),
    ]
    rows = [
        {"group": group, "system": system, "regime": regime, "basis": basis, "p50": gain}
        for group, system, basis, gain in others
        for regime in GAINS
    ]
    return pd.DataFrame(whole + rows)


def needed() -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"regime": regime, "levers": SAME_ACCELERATORS, "routed_share": share, "gain_p50": 1 + 14 * share}
            for regime in GAINS
            for share in (0.0, 0.5, 1.0)
        ]
    )


@pytest.fixture
def evidence() -> Evidence:
    claims = pd.DataFrame([{"key": "c", "value": None, "low": 8.0, "high": 20.0}])
    levers = {name: LogNormal(family="lognormal", p5=1.0, p95=4.0) for name in ("a", "b")}
    empty = pd.DataFrame()
    return Evidence(
        empty, empty, empty, claims, levers,
        lever_systems=systems(), lever_combinations=chains(), lever_needed=needed(),
    )  # fmt: skip


def test_all_levers_together_run_from_long_to_short(evidence):
    recipe = LeversCombined(wanted="c")
    _, low, high = recipe.evaluate(evidence).ours
    assert (low, high) == (10, 16)
    assert recipe.details(evidence) == {
        "percent_short": 61, "graded_short": 8, "needed_short": 50,
        "percent_long": 61, "graded_long": 5, "needed_long": 50,
    }  # fmt: skip


def test_a_gain_that_no_share_reaches_takes_all_queries(evidence):
    assert needed_share(evidence, "short", 8.0) == 0.5
    assert needed_share(evidence, "short", 100.0) == 1.0


def test_the_published_product_stays_that_of_the_assumptions(evidence):
    recipe = PublishedProduct(levers=["a", "b"])
    assert recipe.compared_with == "assumptions"
    assert recipe.evaluate(evidence).ours[0] == pytest.approx(4.0, rel=1e-3)
    assert recipe.details(evidence) == GAINS


def test_groups_alone_stand_beside_the_released_medians(evidence):
    recipe = SingleLevers(levers=["a", "b"], groups=["routing", "serving"])
    assert recipe.evaluate(evidence).ours[1:] == pytest.approx([2, 2])
    assert recipe.details(evidence) == {"modelled_low": 3.0, "modelled_high": 3.0}


def test_serving_and_hardware_read_their_rows(evidence):
    serving = ServingTogether(regime="long")
    assert serving.evaluate(evidence).ours[[0, 2]] == pytest.approx([3, 5])
    assert serving.details(evidence) == {"disaggregated": 5.0, "batching": 6.0}
    hardware = NextHardware(regime="short")
    assert hardware.evaluate(evidence).ours == pytest.approx([2, 1.5, 2.5])
    assert hardware.details(evidence) == {"four_bit": 3.0, "measured": 1.5, "maia": 3.0}
