"""Waters per query that others publish: from their own inputs again, and beside ours at their boundary."""

from typing import Any

import pandas as pd

from pipeline.contracts.read import validate
from pipeline.contracts.water import SCOPES
from pipeline.contracts.water_results import PRIOR_WATER_COMPARED, WATER_FLEET_COMPARED

ENDS = ("p5", "p50", "p95")
OUR_VARIANT = "production_lengths"
BLEND = "blend"
AS_BUILT = "as built"
IT = "IT"
PER_YEAR, DAYS_PER_YEAR = "million L/year", 365.0
ON_SITE, NOT_STATED = "onsite", "not-stated"
KEPT = ["key", "subject", "setup", "value", "low", "high", "interval", "basis", "scope", "method", "source"]


def compared(
    prior: pd.DataFrame,
    factors: pd.DataFrame,
    sites: pd.DataFrame,
    split: pd.DataFrame,
    headline: str,
) -> pd.DataFrame:
    """PRIOR_WATER_COMPARED of every row of PRIOR_WATER, in its order.

    factors: FACTORS by site; sites: WATER_SITES; split: WATER_SPLIT. Where a source names its site, ours are
    queries at that site; else at those of the headline scenario. A source that does not say which water it
    counts is laid beside ours on site; one that counts a life cycle beside nothing.
    """
    found = []
    for row in prior.to_dict("records"):
        again = _recomputed(row, factors.set_index("key"))
        ours = _ours(row, sites, split, headline)
        found.append(
            {**{name: row[name] for name in KEPT}, "recomputed_ml": again, **ours, "note": row["note"]}
        )
    table = pd.DataFrame(found).rename(columns={"value": "value_ml", "low": "low_ml", "high": "high_ml"})
    printed = table["value_ml"].fillna(table["high_ml"])
    table.insert(len(table.columns) - 1, "ratio_to_ours", printed / table["ours_p50_ml"])
    return validate(table[list(PRIOR_WATER_COMPARED.columns)], PRIOR_WATER_COMPARED, "published waters")


def _recomputed(row: dict[Any, Any], factors: pd.DataFrame) -> float | None:
    """From the energy and the site that the source states; None where it states either not."""
    if pd.isna(row["site"]) or row["energy_boundary"] != IT:
        return None
    at = factors.loc[row["site"]]
    onsite = row["energy_wh"] * at["wue_l_per_kwh"]
    offsite = row["energy_wh"] * at["pue"] * at["electricity_l_per_kwh"]
    return float({"onsite": onsite, "offsite": offsite, "total": onsite + offsite}[row["scope"]])


def _ours(row: dict[Any, Any], sites: pd.DataFrame, split: pd.DataFrame, headline: str) -> dict[str, Any]:
    scope = ON_SITE if row["scope"] == NOT_STATED else row["scope"]
    if scope not in SCOPES:
        return {"ours_at": None, "ours_scope": None, **{f"ours_{end}_ml": None for end in ENDS}}
    if pd.notna(row["site"]) and row["regime"] == "short":
        at = sites[(sites["site"] == row["site"]) & (sites["design"] == AS_BUILT)]
        values = {f"ours_{end}_ml": float(at[f"{end}_{scope}_ml"].item()) for end in ENDS}
        return {"ours_at": row["site"], "ours_scope": scope, **values}
    at = split[
        (split["variant"] == OUR_VARIANT)
        & (split["regime"] == row["regime"])
        & (split["subject"] == BLEND)
        & (split["site_scenario"] == headline)
        & (split["scope"] == scope)
    ]
    values = {f"ours_{end}_ml": float(at[f"median_{end}_ml"].item()) for end in ENDS}
    return {"ours_at": headline, "ours_scope": scope, **values}


def beside(day: pd.DataFrame, facts: pd.DataFrame, headline: str) -> pd.DataFrame:
    """WATER_FLEET_COMPARED: a day of queries over a day of others' water.

    day: WATER_FLEET, of which the re-estimate's mixed day with lengths of production at the sites of the
    headline scenario; facts: the table `comparisons`.
    """
    ours = day[
        (day["variant"] == OUR_VARIANT) & (day["scenario"] == "mixed") & (day["site_scenario"] == headline)
    ]
    by_scope = {row["scope"]: row for row in ours.to_dict("records")}
    rows = []
    for fact in facts[facts["unit"] == PER_YEAR].to_dict("records"):
        a_day = fact["value"] / DAYS_PER_YEAR
        for scope in (ON_SITE, "total"):
            ends = {end: by_scope[scope][f"{end}_million_l_per_day"] / a_day for end in ENDS}
            rows.append(
                {
                    "compared_with": fact["key"],
                    "subject": f"{fact['subject']}: {fact['quantity']}",
                    "million_l_per_day": a_day,
                    "scope": scope,
                    **{f"ratio_{end}": value for end, value in ends.items()},
                    "source": fact["source"],
                }
            )
    return validate(pd.DataFrame(rows), WATER_FLEET_COMPARED, "water of a fleet, compared")
