"""Synthetic logs with known truth, for tests, benchmarks and the example: no measurement, and named so.

Each node draws its joules per output token in every window, an input token counting as some output tokens by
its model; power follows from the tokens, so the energy of every request is known before any log is written.
Some windows are idle, some requests span several windows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.core.files import write_csv, write_parquet
from pipeline.core.units import JOULES_PER_WH
from pipeline.logs.settings import OTHER, TokenWeights
from pipeline.serving.model.contract import ANY_OTHER_MODEL, TOKEN_WEIGHTS

START = np.datetime64("2026-01-05T00:00:00", "us")
US = 1_000_000
JOULES_PER_TOKEN = (6.0, 14.0)
IDLE_WATTS = 700.0
LEAST_WATTS = 25.0  # a window with hardly a token still draws power that the checks find plausible


@dataclass(frozen=True)
class Load:
    """How many logs of what kind; the truth is exact for windows of `window_seconds`."""

    nodes: int = 4
    minutes: int = 120
    window_seconds: int = 60
    requests_per_minute: float = 60.0
    idle_share: float = 0.1
    models: tuple[str, ...] = ("large", "medium", "small")
    weight_input: tuple[float, ...] = (
        0.2,
        0.1,
        0.05,
    )  # output tokens that an input token counts as, by model
    mean_output_tokens: float = 300.0
    median_seconds: float = 12.0
    gpu_scope_every: int = 4
    gpu_to_node: float = 1.43
    seed: int = 20260105

    @property
    def seconds(self) -> int:
        """Length of the logs."""
        return self.minutes * 60

    @property
    def windows(self) -> int:
        """Windows of the logs."""
        return self.seconds // self.window_seconds

    @property
    def weights(self) -> TokenWeights:
        """What an account of these logs should be told: the last model is any other."""
        *fitted, other = zip(self.models, self.weight_input, strict=True)
        return TokenWeights(other[1], dict(fitted), OTHER)


@dataclass(frozen=True)
class NodeLogs:
    """The two logs of one node; `truth` has hour, model, node_wh of each request; idle_wh the idle energy."""

    requests: pd.DataFrame
    power: pd.DataFrame
    truth: pd.DataFrame
    idle_wh: pd.Series


def node_logs(load: Load, node: int) -> NodeLogs:
    """The logs of one node; a node's logs depend on the seed and its number only."""
    rng = np.random.default_rng([load.seed, node])
    start_us, end_us = _times(load, rng)
    count = len(start_us)
    output_tokens = 1 + rng.geometric(1 / load.mean_output_tokens, count)
    input_tokens = rng.integers(10, 4000, count)
    model = rng.integers(0, len(load.models), count)
    tokens = output_tokens + np.array(load.weight_input)[model] * input_tokens
    parts = _parts(start_us, end_us, load)
    tokens_in_window = np.zeros(load.windows)
    for window, share in parts:
        np.add.at(tokens_in_window, window, tokens * share)
    joules_per_token, watts = _window_power(load, rng, tokens_in_window)
    joules = sum((tokens * share * joules_per_token[window] for window, share in parts), np.zeros(count))
    name = f"node-{node:05d}"
    requests = pd.DataFrame(
        {
            "time": START + start_us.astype("timedelta64[us]"),
            "end": START + end_us.astype("timedelta64[us]"),
            "node": name,
            "model": np.array(load.models, dtype=object)[model],
            "input_tokens": input_tokens,
            "output_tokens": output_tokens,
        }
    )
    hour = requests["time"].dt.floor("h")
    truth = pd.DataFrame({"hour": hour, "model": requests["model"], "node_wh": joules / JOULES_PER_WH})
    idle = pd.Series(np.where(tokens_in_window == 0, watts * load.window_seconds / JOULES_PER_WH, 0.0))
    idle = idle.groupby(idle.index * load.window_seconds // 3600).sum()
    return NodeLogs(requests, _power(load, node, name, watts), truth, idle)


def all_logs(load: Load) -> NodeLogs:
    """The logs of all nodes together."""
    parts = [node_logs(load, node) for node in range(load.nodes)]
    requests, power, truth = (
        pd.concat([getattr(part, name) for part in parts], ignore_index=True)
        for name in ("requests", "power", "truth")
    )
    return NodeLogs(
        requests, power, truth, pd.concat([part.idle_wh for part in parts]).groupby(level=0).sum()
    )


def write_example(folder: Path) -> None:
    """Write the example of data/examples: requests.csv and power.csv.gz, a few kilobytes."""
    logs = all_logs(Load(nodes=2, minutes=6, requests_per_minute=4.0, gpu_scope_every=2))
    requests, power = (table.sort_values(["time", "node"]) for table in (logs.requests, logs.power))
    form: dict[str, Any] = {"index": False, "lineterminator": "\n", "date_format": "%Y-%m-%dT%H:%M:%S.%fZ"}
    folder.mkdir(parents=True, exist_ok=True)
    requests.to_csv(folder / "requests.csv", **form)
    short = power.assign(time=power["time"].dt.strftime("%Y-%m-%dT%H:%M:%SZ"), watts=power["watts"].round(1))
    short.to_csv(folder / "power.csv.gz", compression={"method": "gzip", "mtime": 0}, **form)


def write_logs(load: Load, folder: Path, nodes_per_file: int = 16, with_truth: bool = False) -> Iterator[int]:
    """Write requests/ and power/ as Parquet parts, a few nodes each; yields the nodes written so far.

    `with_truth` adds truth/: hour, model and node_wh of each request.
    """
    for first in range(0, load.nodes, nodes_per_file):
        parts = [node_logs(load, node) for node in range(first, min(first + nodes_per_file, load.nodes))]
        for log in ("requests", "power"):
            table = pd.concat([getattr(part, log) for part in parts], ignore_index=True)
            write_parquet(table.sort_values(["time", "node"]), folder / log / f"part-{first:05d}.parquet")
        if with_truth:
            truth = pd.concat([part.truth for part in parts], ignore_index=True)
            write_parquet(truth, folder / "truth" / f"part-{first:05d}.parquet")
        yield first + len(parts)


def write_weights(load: Load, path: Path) -> None:
    """Write `load.weights` as the table that `python -m pipeline.logs --weights` takes."""
    rows = [*load.weights.fitted.items(), (ANY_OTHER_MODEL, load.weights.other)]
    table = pd.DataFrame(rows, columns=pd.Index(["model", "weight_input"]))
    table = table.assign(configurations=1, requests_in_flight=1.0).assign(
        weight_input_p5=table["weight_input"], weight_input_p95=table["weight_input"]
    )
    write_csv(table[list(TOKEN_WEIGHTS.columns)], path)


def _times(load: Load, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Start and end of each request, microseconds from the first window; none starts in an idle window."""
    count = rng.poisson(load.minutes * load.requests_per_minute)
    start = np.sort(rng.integers(0, load.seconds * US, count))
    window_us = load.window_seconds * US
    idle = rng.random(load.windows) < load.idle_share
    start = start[~idle[start // window_us]]
    length = (rng.lognormal(np.log(load.median_seconds), 0.8, len(start)) * US).astype("int64")
    end = np.minimum(start + length, load.seconds * US)
    # the window after which comes an idle one keeps its requests, mostly, so that some windows stay idle
    next_edge = (start // window_us + 1) * window_us
    followed = np.append(idle, True)[start // window_us + 1]
    return start, np.where(followed & (rng.random(len(start)) < 0.999), np.minimum(end, next_edge), end)


def _parts(start: np.ndarray, end: np.ndarray, load: Load) -> list[tuple[np.ndarray, np.ndarray]]:
    """For the k-th window that requests touch: its number, and the share of each request in it."""
    length, window_us = np.maximum(end - start, 1), load.window_seconds * US
    first = start // window_us
    spans = int(np.max((end - 1) // window_us - first, initial=0))
    parts = []
    for k in range(spans + 1):
        edge = (first + k) * window_us
        overlap = np.minimum(end, edge + window_us) - np.maximum(start, edge)
        parts.append((np.minimum(first + k, load.windows - 1), np.maximum(overlap, 0) / length))
    return parts


def _window_power(
    load: Load, rng: np.random.Generator, tokens_in_window: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Joules per output token and watts of each window."""
    drawn = rng.uniform(*JOULES_PER_TOKEN, load.windows)
    watts = np.maximum(drawn * tokens_in_window / load.window_seconds, LEAST_WATTS)
    watts = np.round(np.where(tokens_in_window > 0, watts, IDLE_WATTS), 3)
    return watts * load.window_seconds / np.where(tokens_in_window > 0, tokens_in_window, np.inf), watts


def _power(load: Load, node: int, name: str, watts: np.ndarray) -> pd.DataFrame:
    """One sample a second that swings around the window's mean."""
    on_gpu = load.gpu_scope_every and node % load.gpu_scope_every == load.gpu_scope_every - 1
    scale = load.gpu_to_node if on_gpu else 1.0
    second = np.arange(load.seconds)
    swing = np.where(second % 2 == 0, 1.05, 0.95)
    return pd.DataFrame(
        {
            "time": START + (second * US).astype("timedelta64[us]"),
            "node": name,
            "watts": np.repeat(watts, load.window_seconds) * swing / scale,
            "scope": "gpu" if on_gpu else "node_wall",
        }
    )
