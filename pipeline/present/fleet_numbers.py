"""Every number of routing, sites and fleets that the text may use, by one flat key each.

`day.base.energy.total.p50`, `day-shares.base.length.first_order`,
`day-over.base.as-many-web-searches-2009.p50`, `overhead.as_published.all.p50`, `routing.short.balanced.p50`,
`routing-needed.open-models.short.5.share_p50`, `routing-curve.open-models.short.1.p50`,
`routers.routellm_mtbench.share_small`, `site.industry.best.p50`, `assumed.fleet.agents.calls_per_task.p95`.
"""

from dataclasses import dataclass

import pandas as pd

from pipeline.assumptions.fleet import Fleet
from pipeline.present.numbers import Number, assumed, by_key


@dataclass(frozen=True)
class FleetNumberTables:
    """The tables of data/results, as in pipeline.contracts.fleet and pipeline.contracts.routing."""

    fleet_scenarios: pd.DataFrame
    fleet_sweep: pd.DataFrame
    fleet_shares: pd.DataFrame
    fleet_overheads: pd.DataFrame
    fleet_comparisons: pd.DataFrame
    routing_curve: pd.DataFrame
    routing_profiles: pd.DataFrame
    routing_needed: pd.DataFrame
    routing_published: pd.DataFrame
    datacentre_lever: pd.DataFrame
    cooling_lever: pd.DataFrame


def collect_fleet(tables: FleetNumberTables, routers: pd.DataFrame, settings: Fleet) -> dict[str, Number]:
    """All keys and values; routers: the table of data/published."""
    numbers: dict[str, Number] = {}
    for prefix, table, names in [
        ("day", tables.fleet_scenarios, ["scenario", "quantity", "component"]),
        ("day-shares", tables.fleet_shares, ["scenario", "group"]),
        ("day-over", tables.fleet_comparisons, ["scenario", "compared_with"]),
        ("overhead", tables.fleet_overheads, ["analysis", "factor"]),
        ("routing", tables.routing_profiles, ["regime", "profile"]),
        ("routing-needed", _worded(tables.routing_needed, "gain"), ["pair", "regime", "gain"]),
        ("routing-curve", _worded(tables.routing_curve, "share_small"), ["pair", "regime", "share_small"]),
        ("routers", routers, ["key"]),
        ("routed", tables.routing_published, ["key", "pair", "regime"]),
        ("site", tables.datacentre_lever, ["from_site", "to_site"]),
        ("cooling", tables.cooling_lever, ["site_scenario"]),
    ]:
        numbers |= by_key(prefix, table, names)
    numbers["sweep.combinations"] = int(tables.fleet_sweep["combination"].nunique())
    for name in ("base", "agents", "propagation"):
        numbers |= dict(assumed(f"assumed.fleet.{name}", getattr(settings, name)))
    for name, site in settings.sites.items():
        numbers |= dict(assumed(f"assumed.fleet.sites.{name}", site))
    return numbers


def _worded(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """Numbers that name a row, as text: 5, 0.85."""
    return table.assign(**{column: table[column].map("{:g}".format)})
