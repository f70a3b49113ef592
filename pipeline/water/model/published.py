"""Waters per query that others publish: from their own inputs again, and beside ours at their boundary.

And under which assumptions the published range of water per query comes out. The source gives a range and
the size of a median and no derivation. For each of these and each energy of a query: the site of Microsoft
whose water on site comes nearest, with its own PUE, WUE and grid; the WUE that would give the number there
exactly; and what the query takes there in all, once the water of its electricity is counted.
"""

from typing import Any

import pandas as pd

from pipeline.core.columns import BLEND
from pipeline.core.errors import InputError
from pipeline.core.read import row_where, rows_where
from pipeline.core.units import DAYS_PER_YEAR, ML_PER_US_TEASPOON
from pipeline.water.model.contract import PRIOR_WATER_COMPARED, SCOPES

ENDS = ("p5", "p50", "p95")
OUR_VARIANT = "production_lengths"
OF_SITES = "blend, short"  # what WATER_SITES has
AS_BUILT = "as built"
IT = "IT"
PER_YEAR = "million L/year"
ON_SITE, NOT_STATED = "onsite", "not-stated"
KEPT = ["key", "subject", "setup", "value", "low", "high", "interval", "basis", "scope", "method", "source"]
PARTS_OF_A_TEASPOON = 100  # the size of the median, as the source puts it
OWNER = "Microsoft"
NOT_ITS_OWN = "withdrawal"
YEARS = (2024, 2025)  # of the WUE that a claim of 2026 can rest on
SEVERAL_SITES = "mixed"  # cooling of an average over sites, which draw on no one grid


def compared(
    prior: pd.DataFrame, factors: pd.DataFrame, sites: pd.DataFrame, split: pd.DataFrame, headline: str
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
    return table[list(PRIOR_WATER_COMPARED.columns)]


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
        at = row_where(sites, site=row["site"], design=AS_BUILT)
        values = {f"ours_{end}_ml": float(at[f"{end}_{scope}_ml"]) for end in ENDS}
        return {"ours_of": of, "ours_at": row["site"], "ours_scope": scope, **values}
    known = split[split["site_scenario"] == headline]
    if row["nearest"] not in set(known["subject"]):
        expected = f"expected one of {', '.join(known['subject'].unique())}"
        raise InputError(f"prior_water.csv, {row['key']!r}, column 'nearest': {row['nearest']!r}, {expected}")
    wanted = {"regime": row["regime"], "subject": row["nearest"], "scope": scope}
    at = row_where(known, variant=OUR_VARIANT, **wanted)
    values = {f"ours_{end}_ml": float(at[f"median_{end}_ml"]) for end in ENDS}
    return {"ours_of": of, "ours_at": headline, "ours_scope": scope, **values}


def beside(day: pd.DataFrame, facts: pd.DataFrame, headline: str) -> pd.DataFrame:
    """WATER_FLEET_COMPARED: a day of queries over a day of others' water.

    day: WATER_FLEET, of which the re-estimate's mixed day with lengths of production at the sites of the
    headline scenario; facts: the table `comparisons`.
    """
    ours = rows_where(day, variant=OUR_VARIANT, scenario="mixed", site_scenario=headline)
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
    return pd.DataFrame(rows)


def assumptions(energy: pd.DataFrame, factors: pd.DataFrame, claim_ml: tuple[float, float]) -> pd.DataFrame:
    """WATER_CLAIM_ASSUMPTIONS.

    energy: label and energy_wh at the facility; factors: FACTORS by site; claim_ml: the ends of the claim.
    """
    own = factors[
        (factors["provider"] == OWNER)
        & (factors["wue_basis"] != NOT_ITS_OWN)
        & factors["wue_year"].between(*YEARS)
        & (factors["cooling"] != SEVERAL_SITES)
    ]
    onsite_ml_per_wh = (own["wue_l_per_kwh"] / own["pue"]).to_numpy()
    targets = {
        "lower end": claim_ml[0],
        "median": ML_PER_US_TEASPOON / PARTS_OF_A_TEASPOON,
        "upper end": claim_ml[1],
    }
    rows = []
    for end, target_ml in targets.items():
        for item in energy.to_dict("records"):
            energy_wh = item["energy_wh"]
            onsite_ml = energy_wh * onsite_ml_per_wh
            nearest = int(abs(onsite_ml - target_ml).argmin())
            at = own.iloc[nearest]
            offsite_ml = energy_wh * at["electricity_l_per_kwh"]
            rows.append(
                {
                    "claim": end,
                    "claim_ml": target_ml,
                    "energy": item["label"],
                    "energy_wh": energy_wh,
                    "site": at["key"],
                    "name": at["name"],
                    "pue": at["pue"],
                    "wue_l_per_kwh": at["wue_l_per_kwh"],
                    "wue_needed_l_per_kwh": target_ml * at["pue"] / energy_wh,
                    "share_of_sites_below": float((onsite_ml < target_ml).mean()),
                    "compatible": "yes" if onsite_ml.min() <= target_ml <= onsite_ml.max() else "no",
                    "electricity": at["grid_key"],
                    "electricity_l_per_kwh": at["electricity_l_per_kwh"],
                    "onsite_ml": onsite_ml[nearest],
                    "offsite_ml": offsite_ml,
                    "total_ml": onsite_ml[nearest] + offsite_ml,
                }
            )
    return pd.DataFrame(rows)


def energies(energy: pd.DataFrame, split: pd.DataFrame) -> pd.DataFrame:
    """Energies of a short query to the blend at the facility: published quartiles, our median with its band.

    energy: ENERGY_PER_QUERY; split: RE_ESTIMATED, of which the published lengths.
    """
    query = {"regime": "short", "subject": BLEND, "boundary": "facility"}
    published = row_where(energy, analysis="as_published", variant="v2", **query)
    ours = row_where(split, variant="published_lengths", **query)
    rows = [(f"as published, {name}", published[f"{name}_wh"]) for name in ("p25", "p50", "p75")]
    rows += [(f"re-estimated median, {name}", ours[f"median_{name}_wh"]) for name in ("p5", "p50", "p95")]
    return pd.DataFrame(rows, columns=["label", "energy_wh"])
