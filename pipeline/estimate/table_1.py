"""Table 1 of the published analysis: each comparator from its source's own rows, then at one boundary.

A source measures a configuration at several batch sizes and the paper does not say which it took. The row
that takes least energy is taken here, as the leaderboard shows it; the most stands beside it. Where the
printed value is for another accelerator, the energy per token of both, measured on the same model, weights
and batch, gives the factor. What is compared per output token does not depend on the length of the answers.
"""

from typing import Any

import numpy as np
import pandas as pd

from pipeline.contracts.table_1 import TABLE_1
from pipeline.errors import InputError
from pipeline.units import JOULES_PER_WH

PAIRED = ["model", "precision", "max_concurrency"]
ENERGY = "gpu_j_per_output_token"
PAIRED_SOURCE = "mlenergy_v3"
ROW_COLUMNS = {"key": "source_row", "average_batch": "concurrency", "wh_per_request": "source_wh"}


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
    rows = measured[(measured["source"] == PAIRED_SOURCE) & measured["gpu"].isin([source, target])]
    least = rows.pivot_table(ENERGY, PAIRED, "gpu", aggfunc="min").dropna()
    ratio = least[target] / least[source]
    at = ratio[ratio.index.get_level_values("max_concurrency") == concurrency]
    if at.empty:
        raise InputError(
            f"serving_measurements.csv: no model on {source} and {target} at {concurrency:g} requests"
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
            raise InputError(f"comparators.csv: no row of serving_measurements.csv begins with {prefix!r}")
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
