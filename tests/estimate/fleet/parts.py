"""A small fleet on the serving stub."""

from typing import Any

from pipeline.assumptions import load
from pipeline.assumptions.deployments import Propagation
from pipeline.assumptions.fleet import Fleet, FleetScenario
from pipeline.estimate.fleet.account import Day, day, unit_costs
from pipeline.estimate.fleet.draws import FleetDraws, Picks, draw_fleet
from tests.estimate.serving_stub import stub
from tests.estimate.study_parts import SERVERS, SETTINGS, SIMULATION, TRAFFIC

FLEET: Fleet = load("scenario.fleet").model_copy(
    update={"propagation": Propagation(replicates=8, outer=64, inner=32, variance_points=128)}
)
DRAWS: FleetDraws = draw_fleet(FLEET, SETTINGS, TRAFFIC, SERVERS, SIMULATION, stub())
PICKS = Picks.as_drawn(DRAWS.worlds)
COSTS = unit_costs(DRAWS, PICKS)


def scenario(**choice: Any) -> FleetScenario:
    """The base scenario with other choices, validated."""
    return FleetScenario.model_validate(FLEET.base.model_dump(by_alias=True) | choice)


def a_day(**choice: Any) -> Day:
    """A day of the base scenario with other choices."""
    return day(scenario(**choice), COSTS, DRAWS, FLEET.sites, PICKS)


def gain_of(value: float) -> dict[str, Any]:
    """A gain that is known."""
    given = FLEET.base.gain.model_dump(by_alias=True)
    return given | {"distribution": {"family": "constant", "value": value}}
