"""The factor table: what a query and a thousand tokens take, by model class, accelerator and batch band.

In each world (what is not known, as in the re-estimate: serving model, engine, server power, load, site,
levels of length), with r requests in flight, drawn in the band and cut at what the cache holds:

    per query                 watts / 3600 * mean over queries of a I + b O + k O (I + O/2)
    per 1,000 input tokens    watts / 3600 * 1000 a
    per 1,000 output tokens   watts / 3600 * 1000 (b + k c),  c = mean of O (I + O/2) / mean of O

in Wh, so that input and output tokens at these factors make up the mean query, exactly. `watts` is power of
the accelerators (gpu), wall power of the serving server (node), or all with idle servers, times PUE
(facility). At a scenario of sites, PUE and water in mL are those of one drawn site (estimate/water/draws.py).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.assumptions.base import Assumption
from pipeline.assumptions.deployments import Deployment
from pipeline.assumptions.factors import BatchBand, Factors, Instance, ModelClass
from pipeline.assumptions.re_estimate import ReEstimate
from pipeline.assumptions.simulation import Simulation
from pipeline.contracts.factors import PERCENTS
from pipeline.distributions import Constant
from pipeline.errors import InputError
from pipeline.estimate.cost_curves import EngineCurves, Terms, configurations
from pipeline.estimate.fleet.draws import own_uniforms
from pipeline.estimate.lengths import Traffic
from pipeline.estimate.load import part_load
from pipeline.estimate.nested import sorted_quantiles, standard_error
from pipeline.estimate.sobol import stage_seed
from pipeline.estimate.study import Case, ServingModel, draw_cases, engine_curves
from pipeline.estimate.water.draws import TERMS, SiteDraws
from pipeline.estimate.water.scenarios import Sites
from pipeline.estimate.worlds import Moments, Worlds, draw_worlds
from pipeline.fit.node_power import ServerFit, server_of
from pipeline.units import SECONDS_PER_HOUR

Array = NDArray[np.float64]
STAGE = "estimate_factors"
SCENARIO = "production"
ANY_SITE = "any site"
TOKENS = 1000
MOST = 0.5  # of the worlds have to reach a band, or it is left out
WATER_SCOPES = ("onsite", "total")
Places = dict[str, SiteDraws | None]  # None: at a site whose PUE alone is drawn


@dataclass(frozen=True)
class Served:
    """One instance in one band: terms of a request's seconds, watts at PUE 1 by boundary, all (worlds,)."""

    terms: Terms
    watts: dict[str, Array]

    def per(self, boundary: str, moments: Moments) -> dict[str, Array]:
        """Wh, (worlds,), for each denominator of the table; the facility's at PUE 1."""
        t, watt_hours = self.terms, self.watts[boundary] / SECONDS_PER_HOUR
        attended = moments.product + moments.output_squared / 2
        input_s, output_s = t.a, t.b + t.k * attended / moments.output_tokens
        return {
            "query": watt_hours * (input_s * moments.input_tokens + output_s * moments.output_tokens),
            "1000 input tokens": watt_hours * TOKENS * input_s,
            "1000 output tokens": watt_hours * TOKENS * output_s,
        }


def factor_rows(
    factors: Factors,
    settings: ReEstimate,
    traffic: dict[str, Traffic],
    servers: dict[str, ServerFit],
    sites: Sites,
    simulation: Simulation,
    model: ServingModel,
    generations: Mapping[str, str],
) -> pd.DataFrame:
    """All columns of the contract FACTORS but `version` and `method`; generations: of each accelerator."""
    world_seed, query_seed, model_seed, own_seed = stage_seed(simulation, STAGE).spawn(4)
    propagation = factors.propagation
    worlds = draw_worlds(world_seed, propagation, settings.load, settings.pue)
    cases = draw_cases(settings.lengths, traffic, propagation, worlds, query_seed)
    cases = [case for case in cases if case.scenario == SCENARIO]
    in_band, *site = own_uniforms(own_seed, propagation, 1 + TERMS)
    drawn = {keys["site_scenario"]: at for keys, at in sites.draws(np.array(site))}
    for name in set(factors.sites) - set(drawn):
        raise InputError(f"params.yaml, factors.sites: {name!r}, expected some of {', '.join(drawn)}")
    places: Places = {ANY_SITE: None, **{name: drawn[name] for name in factors.sites}}

    references = [(item, instance) for item in factors.classes for instance in item.instances]
    deployments = [deployment(*reference) for reference in references]
    lengths_of = [(one, case.mean_lengths) for one in deployments for case in cases]
    curves = engine_curves(lengths_of, model, model_seed, worlds, settings.deployments.tensorrt_share)
    bases = evidence(deployments, cases[0], model)
    each = [(*pair, case) for pair in zip(references, bases, strict=True) for case in cases]
    rows: list[dict[str, Any]] = []
    for ((item, instance), basis, case), curve in zip(each, curves, strict=True):
        server = servers[server_of(instance.gpu)]
        about = describe(item, instance, generations[instance.gpu], basis, case)
        for band in factors.batch_bands:
            wanted = band.low * (band.high / band.low) ** in_band
            if reached(curve, band, case.moments.context_tokens):
                served = serve(curve, server, instance, wanted, case.moments.context_tokens, worlds)
                found = values(served, case.moments, worlds, places)
                rows += [{**about, "requests_in_flight": band.name, **row} for row in found]
    return pd.DataFrame(rows)


def deployment(item: ModelClass, instance: Instance) -> Deployment:
    """The reference model on one instance, as the cost curves take it; the band gives its concurrency."""
    unused = Assumption(
        distribution=Constant(family="constant", value=1), unit="requests", source="-", reason="-"
    )
    return Deployment(
        model=item.model,
        total_params_b=item.total_params_b,
        active_params_b=item.active_params_b,
        **instance.model_dump(),
        source="-",
        reason=item.reason,
        concurrency=unused,
    )


def evidence(deployments: list[Deployment], case: Case, model: ServingModel) -> list[str]:
    """What throughput and accelerator power of each instance rest on, when its engine is not stated."""
    rows = pd.concat([configurations(one, case.mean_lengths).iloc[[0]] for one in deployments])
    cost: Any = model(rows.reset_index(drop=True), np.random.default_rng(0), 1)
    return [str(basis) for basis in cost.basis]


def describe(item: ModelClass, instance: Instance, generation: str, basis: str, case: Case) -> dict[str, Any]:
    """The columns that say what a factor is for."""
    return {
        "model_class": item.name,
        "reference_model": item.model,
        "total_params_b": item.total_params_b,
        "active_params_b": item.active_params_b,
        "gpu_generation": generation,
        "gpu": instance.gpu,
        "gpus": instance.gpus,
        "precision": instance.precision,
        "workload": str(case.regime),
        "input_tokens": round(case.mean_lengths.input_tokens),
        "output_tokens": round(case.mean_lengths.output_tokens),
        "evidence": basis,
    }


def serve(
    curve: EngineCurves,
    server: ServerFit,
    instance: Instance,
    wanted: Array,
    context_tokens: Array,
    worlds: Worlds,
) -> Served:
    """What requests cost with `wanted` in flight, or as many as the cache holds; all (worlds,)."""
    every = np.arange(len(worlds))
    terms = curve.at(curve.configured(wanted, context_tokens, every), every)
    gpus = np.array(instance.gpus)
    node_w = server.node_w(terms.gpu_w, gpus, worlds.node_uniforms)
    idle_w = server.idle_w(gpus, worlds.node_uniforms)
    state = part_load(worlds.utilisation, worlds.idle_share)
    with_idle_w = state.watts_per_serving_node(node_w, idle_w)
    return Served(terms, {"gpu": terms.gpu_w, "node": node_w, "facility": with_idle_w})


def reached(curve: EngineCurves, band: BatchBand, context_tokens: Array) -> bool:
    """Whether the cache holds more than the least of the band in most worlds."""
    every = np.arange(len(context_tokens))
    most = curve.configured(np.full(len(every), band.high), context_tokens, every)
    return bool(np.mean(most > band.low) >= MOST)


def values(served: Served, moments: Moments, worlds: Worlds, places: Places) -> Iterator[dict[str, Any]]:
    """Boundary, site, denominator and percentiles of one band; water at the facility's sites alone."""
    for boundary in served.watts:
        for per, energy_wh in served.per(boundary, moments).items():
            if boundary != "facility":
                found = percentiles(energy_wh, "wh", worlds.replicates)
                yield {"boundary": boundary, "site": ANY_SITE, "per": per, **found}
                continue
            for name, site in places.items():
                found = at_site(energy_wh, worlds, site)
                yield {"boundary": boundary, "site": name, "per": per, **found}


def at_site(it_wh: Array, worlds: Worlds, site: SiteDraws | None) -> dict[str, float]:
    """Percentiles of energy at the facility, and of water where the site has it; it_wh: at PUE 1."""
    pue = worlds.pue if site is None else site.pue
    found = percentiles(it_wh * pue, "wh", worlds.replicates)
    water = site.water_ml(it_wh) if site else {}
    for scope in WATER_SCOPES if site else ():
        found |= percentiles(water[scope], f"{scope}_ml", worlds.replicates)
    return found


def percentiles(drawn: Array, unit: str, replicates: int) -> dict[str, float]:
    """P5, P50, P95 over worlds and the Monte Carlo error of P50, each the mean over replicates."""
    each = sorted_quantiles(np.sort(drawn.reshape(replicates, -1), axis=1))
    found = {f"{name}_{unit}": float(value) for name, value in zip(PERCENTS, each.mean(axis=0), strict=True)}
    return {**found, f"mc_error_p50_{unit}": standard_error(each[:, 1])}
