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
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import InputError

Array = NDArray[np.float64]
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
    """Split the shortfall; utilisation in (0, 1] (raised to at least 0.01), idle_share in [0, 1]."""
    u, q = np.broadcast_arrays(np.asarray(utilisation, float), np.asarray(idle_share, float))
    if np.any((u < 0) | (u > 1)):
        raise InputError("utilisation outside 0 to 1")
    if np.any((q < 0) | (q > 1)):
        raise InputError("idle_share outside 0 to 1")
    u = np.maximum(u, LEAST_LOAD)
    active = 1 - q * (1 - u)
    return LoadState(u / active, 1 / active - 1)
