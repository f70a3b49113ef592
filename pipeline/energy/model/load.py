"""Energy at less than full load: smaller batches and idle nodes.

u: requests in flight over those at which the nodes kept for the service are configured (the concurrency of
   the benchmark row), mean over time, in (0, 1]. Mean over peak demand estimates it when capacity is kept for
   the peak; smaller batches answer sooner, so requests in flight fall somewhat faster than demand.
q: share of the shortfall 1 - u that shows as idle nodes, in [0, 1].

    active = 1 - q (1 - u)            share of nodes that serve
    concurrency = u / active          requests in flight on a serving node over configured ones
    idle_per_active = 1/active - 1    idle nodes kept beside each serving node

q = 0: all nodes serve, with batches of u; q = 1: full batches on u of the nodes. Energy of a request is

    node-seconds(concurrency) * (node_w(concurrency) + idle_per_active * idle_w) / 3600   Wh,

where throughput and accelerator power at the smaller batch come from their fits: both fall, power by less, so
energy rises as load falls.

What public data say of u is mean demand over the peak that capacity is kept for. DeepSeek's figures need
care. Its 8.6k output tokens/s of a node are the day's output over all nodes in use; the 14.8k of a decode
node is a mean too. Their quotient, 0.58, is the share of nodes that decode, not a load: decode nodes (output
over 14.8k) plus prefill nodes (input over 73.7k) give 226.9, and 226.75 are stated. What the source says
about load is mean over peak nodes, of an operator who takes idle nodes away for other work.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.core.errors import InputError
from pipeline.core.units import SECONDS_PER_DAY, Array

LEAST_LOAD = 0.01  # below a hundredth of the configured concurrency no fit holds


@dataclass(frozen=True)
class LoadState:
    """Serving nodes under part load; arrays of one shape."""

    concurrency_share: Array
    idle_per_active: Array

    def watts_per_serving_node(self, node_w: Array, idle_w: Array) -> Array:
        """Wall power charged to a serving node, its share of idle nodes included, W."""
        return np.asarray(node_w + self.idle_per_active * idle_w)


def part_load(utilisation: Array, idle_share: Array) -> LoadState:
    """What serving nodes run when there are fewer requests than they are configured for.

    Parameters
    ----------
    utilisation : requests in flight over those configured, in [0, 1]; raised to at least 0.01.
    idle_share : share of the shortfall that shows as idle nodes, in [0, 1]; the rest as smaller batches.

    Returns
    -------
    Shares, in the shape to which both broadcast.

    Raises
    ------
    InputError
        A value is outside 0 to 1.

    Examples
    --------
    >>> state = part_load(np.array(0.5), np.array(1.0))
    >>> state.concurrency_share.item(), state.idle_per_active.item()
    (1.0, 1.0)
    """
    u, q = np.broadcast_arrays(np.asarray(utilisation, float), np.asarray(idle_share, float))
    if np.any((u < 0) | (u > 1)):
        raise InputError("utilisation outside 0 to 1")
    if np.any((q < 0) | (q > 1)):
        raise InputError("idle_share outside 0 to 1")
    u = np.maximum(u, LEAST_LOAD)
    active = 1 - q * (1 - u)
    return LoadState(u / active, 1 / active - 1)


def from_rates(rates: pd.DataFrame, sources: pd.DataFrame) -> pd.DataFrame:
    """Mean over peak of requests and tokens per service; rates: REQUEST_RATES, sources: SOURCES."""
    citations = sources.set_index("source")["citation"]
    rows = []
    for service, group in rates.groupby("service"):
        for quantity in ("requests", "input_tokens", "output_tokens"):
            values = group[quantity]
            if values.isna().any():
                continue
            rows.append(
                {
                    "service": service,
                    "quantity": quantity,
                    "window_s": float(group["window_s"].iloc[0]),
                    "windows": float(len(values)),
                    "mean_over_peak": values.mean() / values.max(),
                    "mean_over_p95": values.mean() / values.quantile(0.95),
                    "source": citations[str(service).split("/")[0]],
                    "note": "demand; capacity for the peak window would run at this utilisation",
                }
            )
    return pd.DataFrame(rows)


def deepseek_nodes(facts: pd.DataFrame) -> pd.DataFrame:
    """DeepSeek's mean over peak nodes, and its share of decode nodes; facts: published token_lengths."""
    values = facts.set_index("key")["value"]
    decode = values["dsv3_out"] / SECONDS_PER_DAY / values["dsv3_dec"]
    prefill = values["dsv3_in"] / SECONDS_PER_DAY / values["dsv3_pre"]
    peak = float(facts.set_index("key")["note"]["dsv3_nodes"].split()[0])
    common = {
        "service": "DeepSeek V3/R1",
        "window_s": SECONDS_PER_DAY,
        "windows": 1.0,
        "mean_over_p95": float("nan"),
        "source": "deepseek_inference2025",
    }
    load = {
        "quantity": "nodes in use",
        "mean_over_peak": values["dsv3_nodes"] / peak,
        "note": "nodes are added and taken away with demand, so those in use are fuller than this",
    }
    share = {
        "quantity": "decode nodes over all nodes",
        "mean_over_peak": decode / (decode + prefill),
        "note": (
            f"no load: output and input over the mean rates of their nodes need {decode:.1f} decode and "
            f"{prefill:.1f} prefill nodes, {decode + prefill:.1f} in all; {values['dsv3_nodes']:g} are stated"
        ),
    }
    return pd.DataFrame([common | load, common | share])
