"""The measured rows that the serving model is fitted to: their source has the role `step` or `power`."""

import numpy as np
import pandas as pd

from pipeline.ingest.sources import with_role
from pipeline.serving.model.architecture import Array
from pipeline.serving.model.prepare import Tables, prepare, years
from pipeline.serving.model.settings import ENGINES, Serving
from pipeline.serving.model.terms import roofline_seconds

PRECISIONS = {
    "FP4": "fp4", "INT4": "w4a16", "FP8": "fp8", "INT8": "int8", "FP16": "bf16", "BF16": "bf16",
}  # fmt: skip
UNSTATED = "bf16"  # precision of rows that do not state it: what weights were published in
COLUMNS = [
    "key", "title", "laboratory", "task", "load", "model", "total_params_b", "active_params_b", "gpu", "gpus",
    "precision", "cache_precision", "engine", "engine_year", "concurrency", "input_tokens",
    "cached_input_tokens", "output_tokens", "output_cv", "age_share", "split_by_request",
    "output_tokens_per_s", "gpu_w", "gpu_j_per_output_token", "gpu_power_limit_w", "in_step",
]  # fmt: skip


def training_rows(
    measured: pd.DataFrame, histograms: pd.DataFrame, tables: Tables, settings: Serving
) -> pd.DataFrame:
    """Usable rows in a role, columns COLUMNS; sorted by key.

    Tables in the contracts SERVING_MEASUREMENTS and TOKEN_LENGTH_HISTOGRAMS. gpu_w only where it is to be
    fitted. A row with energy a token alone tells of power, at the throughput that the others give.
    """
    usable = measured[left_out(measured, histograms, tables, settings).isna()]
    in_power = with_role(usable, "power").index
    in_step = with_role(usable[usable["output_tokens_per_s"].notna()], "step").index
    rows = _as_run(usable.loc[in_step.union(in_power)], histograms, tables, settings)
    rows = rows.assign(gpu_w=rows["gpu_w"].where(rows.index.isin(in_power)), in_step=rows.index.isin(in_step))
    return rows[COLUMNS].sort_values("key", ignore_index=True)


def _as_run(rows: pd.DataFrame, histograms: pd.DataFrame, tables: Tables, settings: Serving) -> pd.DataFrame:
    """Measured rows with the columns that prepare takes."""
    constant = (rows["load"] == "constant").to_numpy()
    saturated = (rows["load"] == "saturated").to_numpy()
    histogram = rows["source"] + "/" + rows["upstream_model"]
    cv = histogram.map(output_cv(histograms)).fillna(settings.shape.values["unknown_cv"]).to_numpy(float)
    batch = rows["concurrency"].to_numpy(float)
    resolved = rows["model"].map(tables.names.resolve)
    return rows.assign(
        model=resolved.where(resolved != "", rows["model"]),
        precision=rows["precision"].map(PRECISIONS).fillna(UNSTATED),
        cache_precision=rows["cache_precision"].map({"FP8": "fp8", "BF16": "bf16"}).fillna(""),
        engine_year=years(rows["engine_date"]).fillna(settings.trend.years.values["undated"]),
        output_cv=np.where(constant, cv, 0.0),
        age_share=np.where(
            constant,
            age_share(np.where(constant, batch, 1.0), settings.shape.values["run_requests"]),
            1.0,
        ),
        split_by_request=rows["data_parallel"].gt(1).astype(float).where(rows["data_parallel"].notna()),
        concurrency=np.where(saturated, np.nan, batch),
    )


def left_out(
    measured: pd.DataFrame, histograms: pd.DataFrame, tables: Tables, settings: Serving
) -> pd.Series:
    """Why the fit cannot use a row, a code of SET_ASIDE, (n,); missing where it can.

    No step is faster than its bytes and FLOPs take: a rate above that is an error of the source, of a batch
    inferred from times, or of prompts that were in the cache.
    """
    reason = _not_known(measured, tables)
    usable = with_role(measured[reason.isna()], "step")
    p = prepare(_as_run(usable, histograms, tables, settings), tables, settings)
    fastest = p.load.concurrency / roofline_seconds(p.x) * settings.above_roofline.distribution.median()
    beyond = usable.index[usable["output_tokens_per_s"].to_numpy(float) > fastest]
    return reason.mask(measured.index.isin(beyond), "beyond_roofline")


def _not_known(measured: pd.DataFrame, tables: Tables) -> pd.Series:
    """Why a row cannot be prepared."""
    known = measured["gpu"].isin(tables.hardware.index)
    fast = tables.hardware[["bandwidth_tb_s", "rated_w"]].notna().all(axis=1)
    known &= measured["gpu"].map(fast).fillna(False).astype(bool)
    sized = measured["model"].map(tables.names.resolve).ne("") | measured["total_params_b"].notna()
    idle = measured["gpu_w"] > measured["gpu_power_limit_w"] * measured["gpus"]
    of_power = measured.index.isin(with_role(measured, "power").index)
    told = measured["output_tokens_per_s"].notna() | (of_power & measured["gpu_j_per_output_token"].notna())
    whole = measured["output_tokens"].notna() & told
    batch = measured["concurrency"].notna() | measured["load"].eq("saturated").fillna(False)
    reason = np.select(
        [
            measured["set_aside"].notna().to_numpy(bool),
            ~measured["engine"].isin(ENGINES).to_numpy(bool),
            ~known.to_numpy(bool),
            measured["speculation"].fillna("").eq("yes").to_numpy(bool),
            ~sized.to_numpy(bool),
            measured["gpus"].isna().to_numpy(bool),
            idle.to_numpy(bool),
            ~(whole & batch).to_numpy(bool),
        ],
        [
            measured["set_aside"].fillna("").astype(str),
            "other_engine",
            "other_accelerator",
            "speculation",
            "unknown_shape",
            "no_gpu_count",
            "idle_counted",
            "length_not_stated",
        ],
        "",
    )
    return pd.Series(reason, index=measured.index, dtype="str").replace("", pd.NA)


def age_share(batch: Array, requests_of_run: float) -> Array:
    """Mean age of running requests in a run of constant load over that in steady state, (n,).

    All start together, and the run is measured while others wait to follow: for t = (requests - batch) /
    batch mean lengths. The age after s lengths is 1 - exp(-s) of the steady one where lengths are
    exponential, as they nearly are; this is its mean over s from 0 to t. batch: requests in flight;
    requests_of_run: as many as a run has, and from half as many in flight on, about as many more than run at
    once (the lengths that ML.ENERGY counts).
    """
    requests = np.where(batch > requests_of_run / 2, batch + requests_of_run, requests_of_run)
    t = (requests - batch) / batch
    return np.asarray(1 + np.expm1(-t) / t, dtype=float)


def output_cv(histograms: pd.DataFrame) -> dict[str, float]:
    """Coefficient of variation of the output length by the key of the histogram."""
    rows = histograms[(histograms["quantity"] == "output_tokens")]
    middle = (rows["from_tokens"] + rows["to_tokens"]) / 2
    moments = pd.DataFrame(
        {"key": rows["key"], "w": rows["share"], "x": rows["share"] * middle, "xx": rows["share"] * middle**2}
    )
    sums = moments.groupby("key").sum()
    mean = sums["x"] / sums["w"]
    cv = np.sqrt(sums["xx"] / sums["w"] - mean**2) / mean
    return {str(key): float(value) for key, value in cv.items()}
