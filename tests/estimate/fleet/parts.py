"""A small fleet on the serving stub."""

from typing import Any

from pipeline.assumptions import load
from pipeline.assumptions.deployments import Propagation
from pipeline.assumptions.fleet import Fleet, FleetScenario
from pipeline.contracts import read_table
from pipeline.contracts.published import TABLES
from pipeline.contracts.water import WATER_TABLES
from pipeline.estimate.fleet.account import Day, day, unit_costs
from pipeline.estimate.fleet.draws import FleetDraws, Picks, draw_fleet
from pipeline.estimate.fleet.places import Places
from pipeline.estimate.water.sites import site_factors
from tests.estimate.serving_stub import stub
from tests.estimate.study_parts import SERVERS, SETTINGS, SIMULATION, TRAFFIC

FLEET: Fleet = load("scenario.fleet").model_copy(
    update={"propagation": Propagation(replicates=8, outer=64, inner=32, variance_points=128)}
)
DRAWS: FleetDraws = draw_fleet(FLEET, SETTINGS, TRAFFIC, SERVERS, SIMULATION, stub())
PICKS = Picks.as_drawn(DRAWS.worlds)
COSTS = unit_costs(DRAWS, PICKS)
WATER = load("assumptions.water")
SITES = site_factors(
    {
        name: read_table(f"data/published/{name}.csv", {**TABLES, **WATER_TABLES}[name])
        for name in ("sites", "pue", "wue", "electricity_water")
    }
)
PLACES = Places.draw(FLEET, DRAWS, WATER, SITES)


def scenario(**choice: Any) -> FleetScenario:
    """The base scenario with other choices, validated."""
    return FleetScenario.model_validate(FLEET.base.model_dump(by_alias=True) | choice)


def a_day(**choice: Any) -> Day:
    """A day of the base scenario with other choices."""
    return day(scenario(**choice), COSTS, DRAWS, PLACES, PICKS)


def gain_of(value: float) -> dict[str, Any]:
    """A gain that is known."""
    given = FLEET.base.gain.model_dump(by_alias=True)
    return given | {"distribution": {"family": "constant", "value": value}}
