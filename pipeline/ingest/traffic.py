"""Traces of requests as histograms in separable parts and as rates per window.

token_lengths.csv pools each trace; a fit can be scored on requests that it has not seen only when the trace
is split: the Azure hours by half hour, ServeGen by groups of clients (the harder test: clients differ more
than half hours do). ML.ENERGY has one histogram a model, which is a part already.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.contracts.telemetry import QUANTITIES
from pipeline.contracts.traffic import REQUEST_RATES, TOKEN_LENGTH_PARTS
from pipeline.errors import InputError
from pipeline.ingest.azure_llm import read_requests
from pipeline.ingest.lengths import EDGES
from pipeline.ingest.servegen import STEP_S, TRACE, Weights, add_client
from pipeline.ingest.upstream import load_csv

AZURE_TRAFFIC = {"conv": "conversation", "code": "code"}
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
    for service, traffic in AZURE_TRAFFIC.items():
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
    parts = [*(azure_rates(azure, service) for service in AZURE_TRAFFIC), servegen_rates(servegen)]
    table = pd.concat(parts, ignore_index=True)[list(REQUEST_RATES.columns)]
    numbers = [column for column in table.columns if column != "service"]
    table = table.astype(dict.fromkeys(numbers, "float64"))
    return table.sort_values(["service", "start_s"], ignore_index=True)
