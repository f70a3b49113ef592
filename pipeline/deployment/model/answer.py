"""Throughput, power, energy, water and carbon of a query of each row, draw by draw, and their quantiles.

    node_wh_per_query = node_w(gpu_w) / requests_per_s / 3600
    facility_wh_per_query = node_wh_per_query * PUE
    onsite_ml_per_query = node_wh_per_query * WUE
    offsite_ml_per_query = facility_wh_per_query * water intensity of the electricity

node_w is the wall power of the accelerators' share of their server, with its own uncertainty. PUE, WUE and
grid are those of one site, drawn from the row's scenario of sites, or the row's own. Draw j is one epistemic
sample in all rows, so that a ratio of two rows is one of the same sample. An instance with less than one
request in flight, c, is busy for the share c of the time and idle otherwise; more than one: idle time is not
charged.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import betainc

from pipeline.core.draws import generator, uniforms
from pipeline.core.units import JOULES_PER_WH
from pipeline.deployment.model.contract import QUANTILES, QUANTITIES, SITE, quantile_columns
from pipeline.deployment.model.servers import Servers
from pipeline.servers.model.power import ServerFit
from pipeline.serving.model.architecture import Array
from pipeline.serving.model.model import ServingModel
from pipeline.serving.model.predictive import Draws, draw
from pipeline.serving.model.settings import Serving
from pipeline.water.model.sites import TERMS, SiteDraws, Sites

AT_ONCE = 1000  # rows: memory, and no result, depends on it


@dataclass(frozen=True)
class World:
    """What is drawn or fitted once for all rows."""

    model: ServingModel
    servers: Mapping[str, ServerFit]
    settings: Serving
    sites: Sites
    seed: int

    def with_hardware(self, hardware: pd.DataFrame) -> "World":
        """The same with other accelerators; index: gpu."""
        tables = replace(self.model.tables, hardware=hardware)
        return replace(self, model=replace(self.model, tables=tables))

    def servers_of(self, rows: pd.DataFrame, n_draws: int) -> Servers:
        """The servers of rows, with their draws."""
        return Servers.of(rows, self.model.tables.hardware, self.servers, self.seed, n_draws)


def answer(rows: pd.DataFrame, world: World, compared: NDArray[np.int64]) -> pd.DataFrame:
    """Quantiles of QUANTITIES, `basis` and `requests_running`, one row a configuration.

    rows: as check_rows returns them, without faults, that can run. compared: the row with which each is
    compared, (n,), -1 for none; where any is, columns of ratios are added. A row's result depends on no other
    row but that.
    """
    count = max(1, -(-len(rows) // AT_ONCE))
    parts = np.array_split(np.arange(len(rows)), count)
    return pd.concat([_some(rows, world, compared, some) for some in parts], ignore_index=True)


def _some(
    rows: pd.DataFrame, world: World, compared: NDArray[np.int64], some: NDArray[np.int64]
) -> pd.DataFrame:
    others = compared[some]
    needed = np.unique(np.r_[some, others[others >= 0]])
    asked, place = _distinct(rows.iloc[needed])
    drawn, served = quantities(asked, world)
    middle = _not_widened(asked, world, drawn, served.beyond)
    running = np.median(served.running, axis=1) * np.minimum(asked["concurrency"].to_numpy(float), 1.0)
    at = place[np.searchsorted(needed, some)]

    def of(suffix: str, value: Callable[[Array], Array]) -> dict[str, Array]:
        wide = {name: value(one) for name, one in drawn.items()}
        narrow = wide if middle is drawn else {name: value(one) for name, one in middle.items()}
        return dict(_quantiles(wide, narrow, suffix))

    found = pd.DataFrame(of("", lambda one: one)).assign(basis=served.basis, requests_running=running)
    found = found.iloc[at].reset_index(drop=True)
    if (compared >= 0).any():
        other = place[np.searchsorted(needed, np.where(others < 0, some[0], others))]
        same = np.where(others < 0, np.nan, 1.0)[:, None]
        with np.errstate(invalid="ignore", divide="ignore"):
            found = found.assign(**of("_ratio", lambda one: one[at] / one[other] * same))
    return found


def _distinct(rows: pd.DataFrame) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    """Each of equal rows once, and where every row stands among them, (n,): tables repeat themselves."""
    same = rows.groupby([*rows.columns.difference(["name", "compare_to"])], dropna=False).ngroup()
    _, first, place = np.unique(same, return_index=True, return_inverse=True)
    return rows.iloc[first].reset_index(drop=True), place


def _not_widened(
    rows: pd.DataFrame, world: World, drawn: dict[str, Array], far: NDArray[np.bool_]
) -> dict[str, Array]:
    """Draws from which medians are taken: what a row beyond all measurements is wider by moves none.

    Else the noise of so many draws would tell apart the P50 of two loads of which one is beyond.
    """
    if not far.any():
        return drawn
    some = quantities(rows[far].reset_index(drop=True), world, widened=False)[0]
    found = {name: one.copy() for name, one in drawn.items()}
    for name, one in found.items():
        one[far] = some[name]
    return found


def _quantiles(
    drawn: Mapping[str, Array], middle: Mapping[str, Array], suffix: str
) -> Iterator[tuple[str, Array]]:
    """Columns of each quantity: the median of `middle`, the others of `drawn`."""
    columns = quantile_columns(suffix)
    for name in QUANTITIES:
        low, median, high = quantiles(drawn[name])
        if middle is not drawn:
            median = np.clip(quantiles(middle[name])[1], low, high)
        yield from zip(columns[name], (low, median, high), strict=True)


def quantiles(drawn: Array) -> Array:
    """QUANTILES of draws (n, D), shape (3, n), after Harrell and Davis (Biometrika 1982, 69, 635-640).

    All ordered draws count, by the chance that theirs is the quantile: unlike single ones of them, the values
    of two rows that differ little differ as the draws do.
    """
    return np.asarray((np.sort(drawn, axis=1) @ _weights(drawn.shape[1])).T)


@cache
def _weights(draws: int) -> Array:
    edges = np.arange(draws + 1) / draws
    levels = QUANTILES.values()
    return np.stack([np.diff(betainc((draws + 1) * p, (draws + 1) * (1 - p), edges)) for p in levels], axis=1)


def quantities(rows: pd.DataFrame, world: World, widened: bool = True) -> tuple[dict[str, Array], Draws]:
    """Draws of QUANTITIES by name, (n, D), and those of serving that they are made of.

    widened: as in predictive.draw.
    """
    n_draws = world.settings.draws
    answers = rows["output_tokens"].to_numpy(float)[:, None]
    flight = rows["concurrency"].to_numpy(float)[:, None]
    busy = np.minimum(flight, 1.0)
    asked = rows.assign(
        concurrency=np.maximum(flight, 1.0)[:, 0],
        output_tokens=np.maximum(answers, 1.0)[:, 0],
        engine=rows["measured_engine"],
    )
    # As the re-estimate, what-if, factors and levers draw it: sample j is the same for all.
    rng = generator(world.seed, "serving model")
    drawn = draw(asked, world.model, world.settings, rng, n_draws, widened=widened)
    rate = drawn.output_tokens_per_s * busy
    servers = world.servers_of(rows, n_draws)
    gpu_w = servers.with_idle(drawn.gpu_w, busy)
    per_s = rate / np.maximum(answers, 1.0)
    node_wh = servers.node_w(gpu_w) / per_s / JOULES_PER_WH
    with_answer = np.where(answers > 0, 1.0, np.nan)
    found = {
        "output_tokens_per_s": rate * with_answer,
        "gpu_w": gpu_w,
        "gpu_j_per_output_token": gpu_w / rate * with_answer,
        "node_wh_per_query": node_wh,
        "requests_per_s": per_s,
        **at_sites(rows, world, node_wh),
    }
    return found, drawn


def site_uniforms(seed: int, count: int) -> Array:
    """Uniforms of the site of each draw and of its factors, (TERMS, count)."""
    names = ("site", "wue", "grid")
    drawn = np.concatenate([uniforms(seed, f"deployment/{name}", 1, count) for name in names])
    assert len(drawn) == TERMS
    return drawn


def at_sites(rows: pd.DataFrame, world: World, node_wh: Array) -> dict[str, Array]:
    """Energy at the facility, water by scope and carbon, (n, D); rows of one scenario share its sites."""
    drawn = site_uniforms(world.seed, node_wh.shape[1])
    found = {name: np.empty_like(node_wh) for name in _AT_SITE}
    for where, at in world.sites.draws(drawn):
        mine = (rows["site_scenario"] == where["site_scenario"]).to_numpy()
        if not mine.any():
            continue
        site, it_wh = _own(rows[mine], at), node_wh[mine]
        water = site.water_ml(it_wh)
        values = (it_wh * site.pue, water["onsite"], water["offsite"], water["total"], site.carbon_g(it_wh))
        for name, value in zip(_AT_SITE, values, strict=True):
            found[name][mine] = value
    return found


_AT_SITE = (
    "facility_wh_per_query", "onsite_ml_per_query", "offsite_ml_per_query", "total_ml_per_query",
    "carbon_g_per_query",
)  # fmt: skip
_SITE_DRAWS = dict(
    zip(SITE, ("pue", "wue_l_per_kwh", "electricity_l_per_kwh", "carbon_kg_per_kwh"), strict=True)
)
_UNITS = {"carbon_g_per_kwh": 1e-3}


def _own(rows: pd.DataFrame, drawn: SiteDraws) -> SiteDraws:
    """The site of each row, (n, D): drawn, but for what the row states."""
    stated = {
        field: np.where(np.isnan(own), getattr(drawn, field), own)
        for column, field in _SITE_DRAWS.items()
        for own in [rows[column].to_numpy(float)[:, None] * _UNITS.get(column, 1.0)]
        if not np.isnan(own).all()
    }
    return replace(drawn, **stated)
