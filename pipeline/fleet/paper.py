"""What the paper shows of routing, sites and fleets: tables, and numbers of its text, by one flat key each.

`day.base.energy.total.p50`, `day-shares.base.length.first_order`,
`day-over.base.as-many-web-searches-2009.p50`, `overhead.as_published.all.p50`, `routing.short.balanced.p50`,
`routing-needed.open-models.short.5.share_p50`, `routing-curve.open-models.short.1.p50`,
`routers.routellm_mtbench.share_small`, `site.industry.best.p50`, `assumed.fleet.sites.best.p95`.
"""

from typing import Any

import pandas as pd

from pipeline.fleet.model.settings import Fleet
from pipeline.report.formats import (
    Number,
    all_assumed,
    as_given,
    assumed,
    band,
    by_keys,
    decimals,
    digits,
    numbers,
    percent,
    records,
    table,
    with_bands,
    worded,
)

BANDS = "Medians with the 90 % interval"


def two_decimals(row: Any, name: str = "{}") -> str:
    """`1.32 (1.05–1.60)` of p50, p5 and p95, for factors near one."""
    middle, low, high = (row[name.format(percentile)] for percentile in ("p50", "p5", "p95"))
    return f"{middle:.2f} ({low:.2f}–{high:.2f})"


@table(
    "fleet_scenarios",
    f"A fleet's day by scenario. {BANDS}; power and servers of eight accelerators: medians.",
    {
        "title": "Scenario",
        "energy": "GWh a day",
        "mean": "Wh a query",
        "average_mw": ("MW", digits(2)),
        "peak_mw": ("Peak MW", digits(2)),
        "nodes": ("Servers", digits(2)),
        "water": "ML a day",
        "water_on_site": "ML on site",
        "published": ("Published GWh", as_given),
    },
)
def scenarios(fleet_scenarios: pd.DataFrame) -> pd.DataFrame:
    """A row a scenario."""
    total = fleet_scenarios[fleet_scenarios["component"] == "total"]
    rows = []
    for name, part in total.groupby("scenario", sort=False):
        of = {row["quantity"]: row for row in records(part)}
        rows.append(
            {
                "scenario": name,
                "title": of["energy"]["title"],
                "energy": band(of["energy"]),
                "mean": band(of["mean energy"]),
                "average_mw": of["average power"]["p50"],
                "peak_mw": of["peak power"]["p50"],
                "nodes": of["nodes"]["p50"],
                "water": band(of["water"]),
                "water_on_site": band(of["water on site"]),
                "published": of["energy"]["published_value"],
            }
        )
    return pd.DataFrame(rows)


@table(
    "fleet_overheads",
    f"What stands between a serving accelerator and the fleet, published and ours. {BANDS}.",
    {"analysis": "Analysis", "factor": "Factor", "what": "What it multiplies", "value": "Value"},
)
def overheads(fleet_overheads: pd.DataFrame) -> pd.DataFrame:
    """With the value in words; a constant as it was released."""
    return with_bands(fleet_overheads, _factor, value="{}")


def _factor(row: Any, name: str) -> str:
    return as_given(round(row["p50"], 4)) if row["p5"] == row["p95"] else two_decimals(row, name)


@table(
    "routing_profiles",
    "A commercial router's profiles, sizes of closed models as others assume them. Prompts: the sum of "
    f"the published counts, of which shares are taken; 1,000 are stated for each profile. {BANDS}.",
    {
        "regime": "Queries",
        "profile": "Profile",
        "prompts": ("Prompts", decimals(0)),
        "share_small": ("Small", percent),
        "share_middle": ("Middle", percent),
        "share_large": ("Large", percent),
        "gain": "Times less energy than all to gpt-5",
    },
)
def profiles(routing_profiles: pd.DataFrame) -> pd.DataFrame:
    """With the gain in words."""
    return with_bands(routing_profiles, gain="{}")


@table(
    "routing_needed",
    f"What a gain by routing needs. {BANDS} over the samples that reach it.",
    {
        "pair": "Models",
        "regime": "Queries",
        "gain": ("Times less energy", as_given),
        "share": "Share that the small model needs",
        "worlds_reaching": ("Worlds in which any share reaches it", percent),
        "worlds_within_published": ("Worlds in which that of the best published router does", percent),
    },
)
def needed(routing_needed: pd.DataFrame) -> pd.DataFrame:
    """With the share in words, where any reaches the gain."""
    return with_bands(routing_needed, _share, share="share_{}")


def _share(row: Any, name: str) -> str:
    low, middle, high = (row[name.format(percentile)] for percentile in ("p5", "p50", "p95"))
    return "–" if pd.isna(middle) else f"{100 * middle:.0f} % ({100 * low:.0f}–{100 * high:.0f})"


@table(
    "datacentre_lever",
    f"The lever of the data centre: what another kind of site does, by PUE alone. {BANDS}.",
    {
        "from_site": "From",
        "to_site": "To",
        "from_pue_p50": ("PUE from", decimals(2)),
        "to_pue_p50": ("PUE to", decimals(2)),
        "gain": "Times less energy",
    },
)
def sites(datacentre_lever: pd.DataFrame) -> pd.DataFrame:
    """With the gain in words."""
    return with_bands(datacentre_lever, two_decimals, gain="{}")


@table(
    "cooling_lever",
    f"A closed loop instead of the cooling that sites have: water, L per kWh of the servers. {BANDS}.",
    {
        "title": "Sites",
        "pue": ("PUE", decimals(2)),
        "onsite_before": "On site before",
        "water_before": "In all before",
        "water_after": "In all after",
        "more_energy": "More energy",
        "worlds_saving_water": ("Worlds that save water", percent),
    },
)
def cooling(cooling_lever: pd.DataFrame) -> pd.DataFrame:
    """With waters and the further energy in words."""
    more = [f"{100 * (1 / value - 1):.1f} %" for value in cooling_lever["energy_p50"]]
    return with_bands(
        cooling_lever,
        onsite_before="onsite_before_{}",
        water_before="water_before_{}",
        water_after="water_after_{}",
    ).assign(more_energy=more)


@numbers("fleet")
def of_fleet(
    fleet_scenarios: pd.DataFrame,
    fleet_sweep: pd.DataFrame,
    fleet_shares: pd.DataFrame,
    fleet_overheads: pd.DataFrame,
    fleet_comparisons: pd.DataFrame,
    routing_curve: pd.DataFrame,
    routing_profiles: pd.DataFrame,
    routing_needed: pd.DataFrame,
    routing_published: pd.DataFrame,
    datacentre_lever: pd.DataFrame,
    cooling_lever: pd.DataFrame,
    routers: pd.DataFrame,
    *,
    fleet: Fleet,
) -> dict[str, Number]:
    """All keys and values."""
    found = by_keys(
        ("day", fleet_scenarios, ["scenario", "quantity", "component"]),
        ("day-shares", fleet_shares, ["scenario", "group"]),
        ("day-over", fleet_comparisons, ["scenario", "compared_with"]),
        ("overhead", fleet_overheads, ["analysis", "factor"]),
        ("routing", routing_profiles, ["regime", "profile"]),
        ("routing-needed", worded(routing_needed, "gain"), ["pair", "regime", "gain"]),
        ("routing-curve", worded(routing_curve, "share_small"), ["pair", "regime", "share_small"]),
        ("routers", routers, ["key"]),
        ("routed", routing_published, ["key", "pair", "regime"]),
        ("site", datacentre_lever, ["from_site", "to_site"]),
        ("cooling", cooling_lever, ["site_scenario"]),
    )
    found["sweep.combinations"] = int(fleet_sweep["combination"].nunique())
    found |= all_assumed("assumed.fleet", fleet, ("base", "propagation"))
    for name, site in fleet.sites.items():
        found |= dict(assumed(f"assumed.fleet.sites.{name}", site))
    return found
