"""Waters per query that others publish: from their own inputs again, and beside ours at their boundary."""

from typing import Any

import pandas as pd

from pipeline.contracts.read import validate
from pipeline.contracts.water import SCOPES
from pipeline.contracts.water_results import PRIOR_WATER_COMPARED, WATER_FLEET_COMPARED
from pipeline.errors import InputError

ENDS = ("p5", "p50", "p95")
OUR_VARIANT = "production_lengths"
OF_SITES = "blend, short"  # what WATER_SITES has
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

    factors: FACTORS by site; sites: WATER_SITES; split: WATER_SPLIT. Ours are the queries that the row names,
    of the nearest model. Where a source names its site, short queries to the blend are at that site; all
    others are at the sites of the headline scenario. A source that does not say which water it counts is laid
    beside ours on site; one that counts a life cycle beside nothing.
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
    of = f"{row['nearest']}, {row['regime']}"
    if scope not in SCOPES:
        return dict.fromkeys(("ours_of", "ours_at", "ours_scope", *(f"ours_{end}_ml" for end in ENDS)))
    if pd.notna(row["site"]) and of == OF_SITES:
        at = sites[(sites["site"] == row["site"]) & (sites["design"] == AS_BUILT)]
        values = {f"ours_{end}_ml": float(at[f"{end}_{scope}_ml"].item()) for end in ENDS}
        return {"ours_of": of, "ours_at": row["site"], "ours_scope": scope, **values}
    known = split[split["site_scenario"] == headline]
    if row["nearest"] not in set(known["subject"]):
        expected = f"expected one of {', '.join(known['subject'].unique())}"
        raise InputError(f"prior_water.csv, {row['key']!r}, column 'nearest': {row['nearest']!r}, {expected}")
    at = known[
        (known["variant"] == OUR_VARIANT)
        & (known["regime"] == row["regime"])
        & (known["subject"] == row["nearest"])
        & (known["scope"] == scope)
    ]
    values = {f"ours_{end}_ml": float(at[f"median_{end}_ml"].item()) for end in ENDS}
    return {"ours_of": of, "ours_at": headline, "ours_scope": scope, **values}


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
