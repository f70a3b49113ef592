"""Traces of requests and token lengths: quantiles, histograms in separable parts, rates per window.

Azure LLM inference traces 2023: every request of one hour of two production services.

ServeGen, DeepSeek-R1 in production: length distributions of each client, weighted by its requests.

A client has a trace of request rates (per 10 minutes of one day) and, per window of 6 hours, the shares
of requests by exact input and output tokens. Weighted by the requests of client and window they add up to
the lengths of the whole service. Input and output stand apart: how they go together is not known.

token_lengths.csv pools each trace; a fit can be scored on requests that it has not seen only when the trace
is split: the Azure hours by half hour, ServeGen by groups of clients (the harder test: clients differ more
than half hours do). ML.ENERGY has one histogram a model, which is a part already.
"""

import ast
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.core.errors import InputError
from pipeline.core.read import validate
from pipeline.core.units import Array
from pipeline.ingest.contract_telemetry import (
    PERCENTILES,
    QUANTITIES,
    REQUEST_RATES,
    REQUESTS,
    TOKEN_LENGTH_HISTOGRAMS,
    TOKEN_LENGTH_PARTS,
    TOKEN_LENGTHS,
)
from pipeline.ingest.upstream import load_csv, load_json

BINS_PER_DECADE = 24
# Whole tokens, evenly spaced on a log axis once a bin is wider than one token; up to 10^6.
EDGES = np.unique(np.r_[0, np.round(10 ** (np.arange(6 * BINS_PER_DECADE + 1) / BINS_PER_DECADE))])


def from_counts(values: Array, weights: Array) -> tuple[dict[str, Any], pd.DataFrame]:
    """Summary and histogram of whole token counts; `weights` are requests per value (shape as `values`).

    A percentile is the smallest value that at least that share of the requests does not exceed.
    """
    order = np.argsort(values, kind="stable")
    values, weights = np.asarray(values, float)[order], np.asarray(weights, float)[order]
    below = np.cumsum(weights) / weights.sum()
    # A share that equals the percentile must count as reached, whatever the last bit of the sum.
    at = np.searchsorted(below, np.array(PERCENTILES) / 100 - 1e-12)
    summary = _summary(weights, np.average(values, weights=weights), values[at], "exact")
    counts, _ = np.histogram(values, bins=EDGES, weights=weights)
    return summary, _histogram(EDGES[:-1], EDGES[1:], counts)


def from_bins(low: Array, high: Array, counts: Array) -> tuple[dict[str, Any], pd.DataFrame]:
    """Summary and histogram of a source's own adjoining bins; lengths spread evenly inside a bin."""
    low, high, counts = (np.asarray(values, float) for values in (low, high, counts))
    reached = np.r_[0, np.cumsum(counts)] / counts.sum()
    percentiles = np.interp(np.array(PERCENTILES) / 100, reached, np.r_[low[0], high])
    mean = np.average((low + high) / 2, weights=counts)
    return _summary(counts, mean, percentiles, "binned"), _histogram(low, high, counts)


def length_tables(entries: list[dict[str, Any]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """TOKEN_LENGTHS and TOKEN_LENGTH_HISTOGRAMS from entries with labels, `summary` and `histogram`."""
    labels = [{k: v for k, v in entry.items() if k not in ("summary", "histogram")} for entry in entries]
    rows = [label | entry["summary"] for label, entry in zip(labels, entries, strict=True)]
    lengths = pd.DataFrame(rows).reindex(columns=list(TOKEN_LENGTHS.columns))
    lengths["note"] = lengths["note"].astype("str")
    lengths["spearman_input_output"] = lengths["spearman_input_output"].astype("float64")
    parts = [entry["histogram"].assign(key=entry["key"], quantity=entry["quantity"]) for entry in entries]
    histograms = pd.concat(parts, ignore_index=True)[list(TOKEN_LENGTH_HISTOGRAMS.columns)]
    by = ["key", "quantity"]
    return (
        lengths.sort_values(by, kind="stable", ignore_index=True),
        histograms.sort_values([*by, "from_tokens"], kind="stable", ignore_index=True),
    )


def _summary(weights: Array, mean: float, percentiles: Array, resolution: str) -> dict[str, Any]:
    named = {f"p{q}": float(value) for q, value in zip(PERCENTILES, percentiles, strict=True)}
    return {"requests": float(weights.sum()), "mean": float(mean), **named, "resolution": resolution}


def _histogram(low: Array, high: Array, counts: Array) -> pd.DataFrame:
    used = counts > 0
    share = counts[used] / counts.sum()
    return pd.DataFrame({"from_tokens": low[used], "to_tokens": high[used], "share": share})


WORKLOADS = {"conv": "conversation", "code": "code completion"}
TRAFFIC = {"conv": "conversation", "code": "code"}
COLUMNS = ["TIMESTAMP", "ContextTokens", "GeneratedTokens"]


def read_requests(folder: Path, service: str) -> pd.DataFrame:
    """Requests of one service ("conv" or "code"), in the contract REQUESTS; the model is not named."""
    path = folder / "data" / f"AzureLLMInferenceTrace_{service}.csv"
    upstream = load_csv(path, COLUMNS)
    time = pd.to_datetime(upstream["TIMESTAMP"], format="ISO8601", errors="coerce")
    for column, values in {"TIMESTAMP": time, **upstream[COLUMNS[1:]]}.items():
        wrong = values.isna() | (values < 1 if column != "TIMESTAMP" else False)
        if wrong.any():
            at = int(wrong.to_numpy().argmax())
            expected = "a time" if column == "TIMESTAMP" else "at least one token"
            value = upstream[column].tolist()[at]
            raise InputError.at(path, row=at + 2, column=column, value=value, expected=expected)
    requests = pd.DataFrame(
        {
            "time": time.astype("datetime64[us]"),
            "node": f"azure_{service}",
            "model": pd.Series(np.nan, index=upstream.index).astype("str"),
            "input_tokens": upstream["ContextTokens"].astype("int64"),
            "output_tokens": upstream["GeneratedTokens"].astype("int64"),
        }
    )
    return validate(requests, REQUESTS, path)


def azure_lengths(folder: Path) -> list[dict[str, Any]]:
    """Input and output lengths of both services, with their rank correlation."""
    entries = []
    for service, workload in WORKLOADS.items():
        requests = read_requests(folder, service)
        correlation = requests["input_tokens"].corr(requests["output_tokens"], method="spearman")
        for quantity in QUANTITIES:
            summary, histogram = from_counts(requests[quantity].to_numpy(), np.ones(len(requests)))
            entries.append(
                {
                    "key": f"azure_llm_2023/{service}",
                    "source": "azure_llm_2023",
                    "workload": f"Azure production, {workload}",
                    "traffic": TRAFFIC[service],
                    "quantity": quantity,
                    "summary": summary | {"spearman_input_output": correlation},
                    "histogram": histogram,
                    "note": "one hour, model not named",
                }
            )
    return entries


TRACE = ["start_s", "requests_per_s", "cv", "family", "shape", "scale"]
STEP_S = 600
WINDOW_S = 21600
Weights = dict[str, dict[int, float]]


def servegen_lengths(folder: Path) -> list[dict[str, Any]]:
    """Input and output lengths of the whole service, exact counts."""
    clients = sorted((folder / "data" / "reason" / "deepseek-r1").glob("chunk-*-trace.csv"))
    if not clients:
        raise InputError(f"{folder}: no client; `make telemetry` fetches them")
    weights: Weights = {quantity: {} for quantity in QUANTITIES}
    for trace in clients:
        add_client(trace, trace.with_name(trace.name.replace("-trace.csv", "-dataset.json")), weights)
    entries = []
    for quantity in QUANTITIES:
        values = np.array(sorted(weights[quantity]), dtype=float)
        summary, histogram = from_counts(values, np.array([weights[quantity][int(v)] for v in values]))
        entries.append(
            {
                "key": "servegen/deepseek-r1",
                "source": "servegen",
                "workload": "DeepSeek-R1 in production, reasoning included",
                "traffic": "reasoning",
                "quantity": quantity,
                "summary": summary,
                "histogram": histogram,
                "note": f"{len(clients)} clients weighted by their requests in one day",
            }
        )
    return entries


def add_client(trace: Path, dataset: Path, weights: Weights) -> None:
    """Add the requests of one client, by tokens, to `weights`[quantity][tokens]."""
    steps = load_csv(trace, TRACE, header=None)
    requests = (steps["requests_per_s"] * STEP_S).groupby(steps["start_s"] // WINDOW_S * WINDOW_S).sum()
    windows = load_json(dataset)
    for start, count in requests[requests > 0].items():
        for quantity in QUANTITIES:
            for tokens, share in _shares(dataset, windows, str(start), quantity).items():
                total = weights[quantity]
                total[tokens] = total.get(tokens, 0.0) + share * count


def _shares(path: Path, windows: dict[str, Any], start: str, quantity: str) -> dict[int, float]:
    try:
        shares = ast.literal_eval(windows[start][quantity])
    except (KeyError, ValueError, SyntaxError):
        shares = {}
    whole = isinstance(shares, dict) and all(isinstance(tokens, int) and tokens > 0 for tokens in shares)
    if not whole or abs(sum(shares.values()) - 1) > 1e-6:
        expected = "shares by whole tokens that add up to 1, for a window with requests"
        raise InputError.at(path, row=None, column=f"{start}.{quantity}", value="...", expected=expected)
    return shares


HALF_HOUR_S = 1800
MINUTE_S = 60
CLIENT_GROUPS = 4


def histogram(values: NDArray[Any], weights: NDArray[Any], **labels: str) -> pd.DataFrame:
    """Requests per bin of the common edges; empty bins are left out."""
    requests, _ = np.histogram(values, bins=EDGES, weights=weights)
    table = pd.DataFrame({"from_tokens": EDGES[:-1], "to_tokens": EDGES[1:], "requests": requests})
    return table[table["requests"] > 0].assign(**labels)


def azure_parts(folder: Path) -> list[pd.DataFrame]:
    """Both quantities of both services, by half hour of the trace."""
    parts = []
    for service, traffic in TRAFFIC.items():
        requests = read_requests(folder, service)
        half = (requests["time"] - requests["time"].min()).dt.total_seconds() // HALF_HOUR_S
        for number, group in requests.groupby(half.astype(int)):
            for quantity in QUANTITIES:
                labels = {"traffic": traffic, "part": f"half hour {number + 1}", "quantity": quantity}
                values = group[quantity].to_numpy()
                parts.append(histogram(values, np.ones(len(values)), **labels))
    return parts


def servegen_parts(folder: Path) -> list[pd.DataFrame]:
    """Both quantities of DeepSeek-R1, by group of clients (every fourth client of the list)."""
    clients = servegen_clients(folder)
    parts = []
    for group in range(CLIENT_GROUPS):
        weights: Weights = {quantity: {} for quantity in QUANTITIES}
        for trace in clients[group::CLIENT_GROUPS]:
            add_client(trace, trace.with_name(trace.name.replace("-trace.csv", "-dataset.json")), weights)
        for quantity, counts in weights.items():
            labels = {"traffic": "reasoning", "part": f"clients {group + 1}", "quantity": quantity}
            parts.append(histogram(np.array(list(counts)), np.array(list(counts.values())), **labels))
    return parts


def servegen_clients(folder: Path) -> list[Path]:
    """The traces of all clients, in the order of their numbers; raises InputError when there is none."""
    traces = (folder / "data" / "reason" / "deepseek-r1").glob("chunk-*-trace.csv")
    clients = sorted(traces, key=lambda path: int(path.name.split("-")[1]))
    if not clients:
        raise InputError(f"{folder}: no client; `make telemetry` fetches them")
    return clients


def length_parts(azure: Path, servegen: Path) -> pd.DataFrame:
    """Everything above in the contract TOKEN_LENGTH_PARTS."""
    table = pd.concat([*azure_parts(azure), *servegen_parts(servegen)], ignore_index=True)
    table = table[list(TOKEN_LENGTH_PARTS.columns)]
    return table.sort_values(["traffic", "quantity", "part", "from_tokens"], ignore_index=True)


def azure_rates(folder: Path, service: str) -> pd.DataFrame:
    """Requests and tokens per minute of one service; the last, broken minute is left out."""
    requests = read_requests(folder, service)
    minute = ((requests["time"] - requests["time"].min()).dt.total_seconds() // MINUTE_S).astype(int)
    sums = requests.groupby(minute)[QUANTITIES].sum()
    sums.insert(0, "requests", requests.groupby(minute).size())
    sums = sums.reindex(range(minute.max()), fill_value=0).astype(float)
    start_s = sums.index.to_numpy() * MINUTE_S
    return sums.assign(service=f"azure_llm_2023/{service}", start_s=start_s, window_s=MINUTE_S)


def servegen_rates(folder: Path) -> pd.DataFrame:
    """Requests of all clients per ten minutes of one day."""
    steps = pd.concat([load_csv(path, TRACE, header=None) for path in servegen_clients(folder)])
    requests = steps.groupby("start_s")["requests_per_s"].sum() * STEP_S
    table = pd.DataFrame({"start_s": requests.index, "requests": requests.to_numpy()})
    return table.assign(
        service="servegen/deepseek-r1", window_s=STEP_S, input_tokens=np.nan, output_tokens=np.nan
    )


def request_rates(azure: Path, servegen: Path) -> pd.DataFrame:
    """All traces in the contract REQUEST_RATES."""
    parts = [*(azure_rates(azure, service) for service in TRAFFIC), servegen_rates(servegen)]
    table = pd.concat(parts, ignore_index=True)[list(REQUEST_RATES.columns)]
    numbers = [column for column in table.columns if column != "service"]
    table = table.astype(dict.fromkeys(numbers, "float64"))
    return table.sort_values(["service", "start_s"], ignore_index=True)
