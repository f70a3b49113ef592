"""Levers together: none changes nothing, the order does not matter to the whole, overlaps show."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pipeline.core.catalogue import transcription
from pipeline.ingest.contract import GRADES
from pipeline.levers.model.contract import CLAIMED_TOGETHER, CLAIMS, COMBINATIONS, SEQUENCES
from pipeline.levers.model.rows import JUDGED, OUTSIDE, quantiles
from pipeline.levers.model.settings import LEVERS
from pipeline.levers.model.together import (
    chosen,
    in_sequence,
    naive,
    one_after_another,
    together,
)
from tests.levers.parts import (
    RANGES,
    SETTINGS,
    constant,
    evaluator,
    positive,
    service,
    small,
)

EVERY = [lever.name for lever in together()]
NAMED = {lever.name: lever for lever in LEVERS}


def with_settings(name, **settings):
    """The service with other settings of one lever."""
    part = getattr(SETTINGS, name).model_copy(update=settings)
    changed = SETTINGS.model_copy(update={name: part})
    return replace(service(), evaluator=replace(evaluator(), settings=changed))


def test_claims_beside_gains_are_those_of_their_table():
    claims = transcription("published/claims").set_index("key")[["low", "high"]]
    assert tuple(claims.loc["v2.combined"]) == CLAIMED_TOGETHER
    for key, low, high in CLAIMS.values():
        assert claims.loc[key].to_list() == pytest.approx([low or np.nan, high], nan_ok=True)


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_each_lever_comes_once_in_every_sequence_and_after_what_it_needs(sequence):
    names = [lever.name for lever in in_sequence(sequence)]
    assert sorted(names) == sorted(EVERY)
    for lever in in_sequence(sequence):
        assert not lever.needs or names.index(lever.needs) < names.index(lever.name)


@pytest.mark.parametrize("regime", ["short", "long"])
def test_energy_is_never_negative(regime):
    for name in EVERY:
        assert positive(service(regime).energy_wh(name))
    assert positive(service(regime).energy_wh(*EVERY))


@pytest.mark.parametrize(
    ("name", "setting"), [("routed", "share"), ("cached", "share"), ("adaptive", "utilisation")]
)
def test_a_share_of_zero_changes_nothing(name, setting):
    assumption = getattr(getattr(SETTINGS, name), setting)
    none = with_settings(name, **{setting: constant(assumption, 0.0)})
    assert none.energy_wh(name) == pytest.approx(none.energy_wh())


def test_all_queries_to_the_small_model_cost_what_it_costs():
    every = with_settings("routed", share=constant(SETTINGS.routed.share, 1.0))
    alone = np.mean([evaluator().energy_wh(every.found[item]) for item in every.here[1]], axis=0)
    assert every.energy_wh("routed") == pytest.approx(alone)


def test_naive_product_of_the_published_ranges():
    rows = list(naive(service(), RANGES))
    first, second = rows[3], rows[7]
    assert first["cumulative_p50"] == pytest.approx(second["cumulative_p50"])  # order does not matter
    assert first["lever"] != second["lever"]
    found = [first[f"cumulative_{name}"] for name in ("p50", "p25", "p75")]
    mu = sum(one.distribution.mu for one in RANGES.values())
    sigma = np.hypot.reduce([one.distribution.sigma for one in RANGES.values()])
    assert found == pytest.approx(np.exp(mu + sigma * np.array([0, -0.67449, 0.67449])), rel=1e-4)


def test_published_multipliers_of_one_change_nothing():
    one = {name: constant(assumption, 1.0) for name, assumption in RANGES.items()}
    for row in naive(service(), one):
        assert row["cumulative_p5"] == row["cumulative_p95"] == pytest.approx(1)


@pytest.mark.parametrize("combination", [name for name in COMBINATIONS if name != "naive"])
def test_all_together_gain_the_same_in_both_sequences(combination):
    table = pd.DataFrame(list(one_after_another(combination, service())))
    last = table.groupby("sequence")[["cumulative_p50", "energy_wh_p50", "worlds_8_to_20"]].last()
    assert last.iloc[0].to_numpy() == pytest.approx(last.iloc[1].to_numpy())


def test_steps_multiply_to_the_whole_and_energy_falls_by_it():
    start, applied, product = service().energy_wh(), [], np.ones(len(evaluator().every))
    before = start
    for lever in in_sequence("models first"):
        applied.append(lever.name)
        after = service().energy_wh(*applied)
        product, before = product * before / after, after
    assert product == pytest.approx(start / service().energy_wh(*EVERY))


def test_overlap_gains_less_than_the_levers_alone():
    """A small model gains less from newer accelerators and four bits than the large ones do."""
    alone = service().energy_wh() / service().energy_wh("moved", "four_bit")
    after = service().energy_wh("routed") / service().energy_wh("routed", "moved", "four_bit")
    assert np.median(after) < np.median(alone)


def test_all_of_serving_gains_more_than_any_part():
    parts = [lever.name for lever in together("serving")]
    for regime in ("short", "long"):
        one = service(regime)
        start = one.energy_wh()
        each = np.array([start / one.energy_wh(name) for name in parts])
        assert np.mean(start / one.energy_wh(*parts) >= each.max(axis=0) * 0.99) > 0.9


def test_graded_levers_are_of_good_grade():
    assert "disaggregated" in chosen(service(), "overlap")
    assert "disaggregated" not in chosen(service(), "graded")
    table = small()["combinations"]
    graded = table[table["combination"].str.startswith("graded") & (table["order"] > 0)]
    assert set(graded["grade"]) <= {"A", "B"} < set(GRADES)


def grade(regime, name):
    return service(regime).graded(NAMED[name]).strength.grade


@pytest.mark.parametrize("regime", ["short", "long"])
def test_an_assumption_is_as_good_as_the_weakest_of_what_it_mixes(regime):
    """Routing mixes published routers with one whose sizes are assumed; both ends of a site are assumed."""
    assert grade(regime, "routed") == grade(regime, "best_site") == "D"
    assert grade(regime, "cached") == grade(regime, "capped") == "B"
    groups = {NAMED[name].group for name in chosen(service(regime), "graded")}
    assert not groups & {"routing", "datacentre"}


def only_evidence(regime, name, keys):
    """The service with these rows alone behind one setting."""
    published = evaluator().published
    part = published.named[name].model_copy(update={"evidence": keys})
    changed = replace(published, named={**published.named, name: part})
    return replace(service(regime), evaluator=replace(evaluator(), published=changed))


def test_a_lever_is_not_applied_outside_the_regime_of_its_evidence():
    """A router that was measured on short answers is good evidence there, and none for long ones."""
    for regime, expected, applied in (("short", "B", True), ("long", "D", False)):
        one = only_evidence(regime, "routed", ["routellm_mtbench"])
        strength = one.graded(NAMED["routed"]).strength
        assert strength.grade == expected
        assert ("routed" in chosen(one, "graded")) == applied
        assert "routed" in chosen(one, "overlap")
    assert strength.note == OUTSIDE


def test_a_setting_without_a_row_is_a_judgement():
    strength = only_evidence("short", "capped", []).graded(NAMED["capped"]).strength
    assert (strength.grade, strength.note) == ("D", JUDGED)


def test_what_services_do_already_is_left_out_of_what_is_to_come():
    practised = {lever.name for lever in together() if service().graded(lever).strength.in_practice}
    assert practised == {"cached", "adaptive", "disaggregated"}
    assert set(chosen(service(), "overlap")) - set(chosen(service(), "overlap to come")) == practised
    ends = small()["combinations"].groupby(["regime", "combination"])["cumulative_p50"].max()
    for regime in ("short", "long"):
        assert ends[regime, "overlap to come"] < ends[regime, "overlap"]
        assert ends[regime, "graded to come"] < ends[regime, "graded"]


def test_chips_that_were_not_measured_stay_out_of_the_graded_combination():
    chips = service().graded_chips()
    assert "B200" in chips
    assert "Maia 200" not in chips


def test_a_service_that_stays_with_one_chip_moves_to_it_in_every_sample():
    one = service().on_chips(["B200"])
    items = one.moved["B200", "fp8"][0]
    energy = np.mean([evaluator().energy_wh(one.found[item]) for item in items], axis=0)
    assert one.energy_wh("moved") == pytest.approx(energy)


def test_what_is_needed_starts_at_no_gain_and_rises_with_the_share():
    table = small()["needed"].query("regime == 'short'")
    alone = table[table["levers"] == "nothing else"].set_index("routed_share")
    assert alone.loc[0.0, ["gain_p5", "gain_p95"]].to_numpy(float) == pytest.approx([1, 1])
    cheap = np.mean([evaluator().energy_wh(service().found[item]) for item in service().here[1]], axis=0)
    whole = quantiles(service().energy_wh() / cheap, evaluator().replicates)
    assert alone.loc[1.0, "gain_p50"] == pytest.approx(whole["p50"])
    for _, rows in table.groupby("levers"):
        inner = rows.sort_values("routed_share")["gain_p50"].to_numpy()[1:-1]  # without a router at the ends
        assert np.all(np.diff(inner) > 0)
    everything = table[table["levers"] == "everything"]["gain_p50"].to_numpy()
    assert np.all(everything > alone["gain_p50"].to_numpy())
