"""What became of every measured row: used by a fit, scored by a check, or set aside with a reason."""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from pipeline.core.errors import InputError
from pipeline.ingest.sources import with_role
from pipeline.validation.model.mlperf import GPUS, SAME_RUN

MS = 1e-3
COUNTED = (
    "sources", "mlperf_throughput", "telemetry/node_power", "telemetry/token_lengths", "request_rates",
    "heldout_predictions", "length_fits", "load_evidence",
)  # fmt: skip
COUNTS = ["rows", "fitted", "scored", "set_aside"]


def account(
    table: str, rows: pd.DataFrame, fitted: Iterable[str], scored: Iterable[str], reasons: pd.Series
) -> pd.DataFrame:
    """Rows of each source by what became of them, in the contract SOURCE_COUNTS but for the laboratory.

    rows: key, source; fitted, scored: keys; reasons: code of SET_ASIDE, (n,), missing where there is none.
    Raises InputError that names the first row which is in none of the three.
    """
    used = rows["key"].isin(list(fitted))
    checked = ~used & rows["key"].isin(list(scored))
    reason = reasons.mask(used | checked)
    lost = ~used & ~checked & reason.isna()
    if lost.any():
        row = rows[lost].iloc[0]
        expected = "a fit that uses the row, a check that scores it, or a reason in set_aside"
        where = f"{table} of {row['source']}"
        raise InputError.at(where, row=None, column="key", value=row["key"], expected=expected)
    counts = rows.assign(rows=1.0, fitted=used.astype(float), scored=checked.astype(float))
    counts = counts.assign(set_aside=reason.notna().astype(float)).groupby("source", sort=False)[COUNTS].sum()
    words = reason.groupby(rows["source"]).apply(_in_words)
    return counts.assign(table=table, reasons=words).reset_index()


def source_counts(parts: list[pd.DataFrame], sources: pd.DataFrame) -> pd.DataFrame:
    """SOURCE_COUNTS of all tables; sources: SOURCES. Raises InputError for a source without any row."""
    counts = pd.concat(parts, ignore_index=True)
    empty = ~sources["source"].isin(counts["source"])
    if empty.any():
        name = sources.loc[empty, "source"].iloc[0]
        raise InputError(f"sources.csv: source {name!r} has no row in any table")
    laboratory = sources.set_index("source")["laboratory"]
    counts["laboratory"] = counts["source"].map(laboratory)
    counts["reasons"] = counts["reasons"].astype("str").mask(counts["reasons"] == "")
    order = counts["source"].map({name: at for at, name in enumerate(sources["source"])})
    columns = ["source", "laboratory", "table", *COUNTS, "reasons"]
    return counts.loc[order.sort_values(kind="stable").index, columns].reset_index(drop=True)


def count_sources(
    tables: Mapping[str, pd.DataFrame], training: pd.DataFrame, left_out: pd.Series, steady_s: float
) -> pd.DataFrame:
    """SOURCE_COUNTS of all measured tables.

    tables: by name, as in the catalogue; training: rows that the serving model is fitted to; left_out: its
    reasons, by the index of the serving measurements; steady_s: longest wait for a first token that counts.
    """
    sources, measured, mlperf = (tables[n] for n in ("sources", "serving_measurements", "mlperf_throughput"))
    logs, lengths = tables["telemetry/node_power"], tables["telemetry/token_lengths"]
    rates = tables["request_rates"]
    submitted = str(with_role(sources, "wall_power")["source"].item())
    mlperf, logs = mlperf.assign(source=submitted), logs.assign(source=submitted, key=logs["run"])
    rates = rates.assign(source=rates["service"].str.split("/").str[0], key=rates["service"])

    scored = {*tables["validation"]["configuration"], *tables["heldout_predictions"]["key"]}
    compared = mlperf[mlperf["key"].isin(scored)]
    fitted_lengths = lengths.loc[lengths["traffic"].isin(tables["length_fits"]["traffic"]), "key"]
    reasons = serving_reasons(measured, left_out, steady_s)
    flagged = logs["valid"].map({"no": "flagged"}).astype("str")
    parts = [
        account("serving_measurements", measured, training["key"], scored, reasons),
        account("mlperf_throughput", mlperf, (), scored, mlperf_reasons(mlperf, compared)),
        account("node_power", logs, logs.loc[logs["valid"] == "yes", "run"], (), flagged),
        account("token_lengths", lengths, fitted_lengths, (), _none(lengths)),
        account("request_rates", rates, (), tables["load_evidence"]["service"], _none(rates)),
    ]
    return source_counts(parts, sources)


def serving_reasons(measured: pd.DataFrame, left_out: pd.Series, steady_first_token_s: float) -> pd.Series:
    """Why a row is not used: its own reason, then the fit's, then that its queue grew.

    measured: SERVING_MEASUREMENTS; left_out: the fit's reasons, by the index of the rows that it was given.
    """
    online = with_role(measured, "online")
    queueing = online.index[online["ttft_ms"] * MS >= steady_first_token_s]
    late = pd.Series("not_steady", queueing, dtype="str")
    own = measured["set_aside"].fillna(left_out.reindex(measured.index))
    return own.fillna(late.reindex(measured.index))


def mlperf_reasons(mlperf: pd.DataFrame, compared: pd.DataFrame) -> pd.Series:
    """Why a published run is not compared, (n,); mlperf: MLPERF_THROUGHPUT; compared: of `comparable`."""
    same = pd.MultiIndex.from_frame(compared[SAME_RUN])
    reasons = np.select(
        [
            (mlperf["category"] != "closed") | ~mlperf["scenario"].isin(["Offline", "Server"]),
            ~mlperf["software"].str.startswith("TensorRT", na=False),
            ~mlperf["gpu"].isin(list(GPUS)),
            pd.MultiIndex.from_frame(mlperf[SAME_RUN]).isin(same),
        ],
        ["other_rules", "other_engine", "other_accelerator", "restated"],
        "length_not_stated",
    )
    return pd.Series(reasons, mlperf.index, dtype="str")


def _none(rows: pd.DataFrame) -> pd.Series:
    return pd.Series(np.nan, rows.index, dtype="str")


def _in_words(reasons: pd.Series) -> str:
    counts = reasons.dropna().value_counts().sort_index()
    return "; ".join(f"{code} {count}" for code, count in counts.items())
