"""What a fleet rests on, drawn once: samples as in the re-estimate, model calls of three kinds, their cost.

A call is what a deployment answers: one short or long query, or one of the calls by which an agent answers a
task. Of an agent's context only what the cache does not hold is computed again, all of it is attended to:

    instance-seconds = a (1 - cached) I + b O + k O (I + O/2).

Litres are those of a scenario of sites (water), used all together by the weight of each, as a
fleet uses them. PUE is that of the same sites, of a kind of site, or of a site that is not known.

The lever of the datacentre goes from one kind of site to another by PUE, and from evaporation to a closed
loop. Both ends of a move are drawn each by itself, since a service moves from a site to another. A closed
loop gives up the water on site for a higher PUE at the same site, and takes more water in its electricity:
per kWh that servers draw, WUE + PUE * intensity before, (PUE + penalty) * intensity after.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from itertools import permutations

import numpy as np
import pandas as pd

from pipeline.core.assumption import Pue
from pipeline.core.draws import Design, Simulation
from pipeline.core.errors import InputError
from pipeline.core.summaries import band
from pipeline.core.units import Array, Indices
from pipeline.energy.model.cost_curves import EngineCurves, MeanLengths, ServingModel, engine_curves
from pipeline.energy.model.query_energy import Conditions
from pipeline.energy.model.samples import Moments, Samples
from pipeline.energy.model.settings import ReEstimate
from pipeline.energy.model.study import agent_cases, draw_cases, draw_samples, every_length
from pipeline.fleet.model.contract import COOLING_LEVER, DATACENTRE_LEVER
from pipeline.fleet.model.settings import AS_WATER, UNKNOWN_SITE, Fleet, FleetScenario
from pipeline.lengths.model.scenario import Traffic
from pipeline.servers.model.power import ServerFit
from pipeline.serving.model.deployments import MID, ONE_OF_BLEND, SMALL, Deployment, context_window
from pipeline.water.model.settings import Water
from pipeline.water.model.sites import (
    Factors,
    SiteDraws,
    Sites,
    average_sites,
    closed_loop_penalty,
    site_uniforms,
)

AGENTIC = "agentic"
TIERS = {"large": ONE_OF_BLEND, "middle": MID, "small": SMALL}  # models of a class, in equal parts


@dataclass(frozen=True)
class Call:
    """One kind of model call: moments and mean context in every sample, and the lengths it is priced at."""

    moments: Moments
    context_tokens: Array
    mean_lengths: MeanLengths

    def take(self, index: Indices) -> "Call":
        """The same in the given samples."""
        return Call(self.moments.take(index), self.context_tokens[index], self.mean_lengths)


@dataclass(frozen=True)
class FleetDraws:
    """Samples, calls by (lengths, kind), calls a task, and cost curves by (model, lengths, kind)."""

    samples: Samples
    variance_points: int
    tiers: dict[str, list[Deployment]]
    calls: dict[tuple[str, str], Call]
    calls_per_task: Array
    curves: dict[tuple[str, str, str], EngineCurves]
    servers: dict[str, ServerFit]
    window: float  # tokens of context that a model has to hold to serve agents

    def able(self, deployment: Deployment, kind: str) -> bool:
        """Whether a model holds the contexts of a kind of call."""
        return kind != AGENTIC or context_window(deployment.model) >= self.window

    def server(self, deployment: Deployment) -> ServerFit:
        """The server type that holds a deployment's accelerators."""
        return self.servers[deployment.gpu]


@dataclass(frozen=True)
class Picks:
    """Samples, (S,), from which each group of assumptions takes its values."""

    length: Indices
    throughput: Indices
    power: Indices
    load: Indices
    site: Indices
    calls: Indices  # of an agent's task
    context: Indices  # of its calls: input, output, share in the cache
    gain: Indices

    @classmethod
    def as_drawn(cls, samples: Samples) -> "Picks":
        """Every sample as it is."""
        every = np.arange(len(samples))
        return cls(*(every for _ in fields(cls)))

    def conditions(self, samples: Samples, context_tokens: Array) -> Conditions:
        """Conditions at PUE 1: what a site adds is put on top."""
        return Conditions(
            throughput=self.throughput,
            power=self.power,
            node_uniforms=samples.node_uniforms[self.power],
            context_tokens=context_tokens,
            concurrency_uniforms=samples.concurrency_uniforms[self.load],
            utilisation=samples.utilisation[self.load],
            idle_share=samples.idle_share[self.load],
            pue=np.ones(len(self.load)),
        )


def draw_fleet(
    settings: Fleet,
    re_estimate: ReEstimate,
    traffic: dict[str, Traffic],
    servers: dict[str, ServerFit],
    simulation: Simulation,
    model: ServingModel,
) -> FleetDraws:
    """Draw all samples and calls, and price every deployment on every kind of call."""
    samples = draw_samples(re_estimate, simulation, settings.propagation)
    calls = {
        (case.scenario, str(case.regime)): Call(case.moments, case.moments.context_tokens, case.mean_lengths)
        for case in draw_cases(every_length(re_estimate, traffic), samples)
    }
    step, task = agent_cases(re_estimate, samples)
    of_agents = Call(step.moments, step.moments.context_tokens, step.mean_lengths)
    calls |= {(lengths, AGENTIC): of_agents for lengths in sorted({lengths for lengths, _ in calls})}
    tiers = {tier: re_estimate.deployments.services[name] for tier, name in TIERS.items()}
    deployments = [item for tier in tiers.values() for item in tier]
    keys = [(item.model, *call) for call in calls for item in deployments]
    lengths_of = [(item, call.mean_lengths) for call in calls.values() for item in deployments]
    curves = engine_curves(lengths_of, model, samples, re_estimate.deployments.tensorrt_share)
    return FleetDraws(
        samples,
        settings.propagation.variance_points,
        tiers,
        calls,
        np.asarray(task.moments.calls),
        dict(zip(keys, curves, strict=True)),
        servers,
        re_estimate.lengths.agents.window.distribution.median(),
    )


CONSUMPTION = "consumption"  # a withdrawal is not what a closed loop saves
PERCENTS = {"p5": 5, "p50": 50, "p95": 95}


@dataclass(frozen=True)
class Places:
    """PUE by kind of site, and all factors by scenario of sites, (n,) each."""

    pue: Mapping[str, Array]
    sites: Mapping[str, SiteDraws]

    @classmethod
    def draw(cls, settings: Fleet, samples: Samples, water: Water, factors: pd.DataFrame) -> "Places":
        """Of every site that a scenario may name; factors: FACTORS of pipeline/water/model/sites.py."""
        tables = Sites.of(water, factors).tables
        for name, scenario in settings.all.items():
            if scenario.water_site not in tables:
                raise InputError(
                    f"params.yaml, fleet, {name}: water_site {scenario.water_site!r}, "
                    f"expected one of {', '.join(tables)}"
                )
        common = Factors.draw(water, site_uniforms(samples.design)[1:])
        return cls(
            {UNKNOWN_SITE: samples.pue, **pue_of_kinds(settings.sites, samples.design)},
            {name: average_sites(table, common) for name, table in tables.items()},
        )

    def of(self, scenario: FleetScenario, samples: Indices) -> SiteDraws:
        """The factors of a scenario in the given samples."""
        found = self.sites[scenario.water_site]
        if scenario.site != AS_WATER:
            found = replace(found, pue=self.pue[scenario.site])
        sides = (found.pue, found.wue_l_per_kwh, found.electricity_l_per_kwh, found.carbon_kg_per_kwh)
        return SiteDraws(*(side[samples] for side in sides))


def pue_of_kinds(sites: Mapping[str, Pue], design: Design) -> dict[str, Array]:
    """PUE of each kind of site in every sample, (n,), independent of each other."""
    return {name: design.draw(f"PUE, {name}", site.distribution) for name, site in sites.items()}


def datacentre_lever(sites: Mapping[str, Pue], drawn: Pue, design: Design) -> pd.DataFrame:
    """DATACENTRE_LEVER of every move that lowers the median PUE; drawn: that of a site that is not known."""
    pue = {UNKNOWN_SITE: design.draw("PUE", drawn.distribution), **pue_of_kinds(sites, design)}
    rows = []
    for before, after in permutations(pue, 2):
        if np.median(pue[before]) > np.median(pue[after]):
            factor = band(pue[before] / pue[after], design.replicates)
            ends = {
                f"{when}_pue_{name}": float(np.percentile(pue[site], percent))
                for when, site in (("from", before), ("to", after))
                for name, percent in PERCENTS.items()
            }
            rows.append({"from_site": before, "to_site": after, **ends, **factor})
    return pd.DataFrame(rows)[list(DATACENTRE_LEVER.columns)]


def cooling_lever(water: Water, factors: pd.DataFrame, design: Design) -> pd.DataFrame:
    """COOLING_LEVER: a closed loop at all sites of each scenario of consumption that takes water on site.

    factors: FACTORS of pipeline/water/model/sites.py.
    """
    common = Factors.draw(water, site_uniforms(design)[1:])
    more = closed_loop_penalty(water, design)
    rows = []
    for name, table in Sites.of(water, factors).tables.items():
        at = average_sites(table, common)
        if water.scenarios[name].basis != CONSUMPTION or not at.wue_l_per_kwh.any():
            continue
        before = at.wue_l_per_kwh + at.pue * at.electricity_l_per_kwh
        after = (at.pue + more) * at.electricity_l_per_kwh
        bands = {
            "energy": at.pue / (at.pue + more),
            "onsite_before": at.wue_l_per_kwh,
            "water_before": before,
            "water_after": after,
        }
        row = {"site_scenario": name, "title": water.scenarios[name].title, "pue": float(at.pue[0])}
        for what, values in bands.items():
            row |= {
                f"{what}_{percentile}": band(values, design.replicates)[percentile] for percentile in PERCENTS
            }
        rows.append({**row, "worlds_saving_water": float(np.mean(after < before))})
    return pd.DataFrame(rows)[list(COOLING_LEVER.columns)]
