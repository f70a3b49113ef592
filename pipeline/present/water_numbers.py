"""Every number of water that the text may use, by one flat key each.

`water.production_lengths.short.blend.microsoft_today.onsite.median_p50_ml`,
`water-published.v2.short.blend.published.onsite.p75_ml`, `water-site.azure_iowa.closed-loop.p50_total_ml`,
`water-day.re_estimated.production_lengths.mixed.microsoft_today.total.p50_million_l_per_day`,
`water-day-over.water_microsoft.onsite.ratio_p50`, `water-others.google_gemini.value_ml`,
`water-shares.production_lengths.short.microsoft_today.total.energy.share`,
`water-claim.upper-end.as-published-p50.wue_needed_l_per_kwh`, `assumed.water.wue_factor.p5`.
"""

from dataclasses import dataclass

import pandas as pd

from pipeline.assumptions.water import Water
from pipeline.present.numbers import Number, assumed, by_key


@dataclass(frozen=True)
class WaterNumberTables:
    """The tables of data/results, as in pipeline.contracts.water_results."""

    water_per_query: pd.DataFrame
    water_split: pd.DataFrame
    water_sites: pd.DataFrame
    water_fleet: pd.DataFrame
    water_fleet_compared: pd.DataFrame
    water_shares: pd.DataFrame
    water_claim_assumptions: pd.DataFrame
    prior_water_compared: pd.DataFrame


def collect_water(tables: WaterNumberTables, settings: Water) -> dict[str, Number]:
    """All keys and values."""
    numbers: dict[str, Number] = {}
    published = tables.water_per_query[tables.water_per_query["analysis"] == "as_published"]
    place = ["variant", "regime", "subject", "site_scenario", "scope"]
    for prefix, table, names in [
        ("water", tables.water_split, place),
        ("water-published", published, place),
        ("water-site", tables.water_sites, ["site", "design"]),
        ("water-day", tables.water_fleet, ["analysis", "variant", "scenario", "site_scenario", "scope"]),
        ("water-day-over", tables.water_fleet_compared, ["compared_with", "scope"]),
        ("water-shares", tables.water_shares, ["variant", "regime", "site_scenario", "scope", "group"]),
        ("water-claim", tables.water_claim_assumptions, ["claim", "energy"]),
        ("water-others", tables.prior_water_compared, ["key"]),
    ]:
        numbers |= by_key(prefix, table, names)
    for name in ("wue_factor", "electricity_factor", "closed_loop_pue_penalty"):
        numbers |= dict(assumed(f"assumed.water.{name}", getattr(settings, name)))
    numbers["assumed.water.scenarios"] = len(settings.scenarios)
    return numbers
