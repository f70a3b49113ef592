"""A log beside what else is known: the prediction before and after it has seen the log; published values."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.core.units import JOULES_PER_WH
from pipeline.logs.estimate import EnergyFromLogs
from pipeline.logs.judge import USUAL_PART
from pipeline.logs.prices import calibrated

PRIOR = Path("data/results/prior_estimates_compared.csv")
CLASSES = Path("data/results/factors/factors.csv")
CLASS_ROWS = {
    "load": "as in production",
    "per": "1000 output tokens",
    "boundary": "facility",
    "site": "any site",
    "workload": "short",
}
MEASURED = [
    "model",
    "total_params_b",
    "active_params_b",
    "gpu",
    "gpus",
    "precision",
    "engine",
    "concurrency",
    "input_tokens",
    "output_tokens",
    "output_tokens_per_s",
    "gpu_w",
    "gpu_j_per_output_token",
    "node_wh_per_query",
]


def calibration(result: EnergyFromLogs) -> pd.DataFrame:
    """What was measured, in the columns of `pipeline.predict` and of its `--measured`: a row a model.

    Only models of known size that have their nodes to themselves; blank where nothing was metered:
    accelerators (gpu_w, gpu_j_per_output_token), the wall (node_wh_per_query). Throughput is that of the
    windows that served.
    """
    assert result.prices and result.loads and result.settings
    alone = result.loads.table.groupby("node")["model"].transform("nunique") == 1
    table, rows = result.loads.table[alone], []
    cards = result.meters[result.meters["scope"] == "gpu"].groupby("node")["device"].nunique()
    walls = set(result.meters[result.meters["scope"] == "node_wall"]["node"])
    models = result.models.set_index("model")
    for row in result.prices.assumed.to_dict("records"):
        nodes = sorted(set(table[table["model"] == row["name"]]["node"]))
        gpus = {int(cards.get(node, result.settings.deployment.gpus or 0)) for node in nodes}
        if row["name"] not in models.index or len(gpus) != 1 or not min(gpus):
            continue
        found = models.loc[row["name"]]
        of = result.nodes[result.nodes["node"].isin(nodes)]
        # where the wall is metered too, its energy counts, and that of accelerators apart is not summed up
        metered = all(node in cards.index for node in nodes) and of["serving_device_wh"].gt(0).all()
        seconds = of["serving"].sum() * result.settings.window_us / 1e6
        rows.append(
            {
                **{name: row.get(name) for name in MEASURED if name in row},
                "model": row["name"],
                "gpus": gpus.pop(),
                "output_tokens_per_s": found["output_tokens"] / seconds if seconds else np.nan,
                "gpu_w": of["serving_device_wh"].sum() * JOULES_PER_WH / seconds
                if metered and seconds
                else np.nan,
                "gpu_j_per_output_token": of["serving_device_wh"].sum()
                * JOULES_PER_WH
                / found["output_tokens"]
                if metered
                else np.nan,
                "node_wh_per_query": found["node_mean_wh"] if set(nodes) <= walls else np.nan,
            }
        )
    return pd.DataFrame(rows, columns=pd.Index(MEASURED))


def prediction(result: EnergyFromLogs) -> list[dict[str, Any]]:
    """Accelerator J of a query: in this log (metered, or their usual part of the node), and as the model of
    serving predicts it before and after it has seen this log; after: only where accelerators are metered."""
    assert result.prices and result.settings
    read = result.energy
    metered = bool(read["nodes_of_accelerators"])
    part = read["accelerators"] / read["nodes_of_accelerators"] if metered else USUAL_PART
    after = calibrated(result.prices, calibration(result), result.settings.serving)
    rows = []
    for row in result.models.to_dict("records"):
        name = str(row["model"])
        if before := result.prices.gpu_j_per_query.get(name):
            found = float(row["node_mean_wh"]) * JOULES_PER_WH * part
            rows.append(
                {"model": name, "log_j": found, "metered": metered, "ratio": found / before[1]}
                | dict(zip(("p5", "p50", "p95"), before, strict=True))
                | dict(zip(("after_p5", "after_p50", "after_p95"), after.get(name, (None,) * 3), strict=True))
            )
    return rows


def of_class(result: EnergyFromLogs) -> list[dict[str, Any]]:
    """Facility Wh of 1,000 output tokens of each model of known size, beside the class next in size."""
    assert result.prices
    if not CLASSES.exists() or result.prices.assumed.empty:
        return []
    table = pd.read_csv(CLASSES)
    for column, value in CLASS_ROWS.items():
        table = table[table[column] == value]
    sizes = ["total_params_b", "active_params_b"]
    table = table.dropna(subset=sizes)
    own = result.models.set_index("model")["wh_per_1000_output"]
    rows = []
    for row in result.prices.assumed.to_dict("records"):
        apart = np.abs(np.log(table[sizes] / [row[name] for name in sizes])).sum(axis=1)
        if apart.empty or row["name"] not in own:
            continue
        near = table.loc[apart.idxmin()]
        rows.append(
            {
                "model": row["name"],
                "wh_per_1000_output": float(own[row["name"]]),
                "class": near["model_class"],
                **{name: float(near[f"{name}_wh"]) for name in ("p5", "p50", "p95")},
            }
        )
    return rows


def published() -> list[dict[str, Any]]:
    """Published estimates of a query at the facility, by value."""
    if not PRIOR.exists():
        return []
    table = pd.read_csv(PRIOR)
    wanted = table[(table["boundary"] == "facility") & table["value_wh"].notna()]
    wanted = wanted.assign(value_wh=wanted["value_wh"].astype("float64")).sort_values("value_wh")
    return records(wanted[["subject", "quantity", "value_wh", "year", "source"]])


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as plain values, missing as none."""
    rows = []
    for row in table.to_dict("records"):
        rows.append({str(key): _value(value) for key, value in row.items()})
    return rows


def _value(value: Any) -> Any:
    if hasattr(value, "item"):
        value = value.item()
    return None if (isinstance(value, float) and not np.isfinite(value)) or value is pd.NA else value
