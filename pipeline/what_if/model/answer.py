"""Energy and water of a query of one service under chosen settings, in the samples of the re-estimate.

What is fixed has its value in every sample, what is not keeps its draws; so with nothing fixed the energies
are those of data/results/re_estimated.csv. Levers divide energy and water alike.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Self, TypeVar, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.core.assumption import Assumption, Constant
from pipeline.core.columns import BOUNDARIES, Regime
from pipeline.core.draws import Design, Simulation
from pipeline.core.summaries import split
from pipeline.energy.model.cost_curves import ServingModel
from pipeline.energy.model.estimate import BLEND
from pipeline.energy.model.settings import ReEstimate
from pipeline.energy.model.study import (
    Case,
    Study,
    draw_cases,
    draw_samples,
    read_lengths,
    read_servers,
    read_serving,
    study_of,
)
from pipeline.lengths.model.scenario import LengthScenario, Traffic, length_scenario
from pipeline.lengths.model.settings import FixedTraffic, Lengths
from pipeline.published.model.settings import Base
from pipeline.servers.model.power import ServerFit
from pipeline.serving.model.settings import Serving
from pipeline.water.model.sites import SiteDraws, Sites, site_uniforms
from pipeline.what_if.model.settings import LEVERS, Levers, WhatIf

Array = NDArray[np.float64]
Kind = TypeVar("Kind", bound=Assumption)


@dataclass(frozen=True)
class Inputs:
    """What a what-if takes beside its settings; levers: published multipliers by the names of LEVERS."""

    levers: Mapping[str, Assumption]
    traffic: dict[str, Traffic]
    servers: dict[str, ServerFit]
    sites: Sites
    simulation: Simulation
    model: ServingModel

    @classmethod
    def read(cls, sites: Sites, published: Base, simulation: Simulation, serving: Serving) -> Self:
        """Sites as given, published multipliers, lengths, servers and the serving model."""
        levers = {name: getattr(published, f"lever_{name}") for name in LEVERS}
        model = read_serving(serving, simulation)
        return cls(levers, read_lengths(), read_servers(), sites, simulation, model)


def fixed(assumption: Kind, value: float | None) -> Kind:
    """The assumption at one value, or as it is where none is given."""
    if value is None:
        return assumption
    return assumption.model_copy(update={"distribution": Constant(family="constant", value=value)})


def applied(chosen: WhatIf, settings: ReEstimate) -> ReEstimate:
    """The assumptions with load, PUE and requests in flight as chosen."""
    practice = settings.practice
    if chosen.utilisation is not None:
        practice = practice.model_copy(update={"reallocates": fixed(practice.reallocates, 0.0)})
    load = settings.load.model_copy(
        update={
            "utilisation": fixed(settings.load.utilisation, chosen.utilisation),
            "idle_share": fixed(settings.load.idle_share, chosen.idle_share),
        }
    )
    models = [
        item.model_copy(update={"concurrency": fixed(item.concurrency, chosen.requests)})
        for item in settings.deployments.models
    ]
    deployments = settings.deployments.model_copy(update={"models": models})
    pue = fixed(settings.pue, chosen.pue)
    update = {"practice": practice, "load": load, "deployments": deployments, "pue": pue}
    return settings.model_copy(update=update)


def alike(input_tokens: float, output_tokens: float, lengths: Lengths) -> LengthScenario:
    """Lengths that are the same for every query."""
    like = lengths.published.short
    both = FixedTraffic(
        input_tokens=fixed(like.input_tokens, input_tokens),
        output_tokens=fixed(like.output_tokens, output_tokens),
    )
    production = lengths.production
    correlations = (production.level_correlation, production.unmeasured_correlation)
    return LengthScenario(both, None, *(one.distribution for one in correlations))


def at_site(site: SiteDraws, chosen: WhatIf) -> SiteDraws:
    """The sites of every sample with PUE, WUE and grid as chosen."""
    given = {
        "pue": chosen.pue,
        "wue_l_per_kwh": chosen.wue_l_per_kwh,
        "electricity_l_per_kwh": chosen.electricity_l_per_kwh,
    }
    return replace(site, **{k: np.full_like(site.pue, v) for k, v in given.items() if v is not None})


def drawn_gains(assumed: Mapping[str, Assumption], design: Design) -> dict[str, Array]:
    """Gain of each lever in every sample, (n,)."""
    return {name: design.draw(f"published lever, {name}", one.distribution) for name, one in assumed.items()}


def gain(levers: Levers, assumed: Mapping[str, Assumption], design: Design) -> Array:
    """Product of the gains of all levers in every sample, (n,)."""
    total = np.ones(len(design))
    for name, drawn in drawn_gains(assumed, design).items():
        value = getattr(levers, name)
        total *= drawn if value == "drawn" else value
    return total


def answer(
    chosen: WhatIf,
    settings: ReEstimate,
    inputs: Inputs,
) -> pd.DataFrame:
    """One row a quantity, in the contract WHAT_IF."""
    study = one_case(chosen, applied(chosen, settings), inputs)
    gains = gain(chosen.levers, inputs.levers, study.samples.design)
    rows = [
        {"quantity": quantity, "unit": unit, "settings": describe(chosen), **columns(drawn)}
        for quantity, unit, drawn in quantities(chosen, study, inputs, gains)
    ]
    return pd.DataFrame(rows)


def one_case(chosen: WhatIf, settings: ReEstimate, inputs: Inputs) -> Study:
    """The study of the re-estimate with one case: the same samples, of a scenario the very queries."""
    samples = draw_samples(settings, inputs.simulation, settings.propagation)
    cases = draw_cases(lengths_of(chosen, settings, inputs.traffic), samples)
    return study_of(settings, samples, cases, inputs.servers, inputs.model, with_services=False)


def lengths_of(
    chosen: WhatIf, settings: ReEstimate, traffic: dict[str, Traffic]
) -> dict[tuple[str, Regime], LengthScenario]:
    """Lengths of the chosen traffic by scenario and regime."""
    if chosen.input_tokens is None or chosen.output_tokens is None:
        scenario, regime = chosen.traffic.split("_")
        of_traffic = length_scenario(settings.lengths, traffic, scenario, regime)
        return {(scenario, cast(Regime, regime)): of_traffic}
    return {("fixed", "short"): alike(chosen.input_tokens, chosen.output_tokens, settings.lengths)}


def quantities(
    chosen: WhatIf, study: Study, inputs: Inputs, gains: Array
) -> Iterator[tuple[str, str, Array]]:
    """Name, unit and draws, (replicates, outer, inner), of energy by boundary, water by scope and carbon."""
    (case,) = study.cases
    energies = energy_wh(study, case, chosen.model)
    per_sample = gains.reshape(study.samples.replicates, -1, 1)
    for boundary in BOUNDARIES:
        yield f"{boundary}_energy", "Wh", energies[boundary] / per_sample
    pue = study.samples.pue.reshape(per_sample.shape)
    it_wh = energies["facility"] / pue / per_sample
    uniforms = site_uniforms(study.samples.design).reshape(-1, *per_sample.shape)
    drawn = {keys["site_scenario"]: site for keys, site in inputs.sites.draws(uniforms)}[chosen.site]
    at = at_site(drawn, chosen)
    for scope, water_ml in at.water_ml(it_wh).items():
        yield f"{scope}_water", "mL", water_ml
    yield "carbon", "g", at.carbon_g(it_wh)


def energy_wh(study: Study, case: Case, subject: str) -> dict[str, Array]:
    """Energies of a model, or of the blend's queries, by boundary, (replicates, outer, inner)."""
    names = study.deployments.blend if subject == BLEND else [subject]
    served = [study.served(item, case) for item in study.deployments.models if item.model in names]
    queries, shape = case.queries, (study.samples.replicates, study.propagation.outer, -1)
    return {
        boundary: np.concatenate(
            [cost.queries_wh(boundary, queries).reshape(shape) for cost in served],
            axis=2,
        )
        for boundary in BOUNDARIES
    }


def columns(drawn: Array) -> dict[str, float]:
    """As `split` names them, without the unit, which has a column of its own."""
    return {name.removesuffix("_wh"): value for name, value in split(drawn).items()}


def headline(table: pd.DataFrame) -> dict[str, dict[str, float]]:
    """The mean over queries with its 90 % interval from ignorance, for `dvc metrics`, from WHAT_IF."""
    return {
        f"{row['quantity']} ({row['unit']}/query)": {
            name: row[f"mean_{name}"] for name in ("p5", "p50", "p95")
        }
        for row in table.to_dict("records")
    }


def describe(chosen: WhatIf) -> str:
    """What is chosen, as `key=value; ...`; a table that is passed on says what it holds for."""
    plain = chosen.model_dump(exclude={"levers"})
    told = {key: value for key, value in plain.items() if value is not None}
    told |= {name: value for name, value in chosen.levers.model_dump().items() if value != 1}
    return "; ".join(f"{key}={value}" for key, value in told.items())
