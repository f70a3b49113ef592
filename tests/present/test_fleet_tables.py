import pandas as pd
import pytest

from pipeline.assumptions import load
from pipeline.contracts import read_table
from pipeline.contracts.fleet import COOLING_LEVER, DATACENTRE_LEVER, FLEET_OVERHEADS, FLEET_SCENARIOS
from pipeline.contracts.routing import ROUTERS, ROUTING_NEEDED, ROUTING_PROFILES
from pipeline.present.fleet_numbers import FleetNumberTables, collect_fleet
from pipeline.present.fleet_tables import fleet_tables

CONTRACTS = {
    "fleet_scenarios": FLEET_SCENARIOS,
    "fleet_overheads": FLEET_OVERHEADS,
    "routing_profiles": ROUTING_PROFILES,
    "routing_needed": ROUTING_NEEDED,
    "datacentre_lever": DATACENTRE_LEVER,
    "cooling_lever": COOLING_LEVER,
}
RESULTS = {name: read_table(f"data/results/{name}.csv", contract) for name, contract in CONTRACTS.items()}
TABLES = {table.name: table.shown() for table in fleet_tables(*RESULTS.values())}


def test_every_row_of_the_results_is_shown() -> None:
    assert set(TABLES) == set(CONTRACTS)
    assert len(TABLES["fleet_scenarios"]) == RESULTS["fleet_scenarios"]["scenario"].nunique()
    for name in set(CONTRACTS) - {"fleet_scenarios"}:
        assert len(TABLES[name]) == len(RESULTS[name])


def test_published_values_stand_as_printed_and_factors_as_released() -> None:
    published = set(TABLES["fleet_scenarios"]["Published GWh"])
    assert published == {"–", "0.7", "1.7", "0.8"}
    assert {"1.1", "1.076", "1.12", "1.3256"} <= set(TABLES["fleet_overheads"]["Value"])


def test_a_gain_out_of_reach_has_no_share() -> None:
    table = RESULTS["routing_needed"].copy()
    table.loc[0, ["share_p5", "share_p50", "share_p95"]] = float("nan")
    shown = fleet_tables(*(RESULTS | {"routing_needed": table}).values())[3].shown()
    assert shown["Share that the small model needs"].iloc[0] == "–"


def test_keys_name_rows_as_people_write_numbers() -> None:
    tables = {
        name: pd.read_csv(f"data/results/{name}.csv") for name in FleetNumberTables.__dataclass_fields__
    }
    routers = read_table("data/published/routers.csv", ROUTERS)
    numbers = collect_fleet(FleetNumberTables(**tables), routers, load("scenario.fleet"))
    gain = RESULTS["routing_needed"].set_index(["pair", "regime", "gain"])["share_p50"]
    found = numbers["routing-needed.open-models.short.5.share_p50"]
    assert found == pytest.approx(gain["open models", "short", 5.0])
    assert numbers["day.published_mixed.energy.total.published_value"] == 1.7
    assert numbers["sweep.combinations"] == 27
    assert numbers["assumed.fleet.agents.calls_per_task.p95"] == 45
    assert numbers["routing-curve.open-models.short.0.p50"] == 1
