"""The few values by which runs are compared: `dvc metrics show` and `dvc metrics diff` read them."""

from typing import Any

import pandas as pd

QUARTILES = ["p25", "p50", "p75"]


IGNORANCE = ["p5", "p50", "p95"]


def headlines(energy: pd.DataFrame, fleet: pd.DataFrame, split: pd.DataFrame) -> dict[str, Any]:
    """Nested by analysis and variant: the blend's quartiles by regime, fleet totals by scenario.

    Of the re-estimate (`split`, RE_ESTIMATED) also its median and mean with the interval from ignorance.
    """
    found: dict[str, Any] = {}
    at_facility = energy[(energy["subject"] == "blend") & (energy["boundary"] == "facility")]
    for row in at_facility.to_dict("records"):
        place = found.setdefault(row["analysis"], {}).setdefault(row["variant"], {})
        place[f"blend_{row['regime']}_wh"] = {name: row[f"{name}_wh"] for name in QUARTILES}
    ours = found.setdefault("re_estimated", {})
    for row in split[(split["subject"] == "blend") & (split["boundary"] == "facility")].to_dict("records"):
        for statistic in ("median", "mean"):
            name = f"blend_{row['regime']}_{statistic}_wh"
            ours[row["variant"]][name] = {p: row[f"{statistic}_{p}_wh"] for p in IGNORANCE}
    for row in fleet[fleet["component"] == "total"].to_dict("records"):
        place = found.setdefault(row["analysis"], {}).setdefault(row["variant"], {})
        place.setdefault("fleet_gwh_per_day", {})[row["scenario"]] = row["value_gwh_per_day"]
    return found
