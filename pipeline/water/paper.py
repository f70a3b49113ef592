"""What the paper shows of water: tables, and the numbers that its text may use, by one flat key each.

`water.production_lengths.short.blend.microsoft_today.onsite.median_p50_ml`,
`carbon.production_lengths.short.blend.microsoft_today.median_p50_g`,
`water-published.v2.short.blend.published.onsite.p75_ml`, `water-site.azure_iowa.closed-loop.p50_total_ml`,
`water-day.re_estimated.production_lengths.mixed.microsoft_today.total.p50_million_l_per_day`,
`water-day-over.water_microsoft.onsite.ratio_p50`, `water-others.google_gemini.value_ml`,
`water-shares.production_lengths.short.microsoft_today.total.energy.share`,
`water-claim.upper-end.as-published-p50.wue_needed_l_per_kwh`, `assumed.water.wue_factor.p5`.
"""

import pandas as pd

from pipeline.core.columns import BLEND
from pipeline.core.read import row_where
from pipeline.report.formats import (
    Number,
    all_assumed,
    as_given,
    band,
    by_keys,
    decimals,
    digits,
    numbers,
    table,
    with_bands,
)
from pipeline.water.model.settings import Water

BANDS = "Medians with the 90 % interval"
SCOPES = ("onsite", "offsite", "total")
CASES = (("published_lengths", "short"), ("production_lengths", "short"), ("production_lengths", "long"))


@table(
    "water_scenarios",
    f"Water of the median query to models above 200 B parameters. {BANDS}; the total is of the same "
    "draws, so its quantiles are not the sums of the others.",
    {
        "title": "Sites",
        "basis": "Basis",
        "queries": "Queries, lengths",
        "onsite": "On site (mL)",
        "offsite": "In the electricity (mL)",
        "total": "Total (mL)",
    },
)
def scenarios(water_split: pd.DataFrame, *, water: Water) -> pd.DataFrame:
    """A row for each scenario of sites and kind of query."""
    of_blend = water_split[water_split["subject"] == BLEND]
    rows = []
    for name, scenario in water.scenarios.items():
        for variant, regime in CASES:
            place = {"site_scenario": name, "variant": variant, "regime": regime}
            waters = {scope: row_where(of_blend, **place, scope=scope) for scope in SCOPES}
            rows.append(
                {
                    "site_scenario": name,
                    "title": scenario.title,
                    "basis": scenario.basis,
                    "queries": f"{regime}, {variant.replace('_lengths', '')}",
                    **{scope: band(row, "median_{}_ml") for scope, row in waters.items()},
                }
            )
    return pd.DataFrame(rows)


@table(
    "water_claim",
    "Where the ends and the median of the published range come out, for published and re-estimated "
    "energies of a short query: Microsoft's site that comes nearest on site, its PUE and WUE, the WUE "
    "that would give the number there, and what the query takes there on site, and with the water of "
    "the electricity of that site's grid.",
    {
        "claim": "Claim",
        "claim_ml": ("mL", decimals(3)),
        "energy": "Energy of the query",
        "energy_wh": ("Wh", digits(2)),
        "name": "Microsoft's nearest site",
        "pue": ("PUE", as_given),
        "wue_l_per_kwh": ("WUE (L/kWh)", as_given),
        "wue_needed_l_per_kwh": ("WUE needed", decimals(2)),
        "onsite_ml": ("On site (mL)", decimals(3)),
        "total_ml": ("With electricity (mL)", digits(2)),
    },
)
def claim(water_claim_assumptions: pd.DataFrame) -> pd.DataFrame:
    """As computed."""
    return water_claim_assumptions


@table(
    "water_published",
    "Water per query by others: from their own inputs again, and beside it the nearest of our models, or "
    f"the blend, with its queries. Ours: {BANDS.lower()}.",
    {
        "subject": "Query",
        "scope": "Which water",
        "value_ml": ("Published (mL)", digits(3)),
        "low_ml": ("From", digits(3)),
        "high_ml": ("To", digits(3)),
        "recomputed_ml": ("From its own inputs (mL)", digits(3)),
        "ours_of": "Ours",
        "ours": "Same water (mL)",
    },
)
def published(prior_water_compared: pd.DataFrame) -> pd.DataFrame:
    """With ours in words where there is a counterpart."""
    known = prior_water_compared["ours_p50_ml"].notna()
    bands = with_bands(prior_water_compared[known], ours="ours_{}_ml")["ours"]
    return prior_water_compared.assign(ours=bands)


@numbers("water")
def of_water(
    water_per_query: pd.DataFrame,
    carbon_per_query: pd.DataFrame,
    water_split: pd.DataFrame,
    water_sites: pd.DataFrame,
    water_fleet: pd.DataFrame,
    water_fleet_compared: pd.DataFrame,
    water_shares: pd.DataFrame,
    water_claim_assumptions: pd.DataFrame,
    prior_water_compared: pd.DataFrame,
    *,
    water: Water,
) -> dict[str, Number]:
    """All keys and values."""
    as_published = water_per_query[water_per_query["analysis"] == "as_published"]
    place = ["variant", "regime", "subject", "site_scenario", "scope"]
    carbon = carbon_per_query[carbon_per_query["analysis"] == "re_estimated"]
    found = by_keys(
        ("water", water_split, place),
        ("water-published", as_published, place),
        ("carbon", carbon.dropna(subset="median_p50_g"), place[:-1]),
        ("water-site", water_sites, ["site", "design"]),
        ("water-day", water_fleet, ["analysis", "variant", "scenario", "site_scenario", "scope"]),
        ("water-day-over", water_fleet_compared, ["compared_with", "scope"]),
        ("water-shares", water_shares, ["variant", "regime", "site_scenario", "scope", "group"]),
        ("water-claim", water_claim_assumptions, ["claim", "energy"]),
        ("water-others", prior_water_compared, ["key"]),
    )
    found |= all_assumed(
        "assumed.water", water, ("wue_factor", "electricity_factor", "closed_loop_pue_penalty")
    )
    return found | {"assumed.water.scenarios": len(water.scenarios)}
