"""ServeGen, DeepSeek-R1 in production: length distributions of each client, weighted by its requests.

A client has a trace of request rates (per 10 minutes of one day) and, per window of 6 hours, the shares
of requests by exact input and output tokens. Weighted by the requests of client and window they add up to
the lengths of the whole service. Input and output stand apart: how they go together is not known.
"""

import ast
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.contracts.telemetry import QUANTITIES
from pipeline.errors import InputError
from pipeline.ingest.lengths import from_counts
from pipeline.ingest.upstream import load_csv, load_json

TRACE = ["start_s", "requests_per_s", "cv", "family", "shape", "scale"]
STEP_S = 600
WINDOW_S = 21600
Weights = dict[str, dict[int, float]]


def lengths(folder: Path) -> list[dict[str, Any]]:
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
