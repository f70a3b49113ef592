"""Energy and water of a query of one service under chosen settings, in the worlds of the re-estimate.

What is fixed has its value in every world, what is not keeps its draws; so with nothing fixed the energies
are those of data/results/re_estimated.csv. Levers divide energy and water alike.
"""

from collections.abc import Iterator
from typing import cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.assumptions.deployments import Propagation
from pipeline.assumptions.re_estimate import ReEstimate
from pipeline.assumptions.simulation import Simulation
from pipeline.assumptions.what_if import LEVERS, WhatIf
from pipeline.contracts.results import BOUNDARIES, Regime
from pipeline.estimate.fleet.draws import own_uniforms
from pipeline.estimate.lengths import Traffic, length_scenario
from pipeline.estimate.nested import split
from pipeline.estimate.re_estimated import BLEND
from pipeline.estimate.sobol import stage_seed
from pipeline.estimate.study import Case, Study, draw_case, engine_curves
from pipeline.estimate.water.tables import world_uniforms
from pipeline.estimate.what_if.inputs import Inputs
from pipeline.estimate.what_if.settings import alike, applied, at_site, gain
from pipeline.estimate.worlds import Worlds, draw_worlds, seeds

Array = NDArray[np.float64]
STAGE = "estimate_what_if"


def answer(
    chosen: WhatIf,
    settings: ReEstimate,
    inputs: Inputs,
) -> pd.DataFrame:
    """One row a quantity, in the contract WHAT_IF."""
    study = one_case(chosen, applied(chosen, settings), inputs)
    uniforms = lever_uniforms(inputs.simulation, settings.propagation)
    gains = gain(chosen.levers, inputs.levers, uniforms)
    rows = [
        {"quantity": quantity, "unit": unit, "settings": describe(chosen), **columns(drawn)}
        for quantity, unit, drawn in quantities(chosen, study, inputs, gains)
    ]
    return pd.DataFrame(rows)


def one_case(chosen: WhatIf, settings: ReEstimate, inputs: Inputs) -> Study:
    """The study of the re-estimate with one case: the same worlds, the same draws of the serving model."""
    world_seed, query_seed, model_seed, *others = seeds(inputs.simulation)
    propagation, deployments = settings.propagation, settings.deployments
    worlds = draw_worlds(world_seed, propagation, settings.load, settings.pue)
    case = drawn_case(chosen, settings, inputs.traffic, worlds, query_seed)
    priced = [(item, case.mean_lengths) for item in deployments.models]
    found = engine_curves(priced, inputs.model, model_seed, worlds, deployments.tensorrt_share)
    keys = [(item.model, case.scenario, case.regime) for item in deployments.models]
    curves = dict(zip(keys, found, strict=True))
    return Study(deployments, propagation, worlds, [case], curves, inputs.servers, *others)


def drawn_case(
    chosen: WhatIf,
    settings: ReEstimate,
    traffic: dict[str, Traffic],
    worlds: Worlds,
    seed: np.random.SeedSequence,
) -> Case:
    """The queries of the chosen traffic in every world; of a scenario the very queries of the re-estimate."""
    lengths, propagation = settings.lengths, settings.propagation
    if chosen.input_tokens is None or chosen.output_tokens is None:
        scenario, regime = chosen.traffic.split("_")
        of_traffic = length_scenario(lengths, traffic, scenario, regime)
        return draw_case(scenario, cast(Regime, regime), of_traffic, propagation, worlds, seed)
    stated = alike(chosen.input_tokens, chosen.output_tokens, lengths)
    return draw_case("fixed", "short", stated, propagation, worlds, seed)


def lever_uniforms(simulation: Simulation, propagation: Propagation) -> Array:
    """Uniforms of the gain of each lever in every world, (levers, worlds)."""
    return own_uniforms(stage_seed(simulation, STAGE), propagation, len(LEVERS))


def quantities(
    chosen: WhatIf, study: Study, inputs: Inputs, gains: Array
) -> Iterator[tuple[str, str, Array]]:
    """Name, unit and draws, (replicates, outer, inner), of energy by boundary and water by scope."""
    (case,) = study.cases
    energies = energy_wh(study, case, chosen.model)
    per_world = gains.reshape(study.worlds.replicates, -1, 1)
    for boundary in BOUNDARIES:
        yield f"{boundary}_energy", "Wh", energies[boundary] / per_world
    pue = study.worlds.pue.reshape(per_world.shape)
    it_wh = energies["facility"] / pue / per_world
    uniforms = world_uniforms(inputs.simulation, study.propagation).reshape(-1, *per_world.shape)
    drawn = {keys["site_scenario"]: site for keys, site in inputs.sites.draws(uniforms)}[chosen.site]
    for scope, water_ml in at_site(drawn, chosen).water_ml(it_wh).items():
        yield f"{scope}_water", "mL", water_ml


def energy_wh(study: Study, case: Case, subject: str) -> dict[str, Array]:
    """Energies of a model, or of the blend's queries, by boundary, (replicates, outer, inner)."""
    names = study.deployments.blend if subject == BLEND else [subject]
    served = [study.served(item, case) for item in study.deployments.models if item.model in names]
    lengths, shape = case.queries, (study.worlds.replicates, study.propagation.outer, -1)
    return {
        boundary: np.concatenate(
            [
                cost.energy_wh(boundary, lengths.input_tokens, lengths.output_tokens).reshape(shape)
                for cost in served
            ],
            axis=2,
        )
        for boundary in BOUNDARIES
    }


def columns(drawn: Array) -> dict[str, float]:
    """As `split` names them, without the unit, which has a column of its own."""
    return {name.removesuffix("_wh"): value for name, value in split(drawn).items()}


def as_tabled(table: pd.DataFrame, chosen: WhatIf, waters: pd.DataFrame) -> pd.DataFrame:
    """WHAT_IF with the waters of WATER_SPLIT, where that has the settings; those are of fewer queries.

    Both are the same quantity up to Monte Carlo error; pages that show it twice show one number.
    """
    nothing_set = chosen.model_dump(exclude={"model", "traffic", "site", "levers"}, exclude_none=True) == {}
    scenario, _, regime = chosen.traffic.partition("_")
    keys = {
        "variant": f"{scenario}_lengths",
        "regime": regime,
        "subject": chosen.model,
        "site_scenario": chosen.site,
    }
    rows = waters[(waters[[*keys]] == pd.Series(keys)).all(axis=1)]
    if rows.empty or not nothing_set or set(chosen.levers.model_dump().values()) != {1}:
        return table
    renamed = rows.rename(columns=lambda name: name.removesuffix("_ml"))
    tabled = renamed.assign(quantity=rows["scope"] + "_water").set_index("quantity")
    found = table.set_index("quantity")
    shared = found.columns.intersection(tabled.columns)
    found.loc[tabled.index, shared] = tabled[shared]
    return found.reset_index()[[*table.columns]]


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
