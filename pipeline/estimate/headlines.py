"""The few values by which runs are compared: `dvc metrics show` and `dvc metrics diff` read them."""

from typing import Any

import pandas as pd

# Of the published analysis; its other variants stand in energy_per_query.csv and fleet.csv.
VARIANTS = ["v1", "v2", "v2_text"]
QUARTILES = ["p25", "p50", "p75"]
IGNORANCE = ["p5", "p50", "p95"]


def headlines(energy: pd.DataFrame, fleet: pd.DataFrame, split: pd.DataFrame) -> dict[str, Any]:
    """Nested by analysis and variant: fleet totals by scenario and, by regime, of the blend as published the
    quartiles over queries, of that re-estimated (`split`, RE_ESTIMATED) median and mean with their intervals.
    """
    published: dict[str, Any] = {name: {} for name in VARIANTS}
    ours: dict[str, Any] = {name: {} for name in split["variant"].unique()}
    found = {"as_published": published, "re_estimated": ours}
    at_facility = energy[(energy["subject"] == "blend") & (energy["boundary"] == "facility")]
    for row in at_facility[at_facility["variant"].isin(VARIANTS)].to_dict("records"):
        place = published[row["variant"]]
        place[f"blend_{row['regime']}_wh"] = {name: row[f"{name}_wh"] for name in QUARTILES}
    for row in split[(split["subject"] == "blend") & (split["boundary"] == "facility")].to_dict("records"):
        for statistic in ("median", "mean"):
            name = f"blend_{row['regime']}_{statistic}_wh"
            ours[row["variant"]][name] = {p: row[f"{statistic}_{p}_wh"] for p in IGNORANCE}
    shown = (fleet["component"] == "total") & fleet["variant"].isin([*published, *ours])
    for row in fleet[shown].to_dict("records"):
        place = found[row["analysis"]][row["variant"]]
        place.setdefault("fleet_gwh_per_day", {})[row["scenario"]] = row["value_gwh_per_day"]
    return found
