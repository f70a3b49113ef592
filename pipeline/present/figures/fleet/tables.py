"""What the figures of fleets are drawn from."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from pipeline.contracts.fleet import (
    COOLING_LEVER,
    DATACENTRE_LEVER,
    FLEET_COMPARISONS,
    FLEET_SCENARIOS,
    FLEET_SHARES,
    FLEET_SWEEP,
)
from pipeline.contracts.read import read_table
from pipeline.contracts.routing import COMPARISONS, ROUTERS, ROUTING_CURVE, ROUTING_NEEDED, ROUTING_PROFILES

SCENARIOS_CSV = "data/results/fleet_scenarios.csv"
SHARES_CSV = "data/results/fleet_shares.csv"
SWEEP_CSV = "data/results/fleet_sweep.csv"
COMPARISONS_CSV = "data/results/fleet_comparisons.csv"
CURVE_CSV = "data/results/routing_curve.csv"
PROFILES_CSV = "data/results/routing_profiles.csv"
NEEDED_CSV = "data/results/routing_needed.csv"
ROUTERS_CSV = "data/published/routers.csv"
FACTS_CSV = "data/published/comparisons.csv"
SITES_CSV = "data/results/datacentre_lever.csv"
COOLING_CSV = "data/results/cooling_lever.csv"


@dataclass(frozen=True)
class FleetTables:
    """Contracts as imported above."""

    scenarios: pd.DataFrame
    shares: pd.DataFrame
    sweep: pd.DataFrame
    comparisons: pd.DataFrame
    curve: pd.DataFrame
    profiles: pd.DataFrame
    needed: pd.DataFrame
    routers: pd.DataFrame
    sites: pd.DataFrame
    cooling: pd.DataFrame
    facts: pd.DataFrame

    def energy(self) -> pd.DataFrame:
        """Energy of all queries by scenario, published lengths first."""
        return self.quantity("energy").sort_values("lengths", ascending=False, kind="stable")

    @property
    def base(self) -> dict[Any, Any]:
        """The choices of the base scenario."""
        energy = self.quantity("energy")
        return dict(energy[energy["scenario"] == "base"].iloc[0])

    def quantity(self, name: str) -> pd.DataFrame:
        """One quantity of all queries by scenario."""
        chosen = (self.scenarios["quantity"] == name) & (self.scenarios["component"] == "total")
        return self.scenarios[chosen].reset_index(drop=True)


def read_tables() -> FleetTables:
    """All tables from their files; raises InputError."""
    return FleetTables(
        scenarios=read_table(SCENARIOS_CSV, FLEET_SCENARIOS),
        shares=read_table(SHARES_CSV, FLEET_SHARES),
        sweep=read_table(SWEEP_CSV, FLEET_SWEEP),
        comparisons=read_table(COMPARISONS_CSV, FLEET_COMPARISONS),
        curve=read_table(CURVE_CSV, ROUTING_CURVE),
        profiles=read_table(PROFILES_CSV, ROUTING_PROFILES),
        needed=read_table(NEEDED_CSV, ROUTING_NEEDED),
        routers=read_table(ROUTERS_CSV, ROUTERS),
        sites=read_table(SITES_CSV, DATACENTRE_LEVER),
        cooling=read_table(COOLING_CSV, COOLING_LEVER),
        facts=read_table(FACTS_CSV, COMPARISONS),
    )
