"""Claims about levers, judged on small tables of known gains."""

import pandas as pd
import pytest

from pipeline.core.assumption import LogNormal
from pipeline.levers.claims import (
    MODELLED,
    SAME_ACCELERATORS,
    LeversCombined,
    ModelsAndRouting,
    NextHardware,
    PublishedProduct,
    ServingTogether,
    SingleLevers,
    needed_share,
)
from pipeline.levers.model.contract import TOGETHER
from pipeline.report.claims import Case, Evidence

SCALES = {"naive": 2.0, "overlap": 1.0, "graded": 0.5, "overlap to come": 0.75}
GAINS = {"short": 16.0, "long": 10.0}
NAMES = ("p5", "p50", "p95")


def chains() -> pd.DataFrame:
    """Two steps; the whole gains GAINS with all evidence and half of it on good evidence."""
    return pd.DataFrame(
        [
            {"combination": combination, "regime": regime, "sequence": sequence, "order": order,
             "cumulative_p5": 0.5 * gain * scale, "cumulative_p95": 2 * gain * scale,
             "cumulative_p50": gain * scale if order else 1.0, "cumulative_p25": gain,
             "cumulative_p75": 3 * gain, "worlds_8_to_20": 0.613,
             "step_p50": 2.0, "step_p5": 1.5, "step_p95": 2.5}
            for combination, scale in SCALES.items()
            for regime, gain in GAINS.items()
            for sequence in ("models first", "hardware first")
            for order in (0, 1)
        ]
    )  # fmt: skip


def systems() -> pd.DataFrame:
    whole = [
        {"group": group, "system": system, "regime": regime, "basis": MODELLED}
        | {name: 2.0 + at for at, name in enumerate(NAMES)}
        for group, system in TOGETHER.items()
        for regime in GAINS
    ]
    others = [
        ("serving", "Disaggregated serving", "published throughput and rated power", 5.0),
        ("serving", "Continuous batching", MODELLED, 6.0),
        ("hardware", "B200", "measured energy", 1.5),
        ("hardware", "Maia 200", "fitted model", 3.0),
        ("hardware", "Maia 200", "fitted model", 5.0),
        ("models", "Phi-4", "fitted model", 18.0),
    ]
    rows = [
        {"group": group, "system": system, "regime": regime, "basis": basis}
        | {"p5": 0.5 * gain, "p50": gain, "p95": 2 * gain}
        for group, system, basis, gain in others
        for regime in GAINS
    ]
    return pd.DataFrame(whole + rows)


def profiles() -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"regime": regime, "profile": profile, "p5": 0.5 * gain, "p50": gain, "p95": 2 * gain}
            for regime in GAINS
            for profile, gain in {"quality": 1.4, "balanced": 4.9, "cost": 10.2}.items()
        ]
    )


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
    tables = {
        "published/claims": claims,
        "routing_profiles": profiles(),
        "lever_systems": systems(),
        "lever_combinations": chains(),
        "lever_needed": needed(),
    }
    return Evidence(tables.__getitem__, levers)


def test_all_levers_together_run_from_long_to_short(evidence):
    recipe = LeversCombined(wanted="c")
    _, low, high = recipe.evaluate(evidence).ours
    assert (low, high) == (5, 16)  # long on good evidence, short on all
    assert recipe.interval(evidence) == (2.5, 32)
    assert recipe.details(evidence) == {
        "short": 16, "percent_short": 61, "graded_short": 8, "needed_short": 50, "to_come_short": 12,
        "long": 10, "percent_long": 61, "graded_long": 5, "needed_long": 50, "to_come_long": 7.5,
    }  # fmt: skip


def test_a_gain_that_no_share_reaches_takes_all_queries(evidence):
    assert needed_share(evidence, "short", 8.0) == 0.5
    assert needed_share(evidence, "short", 100.0) == 1.0


def test_the_published_product_is_the_naive_combination(evidence):
    recipe = PublishedProduct()
    assert recipe.compared_with == "assumptions"
    assert recipe.evaluate(evidence).ours == pytest.approx([32, 16, 48])
    assert recipe.details(evidence) == GAINS


def test_groups_alone_stand_beside_the_released_medians(evidence):
    recipe = SingleLevers(levers=["a", "b"], groups=["routing", "serving"])
    assert recipe.evaluate(evidence).ours[1:] == pytest.approx([2, 2])
    assert recipe.details(evidence) == {"modelled_low": 3.0, "modelled_high": 3.0}


def test_models_are_held_against_small_models_and_every_profile_of_a_router(evidence):
    recipe = ModelsAndRouting()
    assert [case.p50 for case in recipe.cases(evidence)] == [3, 3, 1.4, 4.9, 10.2, 1.4, 4.9, 10.2]
    assert recipe.evaluate(evidence).ours[1:] == pytest.approx([1.4, 10.2])
    assert recipe.details(evidence) == {
        "quality": 1.4, "balanced": 4.9, "cost": 10.2, "phi": 18.0, "routed": 3.0,
    }  # fmt: skip


def test_serving_takes_the_group_and_the_best_published_gain(evidence):
    serving = ServingTogether(regime="long")
    assert serving.cases(evidence) == [Case(2.0, 3.0, 4.0), Case(2.5, 5.0, 10.0)]
    assert serving.details(evidence) == {
        "together": 3.0, "most": 4.0, "disaggregated": 5.0, "batching": 6.0,
    }  # fmt: skip


def test_hardware_takes_eight_bits_of_the_chip_that_is_named(evidence):
    hardware = NextHardware()
    assert [case.p50 for case in hardware.cases(evidence)] == [2, 2, 3, 3]
    assert hardware.details(evidence) == {
        "moved": 2.0, "least": 1.5, "most": 2.5, "four_bit": 3.0, "measured": 1.5, "maia": 3.0,
    }  # fmt: skip


def test_an_upper_bound_bears_out_an_up_to_that_it_reaches(evidence):
    """A source's `up to` has no median; it agrees with an `up to` below it and not with one above."""
    apart = evidence.table("lever_systems")["system"] == "Disaggregated serving"
    evidence.table("lever_systems").loc[apart, ["p5", "p50"]] = float("nan")
    evidence.table("lever_systems").loc[apart, "p95"] = 5.0
    bound = ServingTogether(regime="long").cases(evidence)[1]
    assert bound == Case.up_to(5.0)
    assert bound.overlaps(4.5, 5.5) and not bound.overlaps(5.5, 6.5)
