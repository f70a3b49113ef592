"""The same job as `python -m pipeline.logs`, written by hand for the benchmark: DuckDB SQL, pandas, Polars.

All do what the pipeline does for the benchmark's logs (start and end, one meter a node, tokens weighted by
model): screen for repeated rows, set unusable rows aside, spread tokens over windows, price the windows,
sum up by model and hour with p5, p50, p95, and count idle energy.
"""

from importlib import import_module
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from benchmarks.synthetic import Load

WINDOW_US = 60_000_000
HOUR_US = 3_600_000_000
GPU_TO_NODE = 1.43
WEIGHT_INPUT = dict(zip(Load().models, Load().weight_input, strict=True))

SQL = """
CREATE TEMP TABLE meters AS
SELECT node, scope, epoch_us(time) // {w} AS win, count(*) AS n, sum((watts * 1000 + 0.5)::BIGINT) AS mw,
       bit_or(1::BIGINT << ((epoch_us(time) % {w}) * 62 // {w})) AS slots
FROM '{folder}/power/*.parquet' WHERE watts BETWEEN 15 AND 20000 AND node IS NOT NULL GROUP BY ALL;

CREATE TEMP TABLE repeated_samples AS SELECT node, win FROM meters WHERE bit_count(slots) < n;

CREATE TEMP TABLE repeated AS
SELECT time, input_tokens, output_tokens, count(*) AS n FROM '{folder}/requests/*.parquet'
GROUP BY ALL HAVING n > 1;

CREATE TEMP TABLE spans AS
WITH r AS (SELECT node, epoch_us(time) AS s, epoch_us("end") AS e, {weight} AS tok,
                  s // {w} AS f, greatest(s // {w}, (e - 1) // {w}) AS l
           FROM '{folder}/requests/*.parquet'
           WHERE output_tokens > 0 AND input_tokens >= 0 AND e >= s
             AND node IS NOT NULL AND model IS NOT NULL)
SELECT node, f, l,
       sum(CASE WHEN f = l THEN tok ELSE tok * (((f + 1) * {w} - s) / greatest(e - s, 1)) END) AS tok_f,
       sum(CASE WHEN l > f + 1 THEN tok * ({w} / greatest(e - s, 1)) ELSE 0 END) AS tok_mid,
       sum(CASE WHEN f = l THEN 0 ELSE tok * ((e - l * {w}) / greatest(e - s, 1)) END) AS tok_l
FROM r GROUP BY ALL;

CREATE TEMP TABLE price AS
WITH parts AS (
    SELECT node, f AS win, tok_f AS tok, 0 AS step FROM spans
    UNION ALL SELECT node, l, tok_l, 0 FROM spans WHERE l > f
    UNION ALL SELECT node, f + 1, 0, tok_mid FROM spans WHERE l > f + 1
    UNION ALL SELECT node, l, 0, -tok_mid FROM spans WHERE l > f + 1),
tokens AS (SELECT node, win, sum(tok) AS tok, sum(step) AS step FROM parts GROUP BY ALL),
power AS (SELECT node, win, mw / n * 0.06 * if(scope = 'gpu', {gpu_to_node}, 1) AS joules
          FROM meters WHERE n >= 54),
joined AS (SELECT node, win, joules, coalesce(tok, 0)
                + sum(coalesce(step, 0)) OVER (PARTITION BY node ORDER BY win) AS tok
         FROM power FULL JOIN tokens USING (node, win))
SELECT *, CASE WHEN tok > 1e-9 THEN joules / tok ELSE 0 END AS j_per_tok,
       sum(CASE WHEN tok > 1e-9 THEN joules / tok ELSE 0 END) OVER (PARTITION BY node ORDER BY win) AS upto
FROM joined;

CREATE TEMP TABLE span_price AS
SELECT s.node, f, l, a.j_per_tok AS jf, b.j_per_tok AS jl, b.upto - b.j_per_tok - a.upto AS jmid
FROM spans s JOIN price a ON a.node = s.node AND a.win = f JOIN price b ON b.node = s.node AND b.win = l;

CREATE TEMP TABLE bins AS
WITH r AS (SELECT node, model, epoch_us(time) AS s, epoch_us("end") AS e, {weight} AS tok, input_tokens,
                  output_tokens, s // {w} AS f, greatest(s // {w}, (e - 1) // {w}) AS l
           FROM '{folder}/requests/*.parquet'
           WHERE output_tokens > 0 AND input_tokens >= 0 AND e >= s
             AND node IS NOT NULL AND model IS NOT NULL),
q AS (SELECT model, s // {h} AS hour, output_tokens, input_tokens,
             ((CASE WHEN r.f = r.l THEN tok * jf
                    ELSE tok / greatest(e - s, 1) * (((r.f + 1) * {w} - s) * jf + (e - r.l * {w}) * jl
                         + CASE WHEN r.l > r.f + 1 THEN {w} * jmid ELSE 0 END) END) * 1e6)::BIGINT AS uj
      FROM r JOIN span_price p ON p.node = r.node AND p.f = r.f AND p.l = r.l),
b AS (SELECT *, (10 ** greatest(floor(log10(uj)) - 2, 0))::BIGINT AS unit FROM q)
SELECT model, hour, uj // unit * unit AS bin, count(*) AS n, sum(uj) AS uj, min(uj) AS lo, max(uj) AS hi,
       sum(output_tokens) AS output_tokens, sum(input_tokens) AS input_tokens
FROM b GROUP BY ALL;
"""
RESULT = """
WITH c AS (SELECT *, sum(n) OVER (PARTITION BY model, hour ORDER BY bin) AS upto,
                  sum(n) OVER (PARTITION BY model, hour) AS total FROM bins)
SELECT hour, model, sum(n) AS queries, sum(uj) / sum(n) / 3.6e9 AS node_mean_wh, {quantiles}
FROM c GROUP BY ALL ORDER BY ALL
"""


def by_sql(folder: Path, memory_limit_mb: int, spill: Path) -> pd.DataFrame:
    """Hour, model, queries, node_mean_wh, p5_wh, p50_wh, p95_wh (at the node) by hand-written DuckDB SQL."""
    config = {"memory_limit": f"{memory_limit_mb}MB", "temp_directory": str(spill)}
    connection = duckdb.connect(config=config | {"preserve_insertion_order": "false"})
    by_model = " ".join(f"WHEN '{model}' THEN {weight}" for model, weight in WEIGHT_INPUT.items())
    weight = f"(output_tokens + CASE model {by_model} END * input_tokens)::DOUBLE"
    connection.execute(
        SQL.format(w=WINDOW_US, h=HOUR_US, folder=folder, gpu_to_node=GPU_TO_NODE, weight=weight)
    )
    quantiles = ", ".join(
        f"max(CASE WHEN {q} * (total - 1) BETWEEN upto - n AND upto "
        f"THEN lo + (hi - lo) * (({q} * (total - 1) - upto + n) / "
        f"greatest(n - 1, 1)) END) / 3.6e9 AS {name}_wh"
        for name, q in (("p5", 0.05), ("p50", 0.5), ("p95", 0.95))
    )
    return connection.execute(RESULT.format(quantiles=quantiles)).df()


def by_pandas(folder: Path) -> pd.DataFrame:
    """The same table by pandas, everything in memory."""
    prices = _window_prices(folder)
    requests = pd.read_parquet(folder / "requests")
    requests = requests[~requests.duplicated()]
    usable = (
        (requests["output_tokens"] > 0)
        & (requests["input_tokens"] >= 0)
        & (requests["end"] >= requests["time"])
    )
    requests = requests[usable & requests["node"].notna() & requests["model"].notna()]
    start, end = (requests[column].astype("datetime64[us]").astype("int64") for column in ("time", "end"))
    length = np.maximum(end - start, 1)
    first = start // WINDOW_US
    last = np.maximum(first, (end - 1) // WINDOW_US)
    node, model = requests["node"].astype("category"), requests["model"].astype("category")
    by_model = model.map(WEIGHT_INPUT).astype("float64")
    tokens = requests["output_tokens"] + by_model * requests["input_tokens"]
    parts = []
    for k in range(int((last - first).max()) + 1):
        touched = (last - first) >= k
        edge = (first[touched] + k) * WINDOW_US
        overlap = np.minimum(end[touched], edge + WINDOW_US) - np.maximum(start[touched], edge)
        share = np.where(end[touched] > start[touched], overlap / length[touched], 1.0)
        parts.append(
            pd.DataFrame(
                {"node": node[touched], "win": first[touched] + k, "tokens": tokens[touched] * share}
            )
        )
    pieces = pd.concat(parts)
    pieces["request"] = pieces.index
    served = pieces.groupby(["node", "win"], observed=True)["tokens"].sum().rename("served").reset_index()
    prices = prices.merge(served.astype({"node": str}), on=["node", "win"])
    prices["j_per_token"] = prices["joules"] / prices["served"]
    pieces = pieces.astype({"node": prices["node"].dtype}).merge(
        prices[["node", "win", "j_per_token"]], on=["node", "win"]
    )
    joules = (pieces["tokens"] * pieces["j_per_token"]).groupby(pieces["request"]).sum()
    wh = joules.reindex(requests.index) / 3600
    grouped = wh.groupby([start // HOUR_US, model], observed=True)
    quantiles = grouped.quantile([0.05, 0.5, 0.95]).unstack()  # noqa: PD010
    quantiles.columns = ["p5_wh", "p50_wh", "p95_wh"]
    table = pd.concat(
        [grouped.size().rename("queries"), grouped.mean().rename("node_mean_wh"), quantiles], axis=1
    )
    return table.rename_axis(["hour", "model"]).reset_index()


def by_polars(folder: Path) -> pd.DataFrame:
    """The same table by Polars, on its streaming engine; requests are kept, so that each has one row."""
    pl = import_module("polars")
    col = pl.col
    windows = (
        pl.scan_parquet(folder / "power/*.parquet")
        .unique(["node", "scope", "time"])
        .filter(col("watts").is_between(15, 20000), col("node").is_not_null())
        .group_by("node", "scope", win=col("time").dt.epoch("us") // WINDOW_US)
        .agg(col("watts").mean(), pl.len())
        .filter(col("len") >= 54)
    )
    factor = pl.when(col("scope") == "gpu").then(GPU_TO_NODE).otherwise(1.0)
    start, end = col("start"), col("end")
    by_model = col("model").cast(pl.String).replace_strict(WEIGHT_INPUT, return_dtype=pl.Float64)
    requests = (
        pl.scan_parquet(folder / "requests/*.parquet")
        .unique()
        .filter(col("output_tokens") > 0, col("input_tokens") >= 0, end >= col("time"))
        .filter(col("node").is_not_null(), col("model").is_not_null())
        .with_columns(start=col("time").dt.epoch("us"), end=end.dt.epoch("us"))
        .select("node", "model", "start", "end", tokens=col("output_tokens") + by_model * col("input_tokens"))
        .with_row_index("request")
        .collect(engine="streaming")
        .lazy()
    )
    first, last = start // WINDOW_US, pl.max_horizontal(start // WINDOW_US, (end - 1) // WINDOW_US)
    edge = col("win") * WINDOW_US
    overlap = pl.min_horizontal(end, edge + WINDOW_US) - pl.max_horizontal(start, edge)
    pieces = (
        requests.with_columns(win=pl.int_ranges(first, last + 1))
        .explode("win")
        .with_columns(
            tokens=col("tokens") * pl.when(end > start).then(overlap / (end - start)).otherwise(1.0)
        )
    )
    served = pieces.group_by("node", "win").agg(served=col("tokens").sum())
    prices = windows.select("node", "win", joules=col("watts") * 60 * factor).join(served, on=["node", "win"])
    joules = col("tokens") * col("joules") / col("served")
    priced = pieces.join(prices, on=["node", "win"]).group_by("request").agg(wh=joules.sum() / 3600)
    quantiles = {f"p{q}_wh": col("wh").quantile(q / 100, "linear") for q in (5, 50, 95)}
    table = (
        requests.join(priced, on="request", how="left")
        .group_by("model", hour=start // HOUR_US)
        .agg(queries=pl.len(), node_mean_wh=col("wh").mean(), **quantiles)
    )
    return table.collect(engine="streaming").to_pandas()


def _window_prices(folder: Path) -> pd.DataFrame:
    power = pd.read_parquet(folder / "power")
    power = power[~power.duplicated(["node", "scope", "time"])]
    power = power[power["watts"].between(15, 20000) & power["node"].notna()]
    power["win"] = power["time"].astype("datetime64[us]").astype("int64") // WINDOW_US
    windows = power.groupby(["node", "scope", "win"])["watts"].agg(["mean", "size"]).reset_index()
    windows = windows[windows["size"] >= 54]
    factor = np.where(windows["scope"] == "gpu", GPU_TO_NODE, 1.0)
    return windows.assign(joules=windows["mean"] * 60 * factor)[["node", "win", "joules"]]
