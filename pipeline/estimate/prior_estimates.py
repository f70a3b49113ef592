"""Every published energy per query beside the published median and ours, by boundary and method.

Estimates differ by what they include, how they were made and how long the answers are. Each is compared with
the median of the published analysis, as its authors do (they state 4 to 20 times for earlier estimates), and
with ours at the same boundary, for queries of its length: short or long, whichever of the two median outputs
of the published analysis is nearer in logarithm. Where a source gives no length, the short query is compared.
"""

import re

import numpy as np
import pandas as pd

from pipeline.contracts.validation import PRIOR_ESTIMATES_COMPARED
from pipeline.errors import InputError

CLAIMED_FACTOR = 4.0  # the least of the claim
OURS = "This project, production lengths"
OUR_VARIANT = "production_lengths"
PUBLISHED = "Published analysis"
ITS_SOURCES = {"oviedo2025", "oviedo2026", "microsoft2026blog"}
METHOD_WORDS = {
    "measured-production": "measured in production",
    "measured-benchmark": "measured in benchmarks",
    "bottom-up-model": "modelled",
    "statement": "stated or quoted",
    "quoted": "stated or quoted",
}
BOUNDARY_WORDS = {
    "facility": "Facility",
    "node": "Server",
    "gpu+host": "Server",
    "gpu": "Accelerators",
    "not-stated": "Boundary not stated",
}
OUR_BOUNDARY = {"facility": "facility", "node": "node", "gpu+host": "node", "gpu": "gpu"}
LONG = re.compile(r"\blong quer|(?<!-)reasoning(?! off)|15x", re.IGNORECASE)
NUMBER = re.compile(r"^\s*([\d,.]+)")


def compared(
    estimates: pd.DataFrame, energy: pd.DataFrame, short_tokens: float, long_tokens: float
) -> pd.DataFrame:
    """PRIOR_ESTIMATES_COMPARED, ours first; estimates: prior_estimates, energy: ENERGY_PER_QUERY.

    short_tokens, long_tokens: median outputs of the published analysis.
    """
    theirs = estimates[
        (estimates["unit"] == "Wh/query")
        & (estimates["boundary"] != "component")
        & estimates["value"].notna()
    ]
    workload = [
        workload_of(quantity, subject, output_tokens, short_tokens, long_tokens)
        for quantity, subject, output_tokens in zip(
            theirs["quantity"], theirs["subject"], theirs["output_tokens"], strict=True
        )
    ]
    own = theirs["source"].isin(ITS_SOURCES) & (theirs["method"] != "quoted")
    group = theirs["boundary"].map(BOUNDARY_WORDS) + ", " + theirs["method"].map(METHOD_WORDS)
    rows = theirs.assign(
        group=np.where(own, PUBLISHED, group),
        value_wh=theirs["value"],
        low_wh=theirs["low"],
        high_wh=theirs["high"],
        workload=workload,
    )
    if rows["group"].isna().any():
        raise InputError("prior_estimates.csv: a boundary or method without words for the figure")
    every = pd.concat([our_rows(energy), rows], ignore_index=True)
    medians = published_medians(energy)
    ours = our_medians(energy)
    regime = every["workload"].replace("not-stated", "short")
    every["ratio_to_published"] = every["value_wh"] / regime.map(medians)
    key = list(zip(regime, every["boundary"].map(OUR_BOUNDARY), strict=True))
    every["ratio_to_ours"] = every["value_wh"] / pd.Series([ours.get(k, np.nan) for k in key])
    every["at_least_4_times"] = np.where(every["ratio_to_published"] >= CLAIMED_FACTOR, "yes", "no")
    every["year"] = every["year"].astype("int64")
    mine = every["group"] == OURS
    order = every[~mine].sort_values(["group", "value_wh", "key"])
    return pd.concat([every[mine], order], ignore_index=True)[list(PRIOR_ESTIMATES_COMPARED.columns)]


def workload_of(
    quantity: str, subject: str, output_tokens: object, short_tokens: float, long_tokens: float
) -> str:
    """Short, long or not-stated: by the output tokens that the source gives, else by its words."""
    text = output_tokens if isinstance(output_tokens, str) else ""
    if (number := NUMBER.match(text)) and not LONG.search(text):
        tokens = float(number[1].replace(",", "").rstrip("."))
        return "short" if tokens < np.sqrt(short_tokens * long_tokens) else "long"
    words = [quantity, subject, text]
    return "long" if any(LONG.search(word) for word in words) else "not-stated"


def published_medians(energy: pd.DataFrame) -> dict[str, float]:
    """Median Wh/query of the published blend by regime."""
    rows = energy[
        (energy["analysis"] == "as_published") & (energy["variant"] == "v2") & (energy["subject"] == "blend")
    ]
    return dict(zip(rows["regime"], rows["p50_wh"], strict=True))


def our_medians(energy: pd.DataFrame) -> dict[tuple[str, str], float]:
    """Median Wh/query of our blend by regime and boundary."""
    rows = _ours(energy)
    return dict(zip(zip(rows["regime"], rows["boundary"], strict=True), rows["p50_wh"], strict=True))


def our_rows(energy: pd.DataFrame) -> pd.DataFrame:
    """Ours in the columns of the estimates."""
    rows = _ours(energy)
    return pd.DataFrame(
        {
            "key": "ours_" + rows["regime"] + "_" + rows["boundary"],
            "group": OURS,
            "subject": "blend of models above 200B",
            "quantity": "energy per query, " + rows["regime"],
            "output_tokens": None,
            "value_wh": rows["p50_wh"],
            "low_wh": rows["p5_wh"],
            "high_wh": rows["p95_wh"],
            "interval": "P5-P95",
            "boundary": rows["boundary"],
            "method": "re-estimate",
            "year": 2026,
            "source": None,
            "workload": rows["regime"],
        }
    )


def _ours(energy: pd.DataFrame) -> pd.DataFrame:
    rows = energy[
        (energy["analysis"] == "re_estimated")
        & (energy["variant"] == OUR_VARIANT)
        & (energy["subject"] == "blend")
    ]
    if rows.empty:
        raise InputError("energy_per_query.csv: no re-estimated blend")
    return rows.sort_values(["regime", "boundary"], ascending=[False, True])
