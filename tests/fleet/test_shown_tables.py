import pytest

from pipeline.fleet import paper
from pipeline.report.declared import read
from tests.report.shown import numbers, tables

SWEPT = ["long_share", "agentic_share", "small_share"]
TABLES = tables(paper)


def test_every_row_of_the_results_is_shown() -> None:
    assert len(TABLES["fleet_scenarios"]) == read("fleet_scenarios")["scenario"].nunique()
    for name in set(TABLES) - {"fleet_scenarios"}:
        assert len(TABLES[name]) == len(read(name))


def test_published_values_stand_as_printed_and_factors_as_released() -> None:
    published = set(TABLES["fleet_scenarios"]["Published GWh"])
    assert published == {"–", "0.7", "1.7", "0.8"}
    assert {"1.1", "1.076", "1.12", "1.3256"} <= set(TABLES["fleet_overheads"]["Value"])


def test_a_gain_out_of_reach_has_no_share() -> None:
    table = read("routing_needed").copy()
    table.loc[0, ["share_p5", "share_p50", "share_p95"]] = float("nan")
    shown = tables(paper, routing_needed=table)["routing_needed"]
    assert shown["Share that the small model needs"].iloc[0] == "–"


def test_keys_name_rows_as_people_write_numbers() -> None:
    found_numbers = numbers(paper)
    gain = read("routing_needed").set_index(["pair", "regime", "gain"])["share_p50"]
    found = found_numbers["routing-needed.open-models.short.5.share_p50"]
    assert found == pytest.approx(gain["open models", "short", 5.0])
    assert found_numbers["day.published_mixed.energy.total.published_value"] == 1.7
    assert found_numbers["sweep.combinations"] == read("fleet_sweep").groupby(SWEPT).ngroups
    assert found_numbers["assumed.fleet.sites.best.p95"] > 1
    assert found_numbers["routing-curve.open-models.short.0.p50"] == 1
