"""Under which assumptions the published range of water per query comes out.

The source gives a range and the size of a median and no derivation. For each of these and each energy of a
query: the WUE that gives it, the published WUE of Microsoft nearest to that, and what the query takes in all
once the water of its electricity is counted.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.contracts.read import validate
from pipeline.contracts.water_results import WATER_CLAIM_ASSUMPTIONS
from pipeline.units import ML_PER_US_TEASPOON

Array = NDArray[np.float64]
PARTS_OF_A_TEASPOON = 100  # the size of the median, as the source puts it
OWNER = "Microsoft"
NOT_ITS_OWN = "withdrawal"
RANGE_YEARS = (2024, 2025)  # of the WUE that a claim of 2026 can rest on


def assumptions(
    energy: pd.DataFrame,
    wue: pd.DataFrame,
    claim_ml: tuple[float, float],
    pue: float,
    electricity_l_per_kwh: float,
) -> pd.DataFrame:
    """WATER_CLAIM_ASSUMPTIONS.

    energy: label and energy_wh at the facility; wue: the table of data/published; claim_ml: its ends;
    pue and electricity_l_per_kwh: of the site that all of it is computed for.
    """
    own = wue[
        (wue["provider"] == OWNER) & (wue["basis"] != NOT_ITS_OWN) & wue["year"].between(*RANGE_YEARS)
    ].sort_values(["value", "key"])
    targets = {
        "lower end": claim_ml[0],
        "median": ML_PER_US_TEASPOON / PARTS_OF_A_TEASPOON,
        "upper end": claim_ml[1],
    }
    rows = []
    for end, target_ml in targets.items():
        for item in energy.to_dict("records"):
            it_wh = item["energy_wh"] / pue
            needed = target_ml / it_wh
            nearest = own.iloc[int((own["value"] - needed).abs().to_numpy().argmin())]
            rows.append(
                {
                    "claim": end,
                    "claim_ml": target_ml,
                    "energy": item["label"],
                    "energy_wh": item["energy_wh"],
                    "pue": pue,
                    "wue_needed_l_per_kwh": needed,
                    "nearest_wue": nearest["key"],
                    "nearest_subject": nearest["subject"],
                    "nearest_l_per_kwh": nearest["value"],
                    "onsite_ml_at_nearest": it_wh * nearest["value"],
                    "share_of_published_wue_below": float((own["value"] < needed).mean()),
                    "compatible": "yes" if own["value"].min() <= needed <= own["value"].max() else "no",
                    "electricity_l_per_kwh": electricity_l_per_kwh,
                    "offsite_ml": item["energy_wh"] * electricity_l_per_kwh,
                    "total_ml": target_ml + item["energy_wh"] * electricity_l_per_kwh,
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
