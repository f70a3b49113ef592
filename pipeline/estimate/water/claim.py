"""Under which assumptions the published range of water per query comes out.

The source gives a range and the size of a median and no derivation. For each of these and each energy of a
query: the site of Microsoft whose water on site comes nearest, with its own PUE, WUE and grid; the WUE that
would give the number there exactly; and what the query takes there in all, once the water of its electricity
is counted.
"""

import pandas as pd

from pipeline.contracts.read import validate
from pipeline.contracts.water_results import WATER_CLAIM_ASSUMPTIONS
from pipeline.units import ML_PER_US_TEASPOON

PARTS_OF_A_TEASPOON = 100  # the size of the median, as the source puts it
OWNER = "Microsoft"
NOT_ITS_OWN = "withdrawal"
YEARS = (2024, 2025)  # of the WUE that a claim of 2026 can rest on
SEVERAL_SITES = "mixed"  # cooling of an average over sites, which draw on no one grid


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
    return validate(pd.DataFrame(rows), WATER_CLAIM_ASSUMPTIONS, "assumptions behind the claim")


def energies(energy: pd.DataFrame, split: pd.DataFrame) -> pd.DataFrame:
    """Energies of a short query to the blend at the facility: published quartiles, our median with its band.

    energy: ENERGY_PER_QUERY; split: RE_ESTIMATED, of which the published lengths.
    """
    published = energy[
        (energy["analysis"] == "as_published")
        & (energy["variant"] == "v2")
        & (energy["regime"] == "short")
        & (energy["subject"] == "blend")
    ].iloc[0]
    ours = split[
        (split["variant"] == "published_lengths")
        & (split["regime"] == "short")
        & (split["subject"] == "blend")
        & (split["boundary"] == "facility")
    ].iloc[0]
    rows = [(f"as published, {name}", published[f"{name}_wh"]) for name in ("p25", "p50", "p75")]
    rows += [(f"re-estimated median, {name}", ours[f"median_{name}_wh"]) for name in ("p5", "p50", "p95")]
    return pd.DataFrame(rows, columns=["label", "energy_wh"])
