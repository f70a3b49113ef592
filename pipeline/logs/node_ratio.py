"""From the power of accelerators to that of their node: node_w = fixed_w x accelerators + slope x
accelerator_w.

The line and its 5th and 95th percentile are those of the fitted servers
(`data/results/node_power_fits.csv`), of the type that the log or deployment.yaml names; of all types
together where none is known.
"""

import re
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from scipy.stats import qmc

from pipeline.core.catalogue import find
from pipeline.core.read import read_table
from pipeline.servers.model.contract import NODE_POWER_FITS
from pipeline.servers.model.power import SERVER_GPUS, SERVERS, ServerFit, from_table

FITS = Path("data/results/node_power_fits.csv")
HARDWARE = Path("data/published/hardware.csv")
POINTS = 4096  # of a Sobol net
IDLE_PART = 0.25  # of its rated power, that an accelerator without work draws at most


@dataclass(frozen=True)
class Line:
    """Watts of a node for each accelerator, and for each of their watts."""

    fixed_w: float
    slope: float


@dataclass(frozen=True)
class NodeRatio:
    """The line of each node, by name, and of any other; `spread` is P5 and P95 of node power over the
    line's."""

    any_node: Line
    by_node: dict[str, Line] = field(default_factory=dict)
    basis: str = "constant"
    spread: tuple[float, float] = (1.0, 1.0)

    @classmethod
    def constant(cls, ratio: float, basis: str = "constant") -> "NodeRatio":
        """Node power as a fixed multiple of accelerator power."""
        return cls(Line(0.0, ratio), basis=basis)

    def of(self, cards: int) -> "NodeRatio":
        """The same for meters of several accelerators each."""
        many = {name: Line(line.fixed_w * cards, line.slope) for name, line in self.by_node.items()}
        return replace(self, any_node=Line(self.any_node.fixed_w * cards, self.any_node.slope), by_node=many)

    def line(self, node: ir.StringValue) -> tuple[ir.Value, ir.Value]:
        """slope and fixed watts an accelerator, for the node of each row."""
        slope, fixed = ibis.literal(self.any_node.slope), ibis.literal(self.any_node.fixed_w)
        branches = sorted(self.by_node.items())
        if not branches:
            return slope, fixed
        return (
            ibis.cases(*((node == name, ibis.literal(line.slope)) for name, line in branches), else_=slope),
            ibis.cases(*((node == name, ibis.literal(line.fixed_w)) for name, line in branches), else_=fixed),
        )


def type_of(gpu: str) -> str:
    """The measured server type for an accelerator's name, however a tool writes it; blank where none stands
    for it."""
    name, types = _plain(gpu), _types()
    return next((types[known] for known in sorted(types, key=len, reverse=True) if _plain(known) in name), "")


@cache
def most_idle_w(gpu: str) -> float | None:
    """Node watts, an accelerator, that a server of a known type draws at most while it does nothing (P95)."""
    server = type_of(gpu)
    if not server:
        return None
    fit = from_table(read_table(FITS, NODE_POWER_FITS), _hardware())[server]
    draws = _draws(fit, qmc.Sobol(4, seed=0).random(POINTS))
    return float(np.quantile(draws[:, 0] + draws[:, 1] * IDLE_PART * fit.rated_w, 0.95))


@cache
def _hardware() -> pd.DataFrame:
    return read_table(HARDWARE, find("hardware").contract)


def _types() -> dict[str, str]:
    """Type of server by accelerator."""
    return {str(row.gpu): SERVERS[str(row.generation)] for row in _hardware().itertuples()}


def fitted_ratio(gpu_of_node: dict[str, str], stated: str, mean_w: float) -> NodeRatio:
    """The fitted lines for the accelerators of each node; `mean_w`, of one of them, is where the spread is
    taken.

    gpu_of_node: accelerator's name by node, where the log gives it; stated: that of deployment.yaml, or
    blank.
    """
    uniforms = qmc.Sobol(4, seed=0).random(POINTS)
    fits = from_table(read_table(FITS, NODE_POWER_FITS), _hardware())
    draws = {gpu: _draws(fit, uniforms) for gpu, fit in fits.items()}
    known = {node: type_of(gpu) for node, gpu in gpu_of_node.items() if type_of(gpu)}
    types = set(known.values())
    usual = type_of(stated) or (next(iter(types)) if len(types) == 1 else "")
    of_any = draws[usual] if usual else np.concatenate(list(draws.values()))
    by_node = {node: _line(draws[server]) for node, server in known.items() if server != usual}
    rated_w = fits[usual].rated_w if usual else float(np.median([fit.rated_w for fit in fits.values()]))
    watts = min(mean_w, rated_w)
    power, line = of_any[:, 0] + of_any[:, 1] * watts, _line(of_any)
    low, high = np.quantile(power, [0.05, 0.95]) / (line.fixed_w + line.slope * watts)
    basis = (
        f"fitted line of {usual} servers" if usual else "fitted lines of all measured servers: type not known"
    )
    return NodeRatio(line, by_node, basis, (float(low), float(high)))


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _draws(fit: ServerFit, uniforms: np.ndarray) -> np.ndarray:
    """Fixed watts an accelerator and slope, (POINTS, 2)."""
    fixed, loss, _, server = fit.terms(uniforms)
    return np.column_stack([fixed / SERVER_GPUS * server, 1 + loss * server])


def _line(draws: np.ndarray) -> Line:
    fixed, slope = np.median(draws, axis=0)
    return Line(round(float(fixed), 3), round(float(slope), 5))
