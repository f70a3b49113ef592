"""All that the panel needs to answer in the browser: worlds as drawn, cost in components, traffic, sites.

Its numbers are those of pipeline/estimate/what_if/answer.py up to rounding, the components that are left out
and interpolation over lengths (tests/present/site/test_whatif_model.py has how far). Per-world arrays are
packed as pipeline/estimate/what_if/compress.py says.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr

from pipeline.assumptions.re_estimate import FixedTraffic, ReEstimate
from pipeline.assumptions.what_if import LEVERS, WhatIf
from pipeline.contracts.results import REGIMES
from pipeline.estimate.cost_curves import CONCURRENCIES, ENGINES, Indices, configurations
from pipeline.estimate.study import Case, ServingModel, draw_cases
from pipeline.estimate.water.draws import Factors
from pipeline.estimate.water.tables import world_uniforms
from pipeline.estimate.what_if.answer import lever_uniforms
from pipeline.estimate.what_if.compress import Components, pack
from pipeline.estimate.what_if.inputs import Inputs
from pipeline.estimate.what_if.price import (
    INPUT_GRID,
    OUTPUT_GRID,
    by_engine,
    capacities,
    grid,
    step_terms,
    weights,
)
from pipeline.estimate.worlds import Moments, Worlds, draw_worlds, seeds
from pipeline.fit.node_power import RATED_W, SERVER_GPUS, ServerFit, server_of

Array = NDArray[np.float64]
Json = dict[str, Any]
# Levers of the panel by the groups of LEVER_SYSTEMS.
GROUPS = {
    "hardware": ("hardware", "datacentre"),
    "model": ("models",),
    "serving": ("serving",),
    "routing": ("routing",),
}
GRADED = "graded"  # of LEVER_COMBINATIONS: with overlaps, on evidence of grade A or B alone
FITTED = "fitted model"  # how the basis of a gain of ours begins
BAND = ("p5", "p50", "p95")
NORMAL = np.linspace(-6, 6, 241)  # where quantiles of lengths are written


def panel(
    chosen: WhatIf,
    settings: ReEstimate,
    inputs: Inputs,
    answered: pd.DataFrame,
    systems: pd.DataFrame,
    combinations: pd.DataFrame,
) -> Json:
    """The content of whatif.json; `chosen` is where the panel starts, `answered` its answer (WHAT_IF).

    systems, combinations: LEVER_SYSTEMS and LEVER_COMBINATIONS.
    """
    world_seed, query_seed, model_seed, *_ = seeds(inputs.simulation)
    worlds = draw_worlds(world_seed, settings.propagation, settings.load, settings.pue)
    cases = draw_cases(settings.lengths, inputs.traffic, settings.propagation, worlds, query_seed)
    named = {f"{case.scenario}_{case.regime}": case for case in cases}
    return {
        "defaults": chosen.model_dump(),
        "answer": {row["quantity"]: bands(row) for row in answered.to_dict("records")},
        "replicates": worlds.replicates,
        "worlds": len(worlds),
        "concurrency": list(CONCURRENCIES),
        "input_grid": INPUT_GRID.tolist(),
        "output_grid": OUTPUT_GRID.tolist(),
        "server_gpus": SERVER_GPUS,
        "drawn": {name: pack(getattr(worlds, name)) for name in ("utilisation", "idle_share", "pue")},
        "servers": {
            name: server(inputs.servers[name], worlds)
            for name in sorted({server_of(item.gpu) for item in settings.deployments.models})
        },
        "normal": NORMAL.tolist(),
        "traffic": {name: traffic(case, worlds) for name, case in named.items()},
        **deployments(settings, named, worlds, model_seed, inputs.model),
        "levers": lever_gains(inputs, settings, systems),
        "combined": {regime: combined(combinations, regime) for regime in REGIMES},
        "sites": sites(inputs, settings),
    }


def bands(row: Mapping[Any, Any]) -> Json:
    """One row of WHAT_IF as the panel has it."""
    found: Json = {
        of: {**{p: row[f"{of}_{p}"] for p in ("p5", "p50", "p95")}, "mcError": row[f"mc_error_{of}_p50"]}
        for of in ("median", "mean")
    }
    return found | {"query": {p: row[f"query_{p}"] for p in ("p5", "p95")}}


def server(fit: ServerFit, worlds: Worlds) -> Json:
    """Parameters of one server type in every world."""
    fixed_w, loss, idle_share, factor = fit.terms(worlds.node_uniforms)
    terms = {"fixed_w": fixed_w, "loss": loss, "gpu_idle_share": idle_share, "factor": factor}
    return {"rated_w": RATED_W[fit.gpu], **{name: pack(value, ln=True) for name, value in terms.items()}}


def traffic(case: Case, worlds: Worlds) -> Json:
    """Lengths of one case: quantiles, levels and correlation in every world, moments over its queries."""
    settings, shapes = case.lengths.settings, case.lengths.traffic
    uniforms = ndtr(NORMAL)
    moments = {name: getattr(case.moments, name) for name in Moments.__dataclass_fields__}
    found: Json = {"alike_in_all_worlds": shapes is None, "priced_context": case.mean_lengths.context_tokens}
    if isinstance(settings, FixedTraffic) or shapes is None:
        assert isinstance(settings, FixedTraffic)
        sides = {"input_tokens": settings.input_tokens, "output_tokens": settings.output_tokens}
        quantiles = {name: side.distribution.ppf(uniforms) for name, side in sides.items()}
        return found | {
            "quantiles": {name: value.tolist() for name, value in quantiles.items()},
            "moments": {name: float(value[0]) for name, value in moments.items()},
        }
    level_in, level_out, correlation = worlds.length_uniforms.T
    levels = {
        "input_tokens": settings.input_level.distribution.ppf(level_in),
        "output_tokens": settings.output_level.distribution.ppf(level_out),
    }
    return found | {
        "quantiles": {name: getattr(shapes, name).ppf(uniforms).tolist() for name in levels},
        "levels": {name: pack(value, ln=True) for name, value in levels.items()},
        "spearman": pack(case.lengths.correlation(correlation)),
        "moments": {name: pack(value, ln=True) for name, value in moments.items()},
    }


def deployments(
    settings: ReEstimate,
    cases: Mapping[str, Case],
    worlds: Worlds,
    seed: np.random.SeedSequence,
    model: ServingModel,
) -> Json:
    """Every deployment with its cost in components, engine by engine, and which engine a world runs."""
    models = settings.deployments.models
    points = [*(case.mean_lengths for case in cases.values()), *grid()]
    share = settings.deployments.tensorrt_share.distribution.median()
    choice = (worlds.engine_uniforms < share).astype(np.int64)

    def on_engine(engine: str, kept: Indices) -> list[Json]:
        terms = step_terms(models, points, engine, model, seed, len(worlds), kept)
        held = capacities(models, points, engine, model)
        found = []
        for of_model, tokens in zip(terms, held, strict=True):
            flat = of_model.reshape(len(points), -1, len(kept)).astype(float)
            about = {"engine": engine, "ln_capacity": np.log(tokens).tolist()}
            found.append(about | Components.of(flat, weights(tokens, points)).packed())
        return found

    # NumPy releases the interpreter lock; the results do not depend on the number of threads.
    with ThreadPoolExecutor(len(ENGINES)) as pool:
        engines = list(pool.map(on_engine, *zip(*by_engine(choice), strict=True)))
    bases = evidence(settings, next(iter(cases.values())), model)
    return {
        "cases": list(cases),
        "blend": settings.deployments.blend,
        "engine": pack(choice.astype(float)),
        "deployments": [
            {
                **item.model_dump(include={"model", "gpu", "gpus", "precision", "reason"}),
                "server": server_of(item.gpu),
                "evidence": basis,
                "requests": pack(item.concurrency.distribution.ppf(worlds.concurrency_uniforms), ln=True),
                "engines": found,
            }
            for item, basis, *found in zip(models, bases, *engines, strict=True)
        ],
    }


def evidence(settings: ReEstimate, case: Case, model: ServingModel) -> list[str]:
    """What throughput and power of each deployment rest on, when its engine is not stated."""
    rows = [configurations(item, case.mean_lengths).iloc[[0]] for item in settings.deployments.models]
    cost: Any = model(pd.concat(rows, ignore_index=True), np.random.default_rng(0), 1)
    return [str(basis) for basis in cost.basis]


def lever_gains(inputs: Inputs, settings: ReEstimate, systems: pd.DataFrame) -> Json:
    """Gains of each lever in every world, with its source, and of the named systems that belong to it."""
    uniforms = lever_uniforms(inputs.simulation, settings.propagation)
    found = {}
    for name, uniform in zip(LEVERS, uniforms, strict=True):
        assumed = inputs.levers[name]
        drawn = assumed.distribution.ppf(uniform)
        p5, p50, p95 = (float(assumed.distribution.ppf(np.array(p))) for p in (0.05, 0.5, 0.95))
        about: Json = {"source": assumed.source, "reason": assumed.reason, "p5": p5, "p50": p50, "p95": p95}
        about["estimated"] = {regime: estimated(systems, GROUPS[name], regime) for regime in REGIMES}
        found[name] = {**about, "drawn": pack(drawn, ln=True)}
    return found


def estimated(systems: pd.DataFrame, groups: Sequence[str], regime: str) -> list[Json]:
    """What the project itself estimates of named systems, each alone and as in production."""
    ours = (
        systems["group"].isin(groups)
        & (systems["regime"] == regime)
        & systems["basis"].str.startswith(FITTED)
        & systems["bound"].isna()
        & systems["load"].isna()
    )
    columns = ["system", "compared", "grade", *BAND]
    return [{str(k): v for k, v in row.items()} for row in systems.loc[ours, columns].to_dict("records")]


def combined(combinations: pd.DataFrame, regime: str) -> Json:
    """Gain of all levers with their overlaps, and what the mean query of the blend then takes, Wh."""
    steps = combinations[(combinations["combination"] == GRADED) & (combinations["regime"] == regime)]
    last = steps.sort_values("order").iloc[-1]  # every order of the levers ends at the same place
    return {
        name: {percentile: float(last[f"{column}_{percentile}"]) for percentile in BAND}
        for name, column in (("gain", "cumulative"), ("energy_wh", "energy_wh"))
    }


def sites(inputs: Inputs, settings: ReEstimate) -> Json:
    """Sites of every scenario with their factors, and in every world which one, and how far off."""
    chosen, *rest = world_uniforms(inputs.simulation, settings.propagation)
    factors = Factors.draw(inputs.sites.settings, np.stack(rest))
    columns = ["pue", "wue_l_per_kwh", "electricity_l_per_kwh"]
    return {
        "uniforms": pack(chosen),
        "wue_factor": pack(factors.wue, ln=True),
        "electricity_factor": pack(factors.electricity, ln=True),
        "scenarios": {
            name: {
                "title": inputs.sites.settings.scenarios[name].title,
                "basis": inputs.sites.settings.scenarios[name].basis,
                "edges": table["weight"].cumsum().tolist(),
                **{column: table[column].tolist() for column in columns},
            }
            for name, table in inputs.sites.tables.items()
        },
    }
