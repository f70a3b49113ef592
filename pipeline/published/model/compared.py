"""What the published analysis is compared with: earlier estimates, and the comparators of its Table 1.

Earlier estimates differ by what they include, how they were made and how long the answers are. Each is set
beside the median of the published analysis, as its authors do (they state 4 to 20 times for earlier
estimates), and beside ours at the same boundary, for queries of its length: short or long, whichever of the
two median outputs of the published analysis is nearer in logarithm. Where a source gives no length, the short
query is compared.

Table 1: a source measures a configuration at several batch sizes and the paper does not say which it took.
The row that takes least energy is taken here, as the leaderboard shows it; the most stands beside it. Where
the printed value is for another accelerator, the energy per token of both, measured on the same model,
weights and batch, gives the factor. What is compared per output token does not depend on the length of the
answers.
"""

import re
from typing import Any

import numpy as np
import pandas as pd

from pipeline.core.columns import BLEND, REGIMES
from pipeline.core.errors import InputError
from pipeline.core.read import rows_where
from pipeline.core.units import JOULES_PER_WH
from pipeline.ingest.sources import with_role
from pipeline.published.model.contract import PRIOR_ESTIMATES_COMPARED, TABLE_1

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
PAIRED = ["model", "precision", "max_concurrency"]
ENERGY = "gpu_j_per_output_token"
ROW_COLUMNS = {"key": "source_row", "concurrency": "concurrency", "wh_per_request": "source_wh"}


def earlier_estimates(
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
    rows = rows_where(energy, analysis="as_published", variant="v2", subject=BLEND)
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
    rows = rows_where(energy, analysis="re_estimated", variant=OUR_VARIANT, subject=BLEND)
    return rows[rows["regime"].isin(REGIMES)].sort_values(["regime", "boundary"], ascending=[False, True])


def table_1(
    comparators: pd.DataFrame,
    claims: pd.DataFrame,
    measured: pd.DataFrame,
    energy: pd.DataFrame,
    lengths: pd.DataFrame,
) -> pd.DataFrame:
    """TABLE_1, one row a comparator, in its order.

    comparators, claims: as published; measured: serving_measurements; energy: ENERGY_PER_QUERY; lengths:
    TOKEN_LENGTHS. Raises InputError where a comparator names rows, a model or a claim that is not there.
    """
    records: list[dict[str, Any]] = comparators.to_dict("records")  # type: ignore[assignment]
    rows = pd.DataFrame([_own_row(record, measured) for record in records])
    printed = rows["key"].map(claims.set_index("key")["value"])
    if printed.isna().any():
        raise InputError(
            f"comparators.csv: {rows.loc[printed.isna(), 'key'].iloc[0]!r} is no claim with a value"
        )
    rows["printed_wh"] = printed
    rows["recomputed_wh"] = rows["source_wh"] * rows["between_gpus"]
    rows["recomputed_j_per_output_token"] = rows["recomputed_wh"] * JOULES_PER_WH / rows["output_tokens"]
    tokens = lengths[(lengths["variant"] == "v2") & (lengths["subject"] == "all models")]
    mean_tokens = rows["regime"].map(tokens.set_index("regime")["mean_tokens"])
    paper = _subject(rows, energy, "as_published", "v2", "facility")
    ours, facility = (
        _subject(rows, energy, "re_estimated", "published_lengths", boundary)
        for boundary in ("gpu", "facility")
    )
    rows["paper_p50_wh"] = paper["p50_wh"]
    rows["paper_j_per_output_token"] = paper["mean_wh"] * JOULES_PER_WH / mean_tokens
    rows["ours_j_per_output_token"] = ours["mean_wh"] * JOULES_PER_WH / mean_tokens
    rows["ours_facility_over_gpu"] = facility["p50_wh"] / ours["p50_wh"]
    rows["recomputed_facility_j_per_output_token"] = (
        rows["recomputed_j_per_output_token"] * rows["ours_facility_over_gpu"]
    )
    rows["paper_over_recomputed"] = (
        rows["paper_j_per_output_token"] / rows["recomputed_facility_j_per_output_token"]
    )
    rows["ours_over_recomputed"] = rows["ours_j_per_output_token"] / rows["recomputed_j_per_output_token"]
    return rows[list(TABLE_1.columns)]


def between_gpus(measured: pd.DataFrame, source: str, target: str, concurrency: float) -> tuple[float, ...]:
    """Energy per output token on `target` over that on `source`: median at this concurrency, least, most.

    Paired by model, weights and concurrency, each on the number of accelerators that takes least.
    Raises InputError when no pair has this concurrency.
    """
    chat = with_role(measured, "chat")
    rows = chat[chat["gpu"].isin([source, target])]
    least = rows.pivot_table(ENERGY, PAIRED, "gpu", aggfunc="min").dropna()
    ratio = least[target] / least[source]
    at = ratio[ratio.index.get_level_values("max_concurrency") == concurrency]
    if at.empty:
        raise InputError(
            f"serving measurements: no model on {source} and {target} at {concurrency:g} requests"
        )
    return float(at.median()), float(ratio.min()), float(ratio.max())


def _own_row(comparator: dict[str, Any], measured: pd.DataFrame) -> dict[str, Any]:
    """The source's row of one comparator; blanks where there is none at hand."""
    row = dict(comparator) | dict.fromkeys(
        ["source_row", "source_wh", "highest_wh", "between_gpus", "between_gpus_low", "between_gpus_high"],
        np.nan,
    )
    prefix = comparator["measured_rows"]
    if isinstance(prefix, str):
        found = measured[measured["key"].str.startswith(prefix)]
        if found.empty:
            raise InputError(f"comparators.csv: no serving measurement begins with {prefix!r}")
        least = found.sort_values("wh_per_request").iloc[0]
        row |= {name: least[column] for column, name in ROW_COLUMNS.items()}
        row |= {"output_tokens": least["output_tokens"], "highest_wh": found["wh_per_request"].max()}
    elif pd.notna(comparator["value_wh"]):
        row |= {"source_row": comparator["where"], "source_wh": comparator["value_wh"]}
    else:
        return row
    row["between_gpus"] = 1.0
    if comparator["gpu"] != comparator["paper_gpu"]:
        pair = str(comparator["gpu"]), str(comparator["paper_gpu"])
        found_ratio = between_gpus(measured, *pair, row["concurrency"])
        row |= dict(zip(["between_gpus", "between_gpus_low", "between_gpus_high"], found_ratio, strict=True))
    return row


def _subject(
    rows: pd.DataFrame, energy: pd.DataFrame, analysis: str, variant: str, boundary: str
) -> pd.DataFrame:
    """Mean and median Wh of each row's model in its regime, in the order of the rows."""
    of = energy[
        (energy["analysis"] == analysis) & (energy["variant"] == variant) & (energy["boundary"] == boundary)
    ].set_index(["subject", "regime"])
    keys = list(zip(rows["model"], rows["regime"], strict=True))
    lacking = [key for key in keys if key not in of.index]
    if lacking:
        raise InputError(f"comparators.csv: no energy per query of {lacking[0][0]} ({lacking[0][1]} queries)")
    return of[["mean_wh", "p50_wh"]].reindex(keys).reset_index(drop=True)
