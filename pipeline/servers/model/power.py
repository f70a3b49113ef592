"""From accelerator power to wall power of the server, with what identifies it and how well.

    wall = (fixed * g / n + loss * G) * s + G         ln s ~ N(0, server_spread)

for g accelerators that draw G together in a server that holds n: `fixed` is what the server draws whatever
its accelerators do (processors, memory, network, least fan speed), shared by accelerators used; `loss` is
what power supplies, fans and pumps add per W; s is the difference between servers of one type.

Nobody has published wall and accelerator power at once. Parameters are the posterior mode (with its Gaussian
approximation in ln) of ln fixed, ln loss and the accelerators' shares of rated power, given their priors in
params and what was observed. B200: wall power of an idle and of two saturated servers (MLPerf), where the
accelerators' share is what ML.ENERGY measured on the same models. H100: nodes in training (Latif et al. 2025,
Newkirk et al. 2025), with a spread for not being serving; and accelerators with processors of a node that was
idle and that served (NLR), whose processors are a part of `fixed`. A100 keeps its prior.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy.special import ndtri

from pipeline.core.assumption import LogNormal
from pipeline.core.draws import Design
from pipeline.core.errors import InputError
from pipeline.core.units import WATTS_PER_KW, Z95, Array
from pipeline.servers.model.settings import ServerPower, Servers

SERVER_GPUS = 8
# The measured server that stands for one with accelerators of a generation; for those of other makers and for
# announced ones it is the newest that was measured at their time.
OWN = "own"  # generation of an accelerator that is in no table
SERVERS = {
    "Volta": "A100", "Turing": "A100", "Ampere": "A100", "CDNA 2": "A100",
    "Ada": "H100", "Hopper": "H100", "CDNA 3": "H100", "Gaudi 2": "H100", "TPU v4": "H100",
    "TPU v5e": "H100", "TPU v5p": "H100", "Trainium": "H100", "Inferentia": "H100", "Apple M3": "H100",
    "Blackwell": "B200", "Rubin": "B200", "CDNA 4": "B200", "Gaudi 3": "B200", "TPU v6e": "B200",
    "Ironwood": "B200", "Maia": "B200", "Apple M4": "B200", OWN: "B200",
}  # fmt: skip
TERMS = ("fixed", "loss", "gpu_idle_share")
# What ServerFit takes uniforms of.
SERVER = ("server fixed power", "server loss", "GPU idle share", "server")
# MLPerf model -> models of ML.ENERGY with the same layers: their accelerators were measured when saturated.
TWINS = {"Llama 3.1 405B": ["Llama 3.1 405B"], "Llama 2 70B": ["Llama 3.1 70B", "Llama 3.3 70B"]}
SHARES = np.round(np.arange(0.1, 1.01, 0.05), 2)
SAMPLES = 4096  # of each point of a curve
RATED_NODE = {"A100": "dgx_a100", "H100": "dgx_h100", "B200": "dgx_b200"}


# Models of ML.ENERGY with the layers of the one that NLR served.
NLR_MODELS = ["Llama 3.1 70B", "Llama 3.3 70B"]
NLR_GPUS = 4
FEW, MANY = 100, 400  # requests: offline runs are grouped as below the one and above the other
BELIEVED = (
    "fixed_w", "loss", "gpu_idle_share", "gpu_training_share", "gpu_training_peak_share", "processor_share",
)  # fmt: skip
Known = Mapping[str, tuple[float, float]]  # shares of rated power that were measured: mean and spread in ln
Part = Literal["node", "gpu+host", "gpu"]


@dataclass(frozen=True)
class Condition:
    """One observed power: at which share of the accelerators' rated power, and what it includes."""

    name: str
    watts: float
    share: str  # idle, training, training_peak, or one of Known
    spread: float  # in ln
    gpus: int = SERVER_GPUS
    part: Part = "node"


@dataclass(frozen=True)
class ServerFit:
    """Gaussian in ln of (fixed_w, loss, gpu_idle_share); server_spread in ln; what it rests on."""

    gpu: str
    mean: Array
    covariance: Array
    server_spread: float
    rated_w: float  # of one accelerator
    conditions: tuple[str, ...] = ()

    def node_w(self, gpu_w: Array, gpus: Array, uniforms: Array) -> Array:
        """Wall power of the accelerators' part of the server; never below gpu_w, rising with it.

        Parameters
        ----------
        gpu_w : power of all accelerators used, W.
        gpus : how many.
        uniforms : (..., 4), of SERVER: fixed, loss, idle share, server.

        Returns
        -------
        W, in the shape to which all three broadcast.

        Examples
        --------
        >>> prior = ServerFit("H100", np.log([1000.0, 0.1, 0.15]), np.eye(3) * 0.01, 0.1, 700.0)
        >>> prior.node_w(np.array(4000.0), np.array(8), np.full(4, 0.5)).round(3).item()
        5400.0
        """
        fixed, loss, _, server = self.terms(uniforms)
        return np.asarray((fixed * np.asarray(gpus) / SERVER_GPUS + loss * gpu_w) * server + gpu_w)

    def idle_w(self, gpus: Array, uniforms: Array) -> Array:
        """Wall power, W, with the accelerators powered and idle; shapes as node_w."""
        share = self.terms(uniforms)[2]
        return self.node_w(share * self.rated_w * np.asarray(gpus), gpus, uniforms)

    def terms(self, uniforms: Array) -> tuple[Array, ...]:
        """fixed_w, loss, idle share and the factor of the server, from uniforms (..., 4)."""
        normal = ndtri(uniforms)
        root = np.linalg.cholesky(self.covariance)
        terms = np.exp(self.mean + normal[..., :3] @ root.T)
        return terms[..., 0], terms[..., 1], terms[..., 2], np.exp(self.server_spread * normal[..., 3])


def by_accelerator(fits: Mapping[str, ServerFit], hardware: pd.DataFrame) -> dict[str, ServerFit]:
    """The fit that stands for the servers of each accelerator of `hardware`; fits: by measured type."""
    generations = hardware.set_index("gpu")["generation"]
    return {str(gpu): fits[SERVERS[generation]] for gpu, generation in generations.items()}


def fit_server(
    gpu: str, rated_w: float, prior: ServerPower, conditions: list[Condition], known: Known
) -> ServerFit:
    """Posterior of one server type."""
    distributions = [getattr(prior, name).distribution for name in BELIEVED]
    for name, distribution in zip(BELIEVED, distributions, strict=True):
        if not isinstance(distribution, LogNormal) or distribution.above:
            raise InputError(f"server_power.{gpu}.{name}: expected a lognormal distribution")
    centre = np.array([d.mu for d in distributions] + [mean for mean, _ in known.values()])
    width = np.array([d.sigma for d in distributions] + [spread for _, spread in known.values()])
    names = ["fixed", "loss", "idle", "training", "training_peak", "processors", *known]
    spreads = np.array([c.spread for c in conditions])

    def observed(theta: Array) -> Array:
        value = dict(zip(names, np.exp(theta), strict=True))
        found = []
        for c in conditions:
            gpu_w = value[c.share] * rated_w * c.gpus
            fixed_w = value["fixed"] * c.gpus / SERVER_GPUS
            beside_w = {
                "node": fixed_w + value["loss"] * gpu_w,
                "gpu+host": value["processors"] * fixed_w,
                "gpu": 0.0,
            }
            found.append(np.log((gpu_w + beside_w[c.part]) / c.watts))
        return np.array(found)

    def residuals(theta: Array) -> Array:
        return np.r_[(theta - centre) / width, observed(theta) / spreads]

    spread = prior.server_spread.distribution.median()
    if not conditions:
        return ServerFit(gpu, centre[:3], np.diag(width[:3] ** 2), spread, rated_w)
    from scipy.optimize import least_squares  # a fifth of a second that predictions need not spend

    found = least_squares(residuals, centre, method="lm")
    covariance = np.linalg.inv(found.jac.T @ found.jac)[:3, :3]
    return ServerFit(gpu, found.x[:3], covariance, spread, rated_w, tuple(c.name for c in conditions))


def saturated_share(serving: pd.DataFrame, rated_w: float, prior: ServerPower) -> tuple[float, float]:
    """Mean and spread, in ln, of the share of rated power that B200 draw on the twins at large batch.

    serving: SERVING_MEASUREMENTS. The spread holds that of the configurations and that between engines.
    """
    models = sorted({model for twins in TWINS.values() for model in twins})
    rows = serving[(serving["gpu"] == "B200") & serving["model"].isin(models)]
    return _share(rows, prior.saturated_requests.distribution.median(), np.inf, rated_w, prior)


def _share(
    serving: pd.DataFrame, least: float, most: float, rated_w: float, prior: ServerPower
) -> tuple[float, float]:
    """Mean and spread, in ln, of the share of rated power of rows with so many requests in flight."""
    from pipeline.ingest.sources import with_role  # what predictions do without

    rows = with_role(serving, "node")
    rows = rows[rows["concurrency"].between(least, most)]
    if rows.empty:
        raise InputError(f"serving measurements: no row for node power at batch {least:g} to {most:g}")
    ln_share = np.log(rows["gpu_w"] / rows["gpus"] / rated_w)
    return float(ln_share.mean()), float(np.hypot(ln_share.std(), prior.engine_spread.distribution.median()))


def b200_conditions(
    node_power: pd.DataFrame, mlperf: pd.DataFrame, rated_w: float, prior: ServerPower
) -> list[Condition]:
    """Idle floor of the logged server, and the mean of saturated runs (Offline) of each server and model.

    node_power: NODE_POWER; mlperf: MLPERF_THROUGHPUT, whose published watts cover a server without logs.
    The 8B runs are left out: ML.ENERGY's accelerators wait for the host there, so their share says nothing.
    """
    idle = node_power.loc[node_power["valid"] == "yes", "floor_w"]
    runs = mlperf[
        mlperf["published_w"].notna()
        & mlperf["gpu"].str.contains("B200")
        & (mlperf["gpus_per_node"] == SERVER_GPUS)
        & (mlperf["nodes"] == 1)
        & mlperf["model"].isin(list(TWINS))
        & (mlperf["scenario"] == "Offline")
    ]
    spread = prior.server_spread.distribution.median()
    floor_w = float(np.exp(np.log(idle).mean()))
    conditions = [Condition("MLPerf idle floor", floor_w, "idle", prior.idle_spread.distribution.median())]
    accelerators_w = SERVER_GPUS * rated_w * prior.saturated_share.distribution.median()
    for (platform, model), group in runs.groupby(["platform", "model"]):
        wall_w = float(group["published_w"].mean())
        # `server_spread` is of the part beside the accelerators; here it is wanted of the whole.
        whole = spread * (1 - accelerators_w / wall_w)
        conditions.append(Condition(f"MLPerf {model} on {platform}", wall_w, "saturated", whole))
    return conditions


def h100_conditions(
    facts: pd.DataFrame, serving: pd.DataFrame, rated_w: float, prior: ServerPower
) -> tuple[list[Condition], Known]:
    """Nodes in training, and one idle and serving, of the published node_power table.

    NLR served one model offline; shares of its accelerators are those of ML.ENERGY on a model with the same
    layers, on as many accelerators and at as many requests. Busy processors draw more than idle ones, within
    `training_spread`.
    """
    values = facts.set_index("key")["value"]
    training, idle = (
        getattr(prior, name).distribution.median() for name in ("training_spread", "idle_spread")
    )
    dgx_w, highest_w = values["dgx_h100"] * WATTS_PER_KW, values["latif_max"] * WATTS_PER_KW
    rows = serving[
        (serving["gpu"] == "H100") & (serving["gpus"] == NLR_GPUS) & serving["model"].isin(NLR_MODELS)
    ]
    known = {
        "few": _share(rows, 0, FEW, rated_w, prior), "many": _share(rows, MANY, np.inf, rated_w, prior),
    }  # fmt: skip
    conditions = [
        Condition("Latif et al. 2025, highest", highest_w, "training_peak", training),
        Condition("Newkirk et al. 2025, heavy training", values["newk_76"] * dgx_w, "training", training),
        Condition("NLR 2026, idle accelerator", values["nlr_gpu_idle"], "idle", idle, 1, "gpu"),
        Condition("NLR 2026, idle", values["nlr_idle"], "idle", idle, NLR_GPUS, "gpu+host"),
        Condition("NLR 2026, batch up to 100", values["nlr_few"], "few", training, NLR_GPUS, "gpu+host"),
        Condition("NLR 2026, batch above 400", values["nlr_many"], "many", training, NLR_GPUS, "gpu+host"),
    ]
    return conditions, known


def curves(fits: list[ServerFit], facts: pd.DataFrame, seed: int) -> pd.DataFrame:
    """NODE_POWER_CURVES; `facts` (published node_power.csv) has the rated power of the DGX servers."""
    from pipeline.servers.model.contract import NODE_POWER_CURVES  # half a second predictions need not spend

    design = Design(seed, 1, SAMPLES, 1, together=SERVER)
    uniforms = np.stack([design.uniforms(name) for name in SERVER], axis=-1)
    rated_kw = facts.set_index("key")["value"]
    rows = []
    for one in fits:
        for share in SHARES:
            gpu_w = float(share * one.rated_w * SERVER_GPUS)
            node_w = one.node_w(np.array(gpu_w), np.array(SERVER_GPUS), uniforms)
            quantiles = dict(zip((5, 50, 95), np.quantile(node_w, [0.05, 0.5, 0.95]), strict=True))
            rows.append(
                {"gpu": one.gpu, "gpu_share": share, "gpu_w": gpu_w}
                | {f"node_w_p{q}": watts for q, watts in quantiles.items()}
                | {f"ratio_p{q}": watts / gpu_w for q, watts in quantiles.items()}
                | {"rated_node_w": rated_kw[RATED_NODE[one.gpu]] * WATTS_PER_KW}
            )
    return pd.DataFrame(rows)[list(NODE_POWER_CURVES.columns)]


def fit_servers(
    priors: Servers,
    serving: pd.DataFrame,
    logs: pd.DataFrame,
    mlperf: pd.DataFrame,
    facts: pd.DataFrame,
    hardware: pd.DataFrame,
) -> list[ServerFit]:
    """Every measured type of server.

    Tables: SERVING_MEASUREMENTS, NODE_POWER, MLPERF_THROUGHPUT, published node_power, HARDWARE.
    """
    rated_w = rated(hardware)
    saturated = {"saturated": saturated_share(serving, rated_w["B200"], priors.B200)}
    observed: dict[str, tuple[list[Condition], Known]] = {
        "A100": ([], {}),
        "H100": h100_conditions(facts, serving, rated_w["H100"], priors.H100),
        "B200": (b200_conditions(logs, mlperf, rated_w["B200"], priors.B200), saturated),
    }
    return [
        fit_server(gpu, rated_w[gpu], priors[gpu], conditions, known)
        for gpu, (conditions, known) in observed.items()
    ]


def rated(hardware: pd.DataFrame) -> dict[str, float]:
    """Rated power of each accelerator, W."""
    return {str(gpu): float(watts) for gpu, watts in hardware.set_index("gpu")["rated_w"].items()}


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
                    "p5": np.exp(one.mean[i] - Z95 * spread[i]),
                    "p50": np.exp(one.mean[i]),
                    "p95": np.exp(one.mean[i] + Z95 * spread[i]),
                    "server_spread_ln": one.server_spread,
                    "identified_by": "; ".join(one.conditions) or "prior alone",
                }
            )
    return pd.DataFrame(rows)


def from_table(table: pd.DataFrame, hardware: pd.DataFrame) -> dict[str, ServerFit]:
    """The fits by measured type of server, from NODE_POWER_FITS and HARDWARE."""
    fits, rated_w = {}, rated(hardware)
    for gpu, rows in table.groupby("gpu"):
        rows = rows.set_index("term").loc[list(TERMS)]
        covariance = rows[[f"ln_covariance_{t}" for t in TERMS]].to_numpy()
        spread = float(rows["server_spread_ln"].iloc[0])
        fits[str(gpu)] = ServerFit(
            str(gpu), rows["ln_mean"].to_numpy(), covariance, spread, rated_w[str(gpu)]
        )
    return fits
