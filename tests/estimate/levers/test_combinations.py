"""Levers together: nothing applied changes nothing, the order does not matter to the whole, overlaps show."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.assumptions import load
from pipeline.contracts import read_table
from pipeline.contracts.levers import CLAIMED_TOGETHER, COMBINATIONS
from pipeline.contracts.published import CLAIMS
from pipeline.errors import InputError
from pipeline.estimate.levers.combinations import ORDERS, chain, chosen, combination_table, naive
from pipeline.estimate.levers.combine import Applied
from pipeline.estimate.levers.evidence import JUDGED, OUTSIDE, PublishedEvidence
from pipeline.estimate.levers.needed import needed_rows, needed_table
from pipeline.estimate.levers.rows import band
from pipeline.estimate.levers.tables import COMBINED_CLAIM
from tests.estimate.levers.parts import (
    LEVERS,
    PUBLISHED,
    ROUTERS,
    bench,
    constant,
    positive,
    results,
    service,
)

ENDS = CLAIMED_TOGETHER
EVERY = ORDERS["models first"]


@pytest.fixture(scope="module")
def published():
    names = ("model", "serving", "hardware")
    found = load(*(f"assumptions.as_published.base.lever_{name}" for name in names))
    return dict(zip(names, found, strict=True))


def test_columns_are_named_after_the_published_claim():
    claim = read_table("data/published/claims.csv", CLAIMS).set_index("key").loc[COMBINED_CLAIM]
    assert (claim["low"], claim["high"]) == CLAIMED_TOGETHER


def test_each_lever_may_come_in_any_order():
    assert all(sorted(order) == sorted(Applied().__dict__) for order in ORDERS.values())


@pytest.mark.parametrize("regime", ["short", "long"])
def test_energy_is_never_negative(regime):
    for name in EVERY:
        assert positive(service(regime).energy_wh(replace(Applied(), **{name: True})))
    assert positive(service(regime).energy_wh(Applied(**dict.fromkeys(EVERY, True))))


def with_settings(**changes):
    settings = bench().settings.model_copy(update=changes)
    return replace(service(), bench=replace(bench(), settings=settings))


@pytest.mark.parametrize(
    ("lever", "field"), [("routed", "routed_share"), ("cached", "cached_share"), ("adaptive", "utilisation")]
)
def test_a_share_of_zero_changes_nothing(lever, field):
    none = with_settings(**{field: constant(getattr(bench().settings, field), 0.0)})
    applied = replace(Applied(), **{lever: True})
    assert none.energy_wh(applied) == pytest.approx(none.energy_wh(Applied()))


def test_all_queries_to_the_small_model_cost_what_it_costs():
    every = with_settings(routed_share=constant(bench().settings.routed_share, 1.0))
    small = np.mean([bench().energy_wh(every.priced[item]) for item in every.small], axis=0)
    assert every.energy_wh(Applied(routed=True)) == pytest.approx(small)


def test_naive_product_of_the_published_ranges(published):
    start = service().energy_wh(Applied())
    rows = list(naive("short", start, published, bench().uniforms, ENDS, bench().replicates))
    first, second = rows[3], rows[7]
    assert first["cumulative_p50"] == pytest.approx(second["cumulative_p50"])  # order does not matter
    assert first["lever"] != second["lever"]
    found = [first[f"cumulative_{name}"] for name in ("p50", "p25", "p75")]
    mu = sum(one.distribution.mu for one in published.values())
    sigma = np.hypot.reduce([one.distribution.sigma for one in published.values()])
    assert found == pytest.approx(np.exp(mu + sigma * np.array([0, -0.67449, 0.67449])), rel=1e-4)
    table = results()["combinations"].query("combination == 'naive' and order == 3")
    assert (table["cumulative_p50"].round(1) == 20.5).all()  # in both regimes and sequences
    assert (table["cumulative_p75"].round(1) == 32.9).all()


def test_published_multipliers_of_one_change_nothing(published):
    one = {name: constant(assumption, 1.0) for name, assumption in published.items()}
    start = service().energy_wh(Applied())
    for row in naive("short", start, one, bench().uniforms, ENDS, bench().replicates):
        assert row["cumulative_p5"] == row["cumulative_p95"] == pytest.approx(1)


@pytest.mark.parametrize("combination", [name for name in COMBINATIONS if name != "naive"])
def test_the_whole_chain_is_the_same_in_both_sequences(combination):
    table = combination_table(list(chain(combination, "short", service(), ENDS)))
    last = table.groupby("sequence")[["cumulative_p50", "energy_wh_p50", "worlds_8_to_20"]].last()
    assert last.iloc[0].to_numpy() == pytest.approx(last.iloc[1].to_numpy())
    assert (table["worlds_at_least_20"] <= table["worlds_at_least_8"]).all()


def test_steps_multiply_to_the_whole_and_energy_falls_by_it():
    start, applied, product = service().energy_wh(Applied()), Applied(), np.ones(len(bench().every))
    before = start
    for name in ORDERS["models first"]:
        applied = replace(applied, **{name: True})
        after = service().energy_wh(applied)
        product, before = product * before / after, after
    assert product == pytest.approx(start / service().energy_wh(Applied(**dict.fromkeys(EVERY, True))))


def test_overlap_gains_less_than_the_levers_alone():
    """A small model gains less from newer accelerators and four bits than the large ones do."""
    alone = service().energy_wh(Applied()) / service().energy_wh(Applied(moved=True, four_bit=True))
    routed = Applied(routed=True)
    after = service().energy_wh(routed) / service().energy_wh(replace(routed, moved=True, four_bit=True))
    assert np.median(after) < np.median(alone)


def test_graded_levers_are_all_of_grade_a_or_b():
    table = results()["combinations"]
    graded = table[table["combination"].str.startswith("graded") & (table["order"] > 0)]
    assert set(graded["grade"]) <= {"A", "B"}
    levers = service().levers()
    assert "disaggregated" in chosen(levers, "overlap")
    assert "disaggregated" not in chosen(levers, "graded")


@pytest.mark.parametrize("regime", ["short", "long"])
def test_a_prior_is_as_good_as_the_weakest_of_what_it_mixes(regime):
    """Routing mixes published routers with one whose sizes are assumed; both ends of a site are assumed."""
    levers = service(regime).levers()
    assert levers["routed"].grade == levers["best_site"].grade == "D"
    assert (levers["cached"].grade, levers["capped"].grade) == ("B", "B")
    table = results()["combinations"]
    graded = table[(table["regime"] == regime) & table["combination"].str.startswith("graded")]
    assert not set(graded["group"]) & {"routing", "datacentre"}


def only_evidence(regime, setting, keys):
    """The service with these rows alone behind one setting."""
    named = PUBLISHED.named.model_copy(update={setting: keys})
    published = replace(PUBLISHED, named=named)
    return replace(service(regime), bench=replace(bench(), published=published))


def test_a_lever_is_not_applied_outside_the_regime_of_its_evidence():
    """A router that was measured on short answers is good evidence there, and none for long ones."""
    for regime, grade, applied in (("short", "B", True), ("long", "D", False)):
        levers = only_evidence(regime, "routed_share", ["routellm_mtbench"]).levers()
        assert levers["routed"].grade == grade
        assert ("routed" in chosen(levers, "graded")) == applied
        assert "routed" in chosen(levers, "overlap")
    assert levers["routed"].note == OUTSIDE


def test_a_setting_without_a_row_is_a_judgement():
    lever = only_evidence("short", "cap", []).levers()["capped"]
    assert (lever.grade, lever.note) == ("D", JUDGED)


def test_what_services_do_already_is_left_out_of_what_is_to_come():
    levers = service().levers()
    practised = {name for name, lever in levers.items() if lever.in_practice}
    assert practised == {"cached", "adaptive", "disaggregated"}
    assert set(chosen(levers, "overlap")) - set(chosen(levers, "overlap to come")) == practised
    table = results()["combinations"]
    to_come = table[table["combination"].str.endswith("to come")]
    assert (to_come["in_practice"] == "no").all()
    ends = table.groupby(["regime", "combination"])["cumulative_p50"].max()
    for regime in ("short", "long"):
        assert ends[regime, "overlap to come"] < ends[regime, "overlap"]
        assert ends[regime, "graded to come"] < ends[regime, "graded"]


def test_evidence_that_does_not_exist_is_refused():
    named = PUBLISHED.named.model_copy(update={"cap": ["samsi_cap", "nowhere"]})
    with pytest.raises(InputError, match=r"evidence\.cap: 'nowhere' is no row of"):
        PublishedEvidence.of(named, LEVERS, ROUTERS)


def test_chips_that_were_not_measured_stay_out_of_the_graded_chain():
    chips = service().graded_chips()
    assert "B200" in chips
    assert "Maia 200" not in chips


def test_a_service_that_stays_with_one_chip_moves_to_it_in_every_world():
    one = service().on(["B200"])
    items = one.moved["B200", "fp8"][0]
    energy = np.mean([bench().energy_wh(one.priced[item]) for item in items], axis=0)
    assert one.energy_wh(Applied(moved=True)) == pytest.approx(energy)


def test_what_is_needed_starts_at_no_gain_and_rises_with_the_share():
    table = needed_table(list(needed_rows("short", service(), ENDS)))
    alone = table[table["levers"] == "nothing else"].set_index("routed_share")
    assert alone.loc[0.0, ["gain_p5", "gain_p95"]].to_numpy(float) == pytest.approx([1, 1])
    small = np.mean([bench().energy_wh(service().priced[item]) for item in service().small], axis=0)
    whole = band(service().energy_wh(Applied()) / small, bench().replicates)
    assert alone.loc[1.0, "gain_p50"] == pytest.approx(whole["p50"])
    for _, rows in table.groupby("levers"):
        inner = rows.sort_values("routed_share")["gain_p50"].to_numpy()[1:-1]  # without a router at the ends
        assert np.all(np.diff(inner) > 0)
    everything = table[table["levers"] == "everything"]["gain_p50"].to_numpy()
    assert np.all(everything > alone["gain_p50"].to_numpy())
