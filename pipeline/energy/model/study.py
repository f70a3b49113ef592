"""Everything that the re-estimate draws, once: samples, queries, the cost of each deployment in each sample.

A case is a scenario of lengths ("published", "production") in a regime: short, long, an agent's step or task.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pipeline.core.catalogue import read, transcription
from pipeline.core.columns import AGENTS, REGIMES, Regime
from pipeline.core.draws import Simulation, generator
from pipeline.core.units import Array, Indices
from pipeline.energy.model.cost_curves import (
    Cost,
    EngineCurves,
    MeanLengths,
    ServingModel,
    engine_curves,
)
from pipeline.energy.model.query_energy import Conditions, Served, serve
from pipeline.energy.model.samples import (
    Moments,
    Queries,
    Samples,
    agent_queries,
    design_of,
    draw_queries,
    median_moments,
    middle,
    query_uniforms,
)
from pipeline.energy.model.settings import ReEstimate
from pipeline.lengths.model.contract import SCENARIOS
from pipeline.lengths.model.scenario import LengthScenario, Traffic, length_scenario, read_traffic
from pipeline.servers.model.power import ServerFit, by_accelerator, from_table
from pipeline.serving.model.costs import request_cost
from pipeline.serving.model.deployments import Deployment, Deployments, Propagation, context_window
from pipeline.serving.model.model import read_model
from pipeline.serving.model.settings import Serving


@dataclass(frozen=True)
class Case:
    """One scenario and regime: the queries of every sample; moments of every sample, and of median levels."""

    scenario: str
    regime: Regime
    queries: Queries
    moments: Moments
    median_moments: Moments

    @property
    def variant(self) -> str:
        """As in the results: published_lengths, production_lengths."""
        return f"{self.scenario}_lengths"

    @property
    def mean_lengths(self) -> MeanLengths:
        """At which deployments are priced: those of a service of median levels."""
        middle = self.median_moments
        sides = (middle.input_tokens, middle.output_tokens, middle.output_cv, middle.cached_share)
        return MeanLengths(*(float(np.reshape(value, -1)[0]) for value in sides))


@dataclass(frozen=True)
class Study:
    """Samples, cases, and cost curves by deployment, scenario and regime."""

    deployments: Deployments
    propagation: Propagation
    samples: Samples
    cases: list[Case]
    curves: dict[tuple[str, str, Regime], EngineCurves]
    servers: dict[str, ServerFit]
    services: dict[tuple[str, str, Regime], Served]

    def curve(self, deployment: Deployment, case: Case) -> EngineCurves:
        """Cost of a deployment in a case."""
        return self.curves[deployment.model, case.scenario, case.regime]

    def server(self, deployment: Deployment) -> ServerFit:
        """The server type that holds a deployment's accelerators."""
        return self.servers[deployment.gpu]

    def conditions(self, context_tokens: Array) -> Conditions:
        """Those of every sample as drawn."""
        return Conditions.as_drawn(self.samples, context_tokens)

    def serve(self, deployment: Deployment, case: Case, at: Conditions) -> Served:
        """What a request costs on a deployment under given conditions."""
        return serve(self.curve(deployment, case), self.server(deployment), deployment, at)

    def able(self, case: Case) -> list[Deployment]:
        """The deployments that can answer the queries of a case."""
        return [
            item
            for item in self.deployments.models
            if (item.model, case.scenario, case.regime) in self.curves
        ]

    def served(self, deployment: Deployment, case: Case) -> Served:
        """What a request costs on a deployment in every sample as drawn."""
        return self.serve(deployment, case, self.conditions(case.moments.context_tokens))

    def blend_mean_wh(self, case: Case, at: Conditions, moments: Moments) -> Array:
        """Mean facility energy of the blend's queries, (S,), under conditions and moments (S,)."""
        served = [self.serve(item, case, at) for item in self.members()]
        return np.asarray(np.mean([item.mean_energy_wh("facility", moments) for item in served], axis=0))

    def service(self, name: str, case: Case) -> Served:
        """What a request costs on a service of a class, which runs one of its models in each sample."""
        return self.services[name, case.scenario, case.regime]

    def members(self) -> Iterator[Deployment]:
        """The deployments of the blend."""
        return (item for item in self.deployments.models if item.model in self.deployments.blend)


def draw_study(
    settings: ReEstimate,
    traffic: dict[str, Traffic],
    servers: dict[str, ServerFit],
    simulation: Simulation,
    model: ServingModel,
) -> Study:
    """Draw all samples and queries of every case, and price every deployment."""
    samples = draw_samples(settings, simulation, settings.propagation)
    cases = [*draw_cases(every_length(settings, traffic), samples), *agent_cases(settings, samples)]
    return study_of(settings, samples, cases, servers, model)


def study_of(
    settings: ReEstimate,
    samples: Samples,
    cases: list[Case],
    servers: dict[str, ServerFit],
    model: ServingModel,
    *,
    with_services: bool = True,
) -> Study:
    """Every deployment priced in the cases that it can serve, and a service of each class where asked for."""
    deployments, window = settings.deployments, settings.lengths.agents.window.distribution.median()
    priced = [(item, case) for case in cases for item in serving(deployments.models, case, window)]
    lengths_of = [(item, case.mean_lengths) for item, case in priced]
    unique = list(dict.fromkeys(lengths_of))
    found = dict(zip(unique, engine_curves(unique, model, samples, deployments.tensorrt_share), strict=True))
    keys = [(item.model, case.scenario, case.regime) for item, case in priced]
    curves = {key: found[lengths] for key, lengths in zip(keys, lengths_of, strict=True)}
    services: dict[tuple[str, str, Regime], Served] = {}
    for name, members in (deployments.services if with_services else {}).items():
        for alike in (
            [one for one in cases if one.regime in REGIMES],
            [one for one in cases if one.regime in AGENTS],
        ):
            able = serving(members, alike[0], window) if alike else []
            each = one_of(name, able, alike, samples, servers, model, deployments)
            services |= {
                (name, case.scenario, case.regime): served for case, served in zip(alike, each, strict=True)
            }
    return Study(deployments, settings.propagation, samples, cases, curves, servers, services)


def serving(items: Sequence[Deployment], case: Case, window: float) -> list[Deployment]:
    """Those that can answer the queries of a case: an agent's contexts are longer than some models hold."""
    return [item for item in items if case.regime in REGIMES or context_window(item.model) >= window]


def one_of(
    name: str,
    members: Sequence[Deployment],
    cases: Sequence[Case],
    samples: Samples,
    servers: Mapping[str, ServerFit],
    model: ServingModel,
    deployments: Deployments,
) -> list[Served]:
    """A service that runs one of several models, each as likely: what a request costs on it, by case.

    A model is priced only in the samples that run it.
    """
    which = np.floor(samples.design.uniforms(f"model, {name}") * len(members)).astype(np.int64)
    parts: list[list[tuple[Indices, Served]]] = [[] for _ in cases]
    for at, item in enumerate(members):
        kept = np.flatnonzero(which == at)
        lengths_of = [(item, case.mean_lengths) for case in cases]
        curves = engine_curves(lengths_of, model, samples, deployments.tensorrt_share, kept)
        server = servers[item.gpu]
        for part, case, curve in zip(parts, cases, curves, strict=True):
            conditions = Conditions.as_drawn(samples.take(kept), case.moments.context_tokens[kept])
            part.append((kept, serve(curve, server, item, conditions)))
    return [Served.together(part, len(samples)) for part in parts]


def draw_samples(settings: ReEstimate, simulation: Simulation, propagation: Propagation) -> Samples:
    """The epistemic samples of an analysis of a given size; of the same in all, as many as both take."""
    return Samples.draw(design_of(simulation.seed, propagation), settings)


def every_length(
    settings: ReEstimate, traffic: dict[str, Traffic]
) -> dict[tuple[str, Regime], LengthScenario]:
    """Each scenario of lengths and regime."""
    return {
        (scenario, regime): length_scenario(settings.lengths, traffic, scenario, regime)
        for scenario in SCENARIOS
        for regime in REGIMES
    }


def draw_cases(lengths: dict[tuple[str, Regime], LengthScenario], samples: Samples) -> list[Case]:
    """Queries and their moments in every sample, for given lengths by scenario and regime."""
    # The same uniforms in every case: differences between cases are sharper than their values.
    uniforms = query_uniforms(samples.design)
    cases = []
    for (scenario, regime), one in lengths.items():
        queries, middle = draw_queries(one, samples, uniforms), median_moments(one, samples)
        # Lengths stated outright are the same in every sample: their moments need no draws.
        traced = one.traffic is not None
        same = middle.take(np.zeros(len(samples), dtype=np.int64))
        moments = queries.moments if traced else replace(same, cached_share=samples.cached_share)
        cases.append(Case(scenario, regime, queries, moments, middle))
    return cases


def agent_cases(settings: ReEstimate, samples: Samples) -> list[Case]:
    """Steps and tasks of agents, which there are in production alone."""
    agents = settings.lengths.agents
    return [
        Case("production", regime, queries, queries.moments, middle(agents))
        for regime, queries in agent_queries(agents, samples).items()
    ]


def read_study(settings: ReEstimate, simulation: Simulation, model: ServingModel | None = None) -> Study:
    """The study, drawn, on the fitted serving model unless it is given."""
    model = model or read_serving(settings.serving, simulation)
    return draw_study(settings, read_lengths(), read_servers(), simulation, model)


def read_lengths() -> dict[str, Traffic]:
    """Fitted lengths by kind of traffic."""
    return read_traffic(read("length_fits"), read("length_parameters"), read("length_traffic"))


def read_servers() -> dict[str, ServerFit]:
    """Fitted power of the servers of each accelerator."""
    hardware = transcription("hardware")
    return by_accelerator(from_table(read("node_power_fits"), hardware), hardware)


def read_serving(settings: Serving, simulation: Simulation) -> ServingModel:
    """The fitted serving model as a function that prices rows."""
    model = read_model()

    def price(rows: pd.DataFrame, samples: int, kept: Indices | None = None) -> Cost:
        rng = generator(simulation.seed, "serving model")
        return request_cost(rows, model, settings, rng, samples, kept)

    return price
