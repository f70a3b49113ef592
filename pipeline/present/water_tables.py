"""The tables of water: which columns they show, under which headings."""

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd

from pipeline.assumptions.water import Water
from pipeline.present import axes
from pipeline.present.tables import Table, as_given, decimals, digits

BANDS = "Medians with the 90 % interval of what is not known"
BLEND = "blend"
SCOPES = ("onsite", "offsite", "total")
CASES = (("published_lengths", "short"), ("production_lengths", "short"), ("production_lengths", "long"))


def water_tables(
    split: pd.DataFrame, claim: pd.DataFrame, prior: pd.DataFrame, settings: Water
) -> list[Table]:
    """All tables; contracts WATER_SPLIT, WATER_CLAIM_ASSUMPTIONS, PRIOR_WATER_COMPARED."""
    return [_scenarios(split, settings), _claim(claim), _prior(prior)]


def _band(row: Mapping[Hashable, Any], start: str, unit: str = "_ml") -> str:
    low, middle, high = (row[f"{start}{p}{unit}"] for p in ("p5", "p50", "p95"))
    return "" if pd.isna(middle) else axes.interval(middle, low, high)


def _scenarios(split: pd.DataFrame, settings: Water) -> Table:
    rows = []
    for name, scenario in settings.scenarios.items():
        for variant, regime in CASES:
            part = split[
                (split["site_scenario"] == name)
                & (split["variant"] == variant)
                & (split["regime"] == regime)
                & (split["subject"] == BLEND)
            ]
            of = {row["scope"]: row for row in part.to_dict("records")}
            bands = {scope: _band(of[scope], "median_") for scope in SCOPES}
            lengths = variant.replace("_lengths", "")
            rows.append(
                {
                    "site_scenario": name,
                    "title": scenario.title,
                    "basis": scenario.basis,
                    "queries": f"{regime}, {lengths}",
                    **bands,
                }
            )
    headings = {
        "title": "Sites",
        "basis": "Basis",
        "queries": "Queries, lengths",
        "onsite": "On site (mL)",
        "offsite": "In the electricity (mL)",
        "total": "Total (mL)",
    }
    caption = (
        f"Water of the median query to models above 200 B parameters. {BANDS}; the total is of the same "
        "draws, so its quantiles are not the sums of the others."
    )
    return Table("water_scenarios", caption, pd.DataFrame(rows), headings)


def _claim(claim: pd.DataFrame) -> Table:
    headings = {
        "claim": "Claim",
        "claim_ml": "mL",
        "energy": "Energy of the query",
        "energy_wh": "Wh",
        "name": "Microsoft's nearest site",
        "pue": "PUE",
        "wue_l_per_kwh": "WUE (L/kWh)",
        "wue_needed_l_per_kwh": "WUE needed",
        "onsite_ml": "On site (mL)",
        "total_ml": "With electricity (mL)",
    }
    formats = {
        "claim_ml": decimals(3),
        "energy_wh": digits(2),
        "wue_needed_l_per_kwh": decimals(2),
        "pue": as_given,
        "wue_l_per_kwh": as_given,
        "onsite_ml": decimals(3),
        "total_ml": digits(2),
    }
    caption = (
        "Where the ends and the median of the published range come out, for published and re-estimated "
        "energies of a short query: Microsoft's site that comes nearest on site, its PUE and WUE, the WUE "
        "that would give the number there, and what the query takes there on site, and with the water of "
        "the electricity of that site's grid."
    )
    return Table("water_claim", caption, claim, headings, formats)


def _prior(prior: pd.DataFrame) -> Table:
    known = prior["ours_p50_ml"].notna()
    bands = pd.Series([_band(row, "ours_") for row in prior.to_dict("records")], prior.index)
    shown = prior.assign(ours=bands.where(known))
    headings = {
        "subject": "Query",
        "scope": "Which water",
        "value_ml": "Published (mL)",
        "low_ml": "From",
        "high_ml": "To",
        "recomputed_ml": "From its own inputs (mL)",
        "ours_of": "Ours",
        "ours": "Same water (mL)",
    }
    formats = dict.fromkeys(("value_ml", "low_ml", "high_ml", "recomputed_ml"), digits(3))
    caption = (
        "Water per query by others: from their own inputs again, and beside it the nearest of our models, or "
        f"the blend, with its queries. Ours: {BANDS.lower()}."
    )
    return Table("water_published", caption, shown, headings, formats)
