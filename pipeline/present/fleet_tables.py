"""The tables of routing, sites and fleets: which columns they show, under which headings."""

from typing import Any

import pandas as pd

from pipeline.present import axes
from pipeline.present.tables import Table, as_given, decimals, digits

BANDS = "Medians with the 90 % interval of what is not known"


def fleet_tables(
    scenarios: pd.DataFrame,
    overheads: pd.DataFrame,
    profiles: pd.DataFrame,
    needed: pd.DataFrame,
    sites: pd.DataFrame,
    cooling: pd.DataFrame,
) -> list[Table]:
    """All tables; contracts FLEET_SCENARIOS, FLEET_OVERHEADS, ROUTING_PROFILES, ROUTING_NEEDED,
    DATACENTRE_LEVER, COOLING_LEVER.
    """
    return [
        _scenarios(scenarios),
        _overheads(overheads),
        _profiles(profiles),
        _needed(needed),
        _sites(sites),
        _cooling(cooling),
    ]


def percent(share: float) -> str:
    """Format a share in whole per cent."""
    return f"{100 * share:.0f} %"


def _band(row: Any) -> str:
    return axes.interval(row["p50"], row["p5"], row["p95"])


def _scenarios(table: pd.DataFrame) -> Table:
    total = table[table["component"] == "total"]
    rows = []
    for name, part in total.groupby("scenario", sort=False):
        of = {row["quantity"]: row for row in part.to_dict("records")}
        rows.append(
            {
                "scenario": name,
                "title": of["energy"]["title"],
                "energy": _band(of["energy"]),
                "mean": _band(of["mean energy"]),
                "average_mw": of["average power"]["p50"],
                "peak_mw": of["peak power"]["p50"],
                "nodes": of["nodes"]["p50"],
                "water": _band(of["water"]),
                "water_on_site": _band(of["water on site"]),
                "published": of["energy"]["published_value"],
            }
        )
    headings = {
        "title": "Scenario",
        "energy": "GWh a day",
        "mean": "Wh a query",
        "average_mw": "MW",
        "peak_mw": "Peak MW",
        "nodes": "Servers",
        "water": "ML a day",
        "water_on_site": "ML on site",
        "published": "Published GWh",
    }
    formats = {"average_mw": digits(3), "peak_mw": digits(3), "nodes": decimals(0), "published": as_given}
    caption = f"A fleet's day by scenario. {BANDS}; power and servers of eight accelerators: medians."
    return Table("fleet_scenarios", caption, pd.DataFrame(rows), headings, formats)


def _overheads(table: pd.DataFrame) -> Table:
    shown = table.assign(value=[_factor(row) for row in table.to_dict("records")])
    headings = {"analysis": "Analysis", "factor": "Factor", "what": "What it multiplies", "value": "Value"}
    caption = f"What stands between a serving accelerator and the fleet, published and ours. {BANDS}."
    return Table("fleet_overheads", caption, shown, headings)


def _factor(row: Any) -> str:
    if row["p5"] == row["p95"]:
        return as_given(round(row["p50"], 4))
    return f"{row['p50']:.2f} ({row['p5']:.2f}–{row['p95']:.2f})"


def _profiles(table: pd.DataFrame) -> Table:
    shown = table.assign(gain=[_band(row) for row in table.to_dict("records")])
    headings = {
        "regime": "Queries",
        "profile": "Profile",
        "prompts": "Prompts",
        "share_small": "Small",
        "share_middle": "Middle",
        "share_large": "Large",
        "gain": "Times less energy than all to gpt-5",
    }
    formats = dict.fromkeys(("share_small", "share_middle", "share_large"), percent) | {
        "prompts": decimals(0)
    }
    caption = (
        "A commercial router's profiles, sizes of closed models as others assume them. Prompts: the sum of "
        f"the published counts, of which shares are taken; 1,000 are stated for each profile. {BANDS}."
    )
    return Table("routing_profiles", caption, shown, headings, formats)


def _needed(table: pd.DataFrame) -> Table:
    shown = table.assign(share=[_shares(row) for row in table.to_dict("records")])
    headings = {
        "pair": "Models",
        "regime": "Queries",
        "gain": "Times less energy",
        "share": "Share that the small model needs",
        "worlds_reaching": "Worlds in which any share reaches it",
        "worlds_within_published": "Worlds in which that of the best published router does",
    }
    formats = {"gain": as_given, "worlds_reaching": percent, "worlds_within_published": percent}
    caption = f"What a gain by routing needs. {BANDS} over the worlds that reach it."
    return Table("routing_needed", caption, shown, headings, formats)


def _shares(row: Any) -> str:
    low, middle, high = (row[f"share_{name}"] for name in ("p5", "p50", "p95"))
    return "–" if pd.isna(middle) else f"{100 * middle:.0f} % ({100 * low:.0f}–{100 * high:.0f})"


def _sites(table: pd.DataFrame) -> Table:
    shown = table.assign(
        gain=[f"{row['p50']:.2f} ({row['p5']:.2f}–{row['p95']:.2f})" for row in table.to_dict("records")]
    )
    headings = {
        "from_site": "From",
        "to_site": "To",
        "from_pue_p50": "PUE from",
        "to_pue_p50": "PUE to",
        "gain": "Times less energy",
    }
    formats = dict.fromkeys(("from_pue_p50", "to_pue_p50"), decimals(2))
    caption = f"The lever of the datacentre: what another kind of site does, by PUE alone. {BANDS}."
    return Table("datacentre_lever", caption, shown, headings, formats)


def _cooling(table: pd.DataFrame) -> Table:
    rows = table.to_dict("records")
    bands = {
        name: [axes.interval(*(row[f"{name}_{p}"] for p in ("p50", "p5", "p95"))) for row in rows]
        for name in ("onsite_before", "water_before", "water_after")
    }
    more = [f"{100 * (1 / row['energy_p50'] - 1):.1f} %" for row in rows]
    shown = table.assign(**bands, more_energy=more)
    headings = {
        "title": "Sites",
        "pue": "PUE",
        "onsite_before": "On site before",
        "water_before": "In all before",
        "water_after": "In all after",
        "more_energy": "More energy",
        "worlds_saving_water": "Worlds that save water",
    }
    formats = {"pue": decimals(2), "worlds_saving_water": percent}
    caption = (
        f"A closed loop instead of the cooling that sites have: water, L per kWh of the servers. {BANDS}."
    )
    return Table("cooling_lever", caption, shown, headings, formats)
