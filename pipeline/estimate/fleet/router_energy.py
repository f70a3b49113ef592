"""Energy of a query on the models that a router chooses among, and of the router itself, in every world.

A closed model has no published size. It is priced at the least, the middle and the most that others assume,
and lies somewhere between in each world, evenly in ln size; ln energy is interpolated. Every model answers
with the same lengths: how many tokens each really writes is not published.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.assumptions.base import Fraction
from pipeline.assumptions.deployments import Deployment
from pipeline.assumptions.fleet import Routing
from pipeline.assumptions.simulation import Simulation
from pipeline.contracts.results import REGIMES
from pipeline.contracts.routing import PAIRS, UNKNOWN
from pipeline.estimate.cost_curves import EngineCurves
from pipeline.estimate.fleet.account import UnitCosts
from pipeline.estimate.fleet.draws import Call, FleetDraws, Picks, own_uniforms
from pipeline.estimate.query_energy import Served, serve
from pipeline.estimate.sobol import stage_seed
from pipeline.estimate.study import ServingModel, engine_curves
from pipeline.estimate.worlds import Moments

Array = NDArray[np.float64]
STAGE = "estimate_routing"
LENGTHS = "production"


@dataclass(frozen=True)
class PairEnergy:
    """Energy of a query on the large and the small model, and of choosing between them, (worlds,)."""

    large: Array
    small: Array
    router: Array


@dataclass(frozen=True)
class RoutedEnergies:
    """Energy of a query by (regime, model) of the router's choices, and the pairs by (pair, regime)."""

    models: dict[tuple[str, str], Array]
    pairs: dict[tuple[str, str], PairEnergy]


def routed_energies(
    settings: Routing,
    choices: pd.DataFrame,
    draws: FleetDraws,
    costs: UnitCosts,
    model: ServingModel,
    tensorrt_share: Fraction,
    simulation: Simulation,
) -> RoutedEnergies:
    """Price the choices (ROUTING), the routers, and the open pair of tiers; at PUE 1, which cancels."""
    model_seed, place_seed = stage_seed(simulation, STAGE).spawn(2)
    priced = choices[choices["size_basis"] != UNKNOWN].drop_duplicates("model").reset_index(drop=True)
    sized = [list(deployments(row, settings)) for row in priced.to_dict("records")]
    every = [*settings.routers, *(item for items in sized for item in items)]
    uniforms = own_uniforms(place_seed, draws.propagation, len(priced) + 1)
    models: dict[tuple[str, str], Array] = {}
    pairs: dict[tuple[str, str], PairEnergy] = {}
    for regime in REGIMES:
        call = draws.calls[LENGTHS, regime]
        lengths_of = [(item, call.mean_lengths) for item in every]
        curves = engine_curves(lengths_of, model, model_seed, draws.worlds, tensorrt_share)
        served = [_served(draws, item, curve, call) for item, curve in zip(every, curves, strict=True)]
        prompts = [item.mean_energy_wh("facility", prompt_alone(call.moments)) for item in served[:2]]
        router = between(prompts, uniforms[0])
        energies = iter([item.mean_energy_wh("facility", call.moments) for item in served[2:]])
        for name, items, place in zip(priced["model"], sized, uniforms[1:], strict=True):
            models[regime, str(name)] = between([next(energies) for _ in items], place)
        large, small = (costs[LENGTHS, regime, tier].energy_wh for tier in ("large", "small"))
        pairs[PAIRS[0], regime] = PairEnergy(large, small, router)
        ends = models[regime, settings.closed_large], models[regime, settings.closed_small]
        pairs[PAIRS[1], regime] = PairEnergy(ends[0], ends[1], router)
    return RoutedEnergies(models, pairs)


def deployments(row: Mapping[Any, Any], settings: Routing) -> Iterator[Deployment]:
    """A model of ROUTING at its least, middle and largest size; once where the size is known."""
    instance = settings.instances[row["size_class"]]
    name = str(row["model"])
    ends = {side: (row[f"{side}_low_b"], row[f"{side}_high_b"]) for side in ("total", "active")}
    known = all(low == high for low, high in ends.values())
    for share in (0.0,) if known else (0.0, 0.5, 1.0):
        total, active = (low ** (1 - share) * high**share for low, high in ends.values())
        yield Deployment(
            model=name if known else f"{name} of assumed size",
            total_params_b=total,
            active_params_b=min(active, total),
            gpu=instance.gpu,
            gpus=instance.gpus,
            precision=settings.open_precision.get(name, instance.precision),
            source=instance.source,
            reason=instance.reason,
            concurrency=instance.concurrency,
        )


def between(energies: Sequence[Array], place: Array) -> Array:
    """Energy at a place from 0 to 1 between evenly spread knots, linear in its logarithm, (worlds,)."""
    if len(energies) == 1:
        return energies[0]
    ln = np.log(np.array(energies))
    position = np.clip(place, 0, 1) * (len(energies) - 1)
    below = np.minimum(position.astype(np.int64), len(energies) - 2)
    every = np.arange(len(place))
    share = position - below
    return np.asarray(np.exp((1 - share) * ln[below, every] + share * ln[below + 1, every]))


def prompt_alone(moments: Moments) -> Moments:
    """What a router reads: the prompt, and it writes nothing."""
    nothing = np.zeros_like(moments.output_tokens)
    return Moments(moments.input_tokens, nothing, nothing, nothing)


def _served(draws: FleetDraws, item: Deployment, curve: EngineCurves, call: Call) -> Served:
    at = Picks.as_drawn(draws.worlds).conditions(draws.worlds, call.context_tokens)
    return serve(curve, draws.server(item), item, at)
