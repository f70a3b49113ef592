"""Figures of fleets and routing."""

from pipeline.present.figures.fleet import routing, scenarios, shares, sites, sweep
from pipeline.present.figures.fleet.tables import (
    COMPARISONS_CSV,
    COOLING_CSV,
    CURVE_CSV,
    FACTS_CSV,
    NEEDED_CSV,
    PROFILES_CSV,
    ROUTERS_CSV,
    SCENARIOS_CSV,
    SHARES_CSV,
    SITES_CSV,
    SWEEP_CSV,
)
from pipeline.present.figures.registry import Entry

FIGURES = [
    Entry(
        "fig-f1-fleet-scenarios",
        "Energy of a fleet's day by scenario",
        "double",
        scenarios.fig_fleet_scenarios,
        [SCENARIOS_CSV, COMPARISONS_CSV, FACTS_CSV],
    ),
    Entry(
        "fig-f2-fleet-shares",
        "What share of a fleet's band each assumption owns",
        "double",
        shares.fig_fleet_shares,
        [SHARES_CSV, SCENARIOS_CSV],
    ),
    Entry(
        "fig-f3-routing",
        "Energy over the share of queries that a small model takes",
        "double",
        routing.fig_routing,
        [CURVE_CSV, PROFILES_CSV, NEEDED_CSV, ROUTERS_CSV],
    ),
    Entry(
        "fig-f4-fleet-sweep",
        "A fleet's day over 27 combinations of three choices",
        "double",
        sweep.fig_fleet_sweep,
        [SWEEP_CSV, SCENARIOS_CSV],
    ),
    Entry(
        "fig-f5-sites",
        "The lever of the datacentre: PUE, and cooling with its water",
        "double",
        sites.fig_sites,
        [SITES_CSV, COOLING_CSV],
    ),
]
