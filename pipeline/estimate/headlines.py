"""The few values by which runs are compared: `dvc metrics show` and `dvc metrics diff` read them."""

from typing import Any

import pandas as pd

QUARTILES = ["p25", "p50", "p75"]


def headlines(energy: pd.DataFrame, fleet: pd.DataFrame) -> dict[str, Any]:
    """Nested by analysis and variant: the blend's quartiles by regime, fleet totals by scenario."""
    found: dict[str, Any] = {}
    for row in energy[energy["subject"] == "blend"].to_dict("records"):
        place = found.setdefault(row["analysis"], {}).setdefault(row["variant"], {})
        place[f"blend_{row['regime']}_wh"] = {name: row[f"{name}_wh"] for name in QUARTILES}
    for row in fleet[fleet["component"] == "total"].to_dict("records"):
        place = found.setdefault(row["analysis"], {}).setdefault(row["variant"], {})
        place.setdefault("fleet_gwh_per_day", {})[row["scenario"]] = row["value_gwh_per_day"]
    return found
