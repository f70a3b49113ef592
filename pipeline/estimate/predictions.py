"""Throughput, power and energy per query of configurations, with 90 % intervals.

    node_wh_per_query = node_w(gpu_w) / output_tokens_per_s * output_tokens / 3600
    facility_wh_per_query = node_wh_per_query * PUE
    onsite_ml_per_query = node_wh_per_query * WUE
    offsite_ml_per_query = facility_wh_per_query * water intensity of the electricity

node_w is the wall power of the accelerators' share of their server, with its own uncertainty. PUE, WUE and
electricity are those of one site, drawn for each draw from the row's scenario of sites. The instance serves
at the stated concurrency all the time: idle capacity is not charged.
"""

import numpy as np
import pandas as pd

from pipeline.assumptions.serving import Serving
from pipeline.contracts.water import SCOPES
from pipeline.errors import InputError
from pipeline.estimate.water.draws import TERMS
from pipeline.estimate.water.scenarios import Sites
from pipeline.fit.node_power import ServerFit
from pipeline.fit.serving.architecture import Array
from pipeline.fit.serving.model import ServingModel
from pipeline.fit.serving.predictive import draw
from pipeline.units import JOULES_PER_WH

QUANTILES = {"p5": 0.05, "p50": 0.5, "p95": 0.95}
QUANTITIES = (
    "output_tokens_per_s", "gpu_w", "gpu_j_per_output_token", "node_wh_per_query", "facility_wh_per_query",
    "onsite_ml_per_query", "offsite_ml_per_query", "total_ml_per_query",
)  # fmt: skip
ADDED = [*(f"{name}_{quantile}" for name in QUANTITIES for quantile in QUANTILES), "basis"]
# The measured server that stands for one with accelerators of a generation; for those of other makers and for
# announced ones it is the newest that was measured.
SERVERS = {
    "Ampere": "A100",
    "Ada": "H100",
    "Hopper": "H100",
    "Blackwell": "B200",
    "CDNA 3": "H100",
    "CDNA 4": "B200",
    "Ironwood": "B200",
    "Maia": "B200",
    "Rubin": "B200",
}
NODE_UNIFORMS = 4  # of ServerFit.node_w


def predict(
    configurations: pd.DataFrame,
    model: ServingModel,
    servers: dict[str, ServerFit],
    settings: Serving,
    sites: Sites,
    seed: int,
) -> pd.DataFrame:
    """Quantiles of QUANTITIES and `basis`, one row a configuration (as check_configurations returns them).

    A row's result does not depend on the other rows.
    """
    rng = np.random.default_rng(seed)
    n_draws = settings.draws
    drawn = draw(
        configurations, model, settings, rng, n_draws, common_residuals=True, measured_in_flight=True
    )
    rate = drawn.output_tokens_per_s
    node_w = _node_w(configurations, model, servers, drawn.gpu_w, rng.random((n_draws, NODE_UNIFORMS)))
    tokens = configurations["output_tokens"].to_numpy(float)[:, None]
    node_wh = node_w / rate * tokens / JOULES_PER_WH
    at_site = at_sites(configurations["site_scenario"], sites, node_wh, rng.random((TERMS, n_draws)))
    values = (rate, drawn.gpu_w, drawn.gpu_w / rate, node_wh, *at_site)
    columns = {
        f"{name}_{label}": quantile
        for name, draws in zip(QUANTITIES, values, strict=True)
        for label, quantile in zip(
            QUANTILES, np.quantile(draws, list(QUANTILES.values()), axis=1), strict=True
        )
    }
    return pd.DataFrame({**columns, "basis": drawn.basis})


def at_sites(scenario: pd.Series, sites: Sites, node_wh: Array, uniforms: Array) -> Array:
    """Energy at the facility, Wh, and water by scope, mL, (1 + SCOPES, n, D).

    Rows of one scenario share its sites.
    """
    found = np.empty((1 + len(SCOPES), *node_wh.shape))
    for where, at in sites.draws(uniforms):
        rows = (scenario == where["site_scenario"]).to_numpy()
        water_ml = at.water_ml(node_wh[rows])
        found[:, rows] = [node_wh[rows] * at.pue, *(water_ml[scope] for scope in SCOPES)]
    return found


def _node_w(
    rows: pd.DataFrame, model: ServingModel, servers: dict[str, ServerFit], gpu_w: Array, uniforms: Array
) -> Array:
    """Wall power, W, (n, D), each row by the server of its generation."""
    found = model.tables.hardware.loc[rows["gpu"], "generation"]
    if unknown := sorted(set(found) - set(SERVERS)):
        raise InputError(f"no server is known for accelerators of generation {unknown[0]!r}")
    generation = found.map(SERVERS).to_numpy()
    gpus = rows["gpus"].to_numpy(float)[:, None]
    node_w = np.empty_like(gpu_w)
    for server in sorted(set(generation)):
        at = generation == server
        node_w[at] = servers[server].node_w(gpu_w[at], gpus[at], uniforms)
    return node_w
