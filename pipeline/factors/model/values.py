"""Wh and mL of a service per query and per 1,000 tokens, at each boundary and site, and what they rest on.

Accelerator power and throughput were measured together in chat runs: so many requests in flight, answers of
so many tokens, prompts whose length the source does not state, on the accelerators and not at the wall. A
row is `measured` only where it asks for nothing else.

    per query                 watts / 3600 * mean over queries of a (1 - c) I + b O + k O (I + O/2)
    per 1,000 input tokens    watts / 3600 * 1000 a (1 - c), those of the cache, a share c, among them
    per 1,000 output tokens   watts / 3600 * 1000 (b + k c),  c = mean of O (I + O/2) / mean of O

in Wh, so that input and output tokens at these factors make up the mean query, exactly. `watts` is power of
the accelerators (gpu), wall power of the serving server (node), or all with idle servers, times PUE
(facility). At a scenario of sites, PUE and water in mL are those of one drawn site (pipeline/water/model).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from pipeline.core.columns import REGIMES
from pipeline.core.summaries import hazen_quantiles, standard_error
from pipeline.core.units import SECONDS_PER_HOUR, Array, Indices
from pipeline.energy.model.cost_curves import EngineCurves, ServingModel, configurations, engine_curves
from pipeline.energy.model.query_energy import Served
from pipeline.energy.model.samples import Moments, Samples
from pipeline.energy.model.settings import ReEstimate
from pipeline.energy.model.study import Case, agent_cases, draw_cases, serving
from pipeline.factors.model.contract import BEYOND, EVIDENCE, PERCENTS
from pipeline.ingest.names import Names
from pipeline.ingest.sources import with_role
from pipeline.lengths.model.scenario import Traffic, length_scenario
from pipeline.servers.model.power import ServerFit
from pipeline.serving.model.deployments import Deployment
from pipeline.serving.model.training import PRECISIONS
from pipeline.water.model.sites import SiteDraws, Sites

PER_OUTPUT = "1000 output tokens"
Key = tuple[str, str, int, str]  # shape, accelerator, how many, precision


@dataclass(frozen=True)
class Cell:
    """A measured configuration: requests in flight, longest mean answer, models as the source names them."""

    least_requests: float
    most_requests: float
    output_tokens: float
    measured_as: str


@dataclass(frozen=True)
class Rests:
    """Tier of a configuration, what of the service is beyond its measurements, and what was measured."""

    basis: str
    beyond: frozenset[str]
    measured_as: str | None

    def at(self, boundary: str, per: str) -> dict[str, str | None]:
        """The columns `evidence`, `beyond` and `measured_as` of a row."""
        words = set(self.beyond)
        words |= set() if per == PER_OUTPUT or "configuration" in words else {"prompt"}
        words |= {"gpu": set(), "node": {"server"}, "facility": {"server", "site"}}[boundary]
        return {
            "evidence": self.basis if words else "measured",
            "beyond": "; ".join(word for word in BEYOND if word in words) or None,
            "measured_as": self.measured_as,
        }


def measured_cells(measurements: pd.DataFrame, names: Names) -> dict[Key, Cell]:
    """The measured configurations of the table SERVING_MEASUREMENTS."""
    rows = with_role(measurements, "chat").dropna(subset="gpu_w")
    rows = rows.assign(shape=rows["model"].map(names.resolve), precision=rows["precision"].map(PRECISIONS))
    found: dict[Any, Cell] = {
        key: Cell(
            least_requests=float(own["concurrency"].min()),
            most_requests=float(own["concurrency"].max()),
            output_tokens=float(own["output_tokens"].max()),
            measured_as="; ".join(sorted(own["upstream_model"].unique())),
        )
        for key, own in rows.groupby(["shape", "gpu", "gpus", "precision"])
    }
    return found


@dataclass(frozen=True)
class Evidence:
    """The measured configurations, and how models' names resolve to shapes."""

    cells: Mapping[Key, Cell]
    names: Names

    def of(
        self, deployment: Deployment, basis: str, requests: tuple[float, float], output_tokens: float
    ) -> Rests:
        """Of a service with so many requests in flight, least and most, and so long a mean answer."""
        shape = self.names.resolve(deployment.model)
        cell = self.cells.get((shape, deployment.gpu, deployment.gpus, deployment.precision))
        if cell is None or basis != "measured configuration":
            return Rests(basis, frozenset({"configuration"}), None)
        words = set()
        # Means of a run with 8 at most in flight are a little below 8.
        if requests[0] < round(cell.least_requests) or requests[1] > round(cell.most_requests):
            words.add("batch")
        if output_tokens > cell.output_tokens:
            words.add("answers")
        return Rests(basis, frozenset(words), cell.measured_as)


def together(members: Sequence[Rests]) -> Rests:
    """Of services taken together: the weakest tier, and all that is beyond measurements for any."""
    weakest = max((one.basis for one in members), key=EVIDENCE.index)
    return Rests(weakest, frozenset().union(*(one.beyond for one in members)), None)


# Wh, (samples,), by boundary and by what it is for; at the facility with PUE 1.
Energies = dict[str, dict[str, Array]]
ANY_SITE = "any site"
ANY_TITLE = "PUE as drawn for a site that is not known; no water"
TOKENS = 1000
WATER_SCOPES = ("onsite", "total")
SCENARIO = "production"


def energies(served: Served, moments: Moments) -> Energies:
    """Of one instance in every sample; `served` at PUE 1."""
    t = served.terms
    attended = moments.product + moments.output_squared / 2
    output_s = t.b + t.k * attended / moments.output_tokens
    return {
        boundary: {
            "query": served.mean_energy_wh(boundary, moments),
            "1000 input tokens": watts / SECONDS_PER_HOUR * TOKENS * t.of_input(moments.cached_share),
            "1000 output tokens": watts / SECONDS_PER_HOUR * TOKENS * output_s,
        }
        for boundary, watts in served.watts.items()
    }


def mean_of(members: Sequence[Energies]) -> Energies:
    """Of services that answer queries in equal numbers."""
    return {
        boundary: {per: np.mean([one[boundary][per] for one in members], axis=0) for per in pers}
        for boundary, pers in members[0].items()
    }


def one_of(members: Sequence[Energies], which: Indices) -> Energies:
    """In each sample, (samples,), that of the member which it takes."""
    return {
        boundary: {per: np.choose(which, [one[boundary][per] for one in members]) for per in pers}
        for boundary, pers in members[0].items()
    }


@dataclass(frozen=True)
class Place:
    """A scenario of sites with the site of every sample; None: PUE as the samples have it."""

    name: str
    title: str
    site: SiteDraws | None


def places(sites: Sites, uniforms: Array, names: Iterable[str]) -> list[Place]:
    """Any site, then the named scenarios, drawn by uniforms (TERMS, samples)."""
    drawn = {keys["site_scenario"]: at for keys, at in sites.draws(uniforms)}
    scenarios = sites.settings.scenarios
    return [
        Place(ANY_SITE, ANY_TITLE, None),
        *(Place(name, scenarios[name].title, drawn[name]) for name in names),
    ]


def rows(found: Energies, samples: Samples, at: Sequence[Place]) -> Iterator[dict[str, Any]]:
    """Boundary, site, denominator and percentiles; sites differ at the facility alone."""
    for boundary, pers in found.items():
        for per, energy_wh in pers.items():
            for place in at if boundary == "facility" else at[:1]:
                keys = {"boundary": boundary, "site": place.name, "site_title": place.title, "per": per}
                pue = samples.pue if boundary == "facility" else np.ones(1)
                yield {**keys, **at_site(energy_wh, pue, samples.replicates, place.site)}


def at_site(it_wh: Array, pue: Array, replicates: int, site: SiteDraws | None) -> Mapping[str, float]:
    """Percentiles of energy, and of water and carbon where there is a site; it_wh: at PUE 1."""
    if site is None:
        return percentiles(it_wh * pue, "wh", replicates)
    found = percentiles(it_wh * site.pue, "wh", replicates)
    water = site.water_ml(it_wh)
    for scope in WATER_SCOPES:
        found |= percentiles(water[scope], f"{scope}_ml", replicates)
    return found | percentiles(site.carbon_g(it_wh), "co2e_g", replicates)


def percentiles(drawn: Array, unit: str, replicates: int) -> dict[str, float]:
    """P5, P50, P95 over samples and the Monte Carlo error of P50, each the mean over replicates."""
    each = hazen_quantiles(np.sort(drawn.reshape(replicates, -1), axis=1))
    found = {f"{name}_{unit}": float(value) for name, value in zip(PERCENTS, each.mean(axis=0), strict=True)}
    return {**found, f"mc_error_p50_{unit}": standard_error(each[:, 1])}


@dataclass(frozen=True)
class Costs:
    """Samples, the workloads with lengths of production, and what a deployment costs there."""

    settings: ReEstimate
    samples: Samples
    cases: list[Case]
    servers: Mapping[str, ServerFit]
    model: ServingModel

    @classmethod
    def draw(
        cls,
        samples: Samples,
        settings: ReEstimate,
        traffic: dict[str, Traffic],
        servers: Mapping[str, ServerFit],
        model: ServingModel,
    ) -> Self:
        """The queries of all workloads in the samples."""
        lengths = {
            (SCENARIO, regime): length_scenario(settings.lengths, traffic, SCENARIO, regime)
            for regime in REGIMES
        }
        cases = [*draw_cases(lengths, samples), *agent_cases(settings, samples)]
        return cls(settings, samples, cases, servers, model)

    def able(self, deployments: Sequence[Deployment], case: Case) -> list[Deployment]:
        """Those that can answer the queries of a case."""
        return serving(deployments, case, self.settings.lengths.agents.window.distribution.median())

    def curves(self, deployments: Sequence[Deployment]) -> list[EngineCurves]:
        """Cost of each deployment that is able in each case: all in the first case, then all in the next."""
        lengths_of = [
            (item, case.mean_lengths) for case in self.cases for item in self.able(deployments, case)
        ]
        unique, share = list(dict.fromkeys(lengths_of)), self.settings.deployments.tensorrt_share
        found = dict(zip(unique, engine_curves(unique, self.model, self.samples, share), strict=True))
        return [found[one] for one in lengths_of]

    def bases(self, deployments: Sequence[Deployment]) -> list[str]:
        """What throughput and accelerator power of each rest on, when its engine is not stated."""
        lengths = self.cases[0].mean_lengths
        rows = pd.concat([configurations(one, lengths).iloc[[0]] for one in deployments])
        cost: Any = self.model(rows.reset_index(drop=True), 1)
        return [str(basis) for basis in cost.basis]

    def server(self, deployment: Deployment) -> ServerFit:
        """The server type that holds a deployment's accelerators."""
        return self.servers[deployment.gpu]


@dataclass(frozen=True)
class Naming:
    """What the columns say of a deployment.

    Generation of each accelerator; parameters and active ones of each model, 10^9; evidence.
    """

    generations: Mapping[str, str]
    sizes_b: Mapping[str, tuple[float, float]]
    evidence: Evidence

    @classmethod
    def of(cls, hardware: pd.DataFrame, models: pd.DataFrame, measured: pd.DataFrame) -> Self:
        """From HARDWARE, MODELS and SERVING_MEASUREMENTS."""
        names = Names.of(models)
        sizes = models[["total_params_b", "active_params_b"]].astype(float).itertuples(index=False, name=None)
        return cls(
            dict(zip(hardware["gpu"], hardware["generation"], strict=True)),
            dict(zip(models["model"], sizes, strict=True)),
            Evidence(measured_cells(measured, names), names),
        )

    def describe(self, one: Deployment) -> dict[str, Any]:
        """The columns that name a deployment."""
        return {
            "reference_model": one.model,
            "total_params_b": one.total_params_b,
            "active_params_b": one.active_params_b,
            "gpu_generation": self.generations[one.gpu],
            "gpu": one.gpu,
            "gpus": float(one.gpus),
            "precision": one.precision,
        }


def workload(case: Case) -> dict[str, Any]:
    """The columns that say which queries; lengths are those of a service of median levels, of all calls."""
    calls = float(np.median(np.reshape(case.moments.calls, -1)))
    return {
        "workload": str(case.regime),
        "input_tokens": round(case.mean_lengths.input_tokens * calls),
        "output_tokens": round(case.mean_lengths.output_tokens * calls),
    }
