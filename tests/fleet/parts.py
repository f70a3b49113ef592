"""A small fleet on the serving stub."""

from typing import Any

from pipeline.core.catalogue import transcription
from pipeline.core.settings import from_params
from pipeline.fleet.model.account import Day, day, unit_costs
from pipeline.fleet.model.draws import FleetDraws, Picks, Places, draw_fleet
from pipeline.fleet.model.settings import Fleet, FleetScenario
from pipeline.serving.model.deployments import Propagation
from pipeline.water.model.sites import SITE_TABLES, site_factors
from tests.energy.serving_stub import stub
from tests.energy.study_parts import SERVERS, SETTINGS, SIMULATION, TRAFFIC

FLEET: Fleet = from_params("fleet").model_copy(
    update={"propagation": Propagation(replicates=8, outer=64, inner=32, variance_points=128)}
)
DRAWS: FleetDraws = draw_fleet(FLEET, SETTINGS, TRAFFIC, SERVERS, SIMULATION, stub())
PICKS = Picks.as_drawn(DRAWS.samples)
COSTS = unit_costs(DRAWS, PICKS)
WATER = from_params("water")
SITES = site_factors({name: transcription(name) for name in SITE_TABLES})
PLACES = Places.draw(FLEET, DRAWS.samples, WATER, SITES)


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
