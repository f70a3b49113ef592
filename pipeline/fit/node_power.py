"""From accelerator power to wall power of the server, with what identifies it and how well.

    wall = (fixed * g / n + loss * G) * s + G         ln s ~ N(0, server_spread)

for g accelerators that draw G together in a server that holds n: `fixed` is what the server draws whatever
its accelerators do (processors, memory, network, least fan speed), shared by accelerators used; `loss` is
what power supplies, fans and pumps add per W; s is the difference between servers of one type.

Nobody has measured wall and accelerator power at once. Parameters are the posterior mode (with its Gaussian
approximation in ln) of ln fixed, ln loss and the accelerators' shares of rated power, given their priors in
params and what was observed. B200: wall power of an idle and of two saturated servers (MLPerf), where the
accelerators' share is what ML.ENERGY measured on the same models; H100: nodes in training (Latif et al. 2025,
Newkirk et al. 2025), with a spread for not being serving. A100 keeps its prior.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.special import ndtri

from pipeline.assumptions.re_estimate import ServerPower
from pipeline.distributions import LogNormal
from pipeline.errors import InputError

Array = NDArray[np.float64]
SERVER_GPUS = 8
RATED_W = {"A100": 400.0, "H100": 700.0, "B200": 1000.0}
# Accelerators whose servers are taken to be like those of the measured one; of servers of other makers, and
# of racks, nothing but rated power is known.
SERVERS = {
    "A100": "A100",
    "H100": "H100",
    "H200": "H100",
    "H800": "H100",
    "GH200": "H100",
    "B200": "B200",
    "GB200": "B200",
    "B300": "B200",
    "GB300": "B200",
    "MI355X": "B200",
    "TPU7x": "B200",
    "Maia 200": "B200",
    "Rubin": "B200",
}
TERMS = ("fixed", "loss", "gpu_idle_share")


@dataclass(frozen=True)
class Condition:
    """One observed wall power: of which accelerator share (a name or a known mean and spread in ln)."""

    name: str
    wall_w: float
    share: str
    spread: float


@dataclass(frozen=True)
class ServerFit:
    """Gaussian in ln of (fixed_w, loss, gpu_idle_share); server_spread in ln; what it rests on."""

    gpu: str
    mean: Array
    covariance: Array
    server_spread: float
    conditions: tuple[str, ...] = ()

    def node_w(self, gpu_w: Array, gpus: Array, uniforms: Array) -> Array:
        """Wall power, W, of the accelerators' part of the server; never below gpu_w, rising with it.

        gpu_w: power of all accelerators used; gpus: how many; uniforms: (..., 4) for fixed, loss, idle share,
        server. All broadcast.
        """
        fixed, loss, _, server = self.terms(uniforms)
        return np.asarray((fixed * np.asarray(gpus) / SERVER_GPUS + loss * gpu_w) * server + gpu_w)

    def idle_w(self, gpus: Array, uniforms: Array) -> Array:
        """Wall power, W, with the accelerators powered and idle; shapes as node_w."""
        share = self.terms(uniforms)[2]
        return self.node_w(share * RATED_W[self.gpu] * np.asarray(gpus), gpus, uniforms)

    def terms(self, uniforms: Array) -> tuple[Array, ...]:
        """fixed_w, loss, idle share and the factor of the server, from uniforms (..., 4)."""
        normal = ndtri(uniforms)
        root = np.linalg.cholesky(self.covariance)
        terms = np.exp(self.mean + normal[..., :3] @ root.T)
        return terms[..., 0], terms[..., 1], terms[..., 2], np.exp(self.server_spread * normal[..., 3])


def server_of(gpu: str) -> str:
    """The measured server that stands for a given accelerator; raises InputError for an unknown one."""
    if gpu not in SERVERS:
        raise InputError(f"accelerator {gpu!r}, expected one of {', '.join(SERVERS)}")
    return SERVERS[gpu]


def fit_server(
    gpu: str, prior: ServerPower, conditions: list[Condition], saturated: tuple[float, float]
) -> ServerFit:
    """Posterior of one server type; `saturated`: mean and spread in ln of the accelerators' share then."""
    names = ["fixed_w", "loss", "gpu_idle_share", "gpu_training_share", "gpu_training_peak_share"]
    distributions = [getattr(prior, name).distribution for name in names]
    for name, distribution in zip(names, distributions, strict=True):
        if not isinstance(distribution, LogNormal) or distribution.above:
            raise InputError(f"server_power.{gpu}.{name}: expected a lognormal distribution")
    centre = np.array([d.mu for d in distributions] + [saturated[0]])
    width = np.array([d.sigma for d in distributions] + [saturated[1]])
    column = {"idle": 2, "training": 3, "training_peak": 4, "saturated": 5}

    def residuals(theta: Array) -> Array:
        watts = np.exp(theta[[column[c.share] for c in conditions]]) * RATED_W[gpu] * SERVER_GPUS
        wall = np.exp(theta[0]) + (1 + np.exp(theta[1])) * watts
        observed = np.array([c.wall_w for c in conditions])
        spreads = np.array([c.spread for c in conditions])
        return np.r_[(theta - centre) / width, np.log(wall / observed) / spreads]

    if not conditions:
        return ServerFit(gpu, centre[:3], np.diag(width[:3] ** 2), prior.server_spread.distribution.median())
    found = least_squares(residuals, centre, method="lm")
    covariance = np.linalg.inv(found.jac.T @ found.jac)[:3, :3]
    spread = prior.server_spread.distribution.median()
    return ServerFit(gpu, found.x[:3], covariance, spread, tuple(c.name for c in conditions))


def to_table(fits: list[ServerFit]) -> pd.DataFrame:
    """One row a server type and term, in the contract NODE_POWER_FITS."""
    rows = []
    for one in fits:
        spread = np.sqrt(np.diag(one.covariance))
        for i, term in enumerate(TERMS):
            rows.append(
                {
                    "gpu": one.gpu,
                    "term": term,
                    "ln_mean": one.mean[i],
                    "ln_sd": spread[i],
                    **{f"ln_covariance_{t}": one.covariance[i, j] for j, t in enumerate(TERMS)},
                    "p5": np.exp(one.mean[i] - 1.645 * spread[i]),
                    "p50": np.exp(one.mean[i]),
                    "p95": np.exp(one.mean[i] + 1.645 * spread[i]),
                    "server_spread_ln": one.server_spread,
                    "identified_by": "; ".join(one.conditions) or "prior alone",
                }
            )
    return pd.DataFrame(rows)


def from_table(table: pd.DataFrame) -> dict[str, ServerFit]:
    """The fits by server type, from NODE_POWER_FITS."""
    fits = {}
    for gpu, rows in table.groupby("gpu"):
        rows = rows.set_index("term").loc[list(TERMS)]
        covariance = rows[[f"ln_covariance_{t}" for t in TERMS]].to_numpy()
        fits[str(gpu)] = ServerFit(
            str(gpu), rows["ln_mean"].to_numpy(), covariance, float(rows["server_spread_ln"].iloc[0])
        )
    return fits
