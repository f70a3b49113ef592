"""Routing between a large and a small model: energy over the share r that the small one takes.

    energy of a query = r E_small + (1 - r) E_large + E_router

with the router only where there is something to choose (0 < r < 1). All four are of the same sample, so that
what they share (PUE, load, lengths) cancels in the gain E_large / energy.

A closed model has no published size. It is priced at the least, the middle and the most that others assume,
and lies somewhere between in each sample, evenly in ln size; ln energy is interpolated. Every model answers
with the same lengths: how many tokens each really writes is not published.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeline.core.assumption import Fraction
from pipeline.core.columns import REGIMES
from pipeline.core.summaries import band
from pipeline.core.units import Array
from pipeline.energy.model.cost_curves import EngineCurves, ServingModel, engine_curves
from pipeline.energy.model.query_energy import Served, serve
from pipeline.energy.model.samples import Moments
from pipeline.fleet.model.account import UnitCosts, unit_costs
from pipeline.fleet.model.contract import (
    PAIRS,
    ROUTING_CURVE,
    ROUTING_NEEDED,
    ROUTING_PROFILES,
    ROUTING_PUBLISHED,
    SIZE_CLASSES,
    UNKNOWN,
)
from pipeline.fleet.model.draws import Call, FleetDraws, Picks
from pipeline.fleet.model.settings import Routing
from pipeline.serving.model.deployments import Deployment

LENGTHS = "production"
SHARES = np.round(np.arange(0, 1.0001, 0.05), 2)  # energy is linear between
PERCENTS = {"share_p5": 5, "share_p50": 50, "share_p95": 95}


@dataclass(frozen=True)
class PairEnergy:
    """Energy of a query on the large and the small model, and of choosing between them, (n,)."""

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
) -> RoutedEnergies:
    """Price the choices (ROUTING), the routers, and the open pair of tiers; at PUE 1, which cancels."""
    priced = choices[choices["size_basis"] != UNKNOWN].drop_duplicates("model").reset_index(drop=True)
    sized = [list(deployments(row, settings)) for row in priced.to_dict("records")]
    every = [*settings.routers, *(item for items in sized for item in items)]
    design = draws.samples.design
    models: dict[tuple[str, str], Array] = {}
    pairs: dict[tuple[str, str], PairEnergy] = {}
    for regime in REGIMES:
        call = draws.calls[LENGTHS, regime]
        lengths_of = [(item, call.mean_lengths) for item in every]
        curves = engine_curves(lengths_of, model, draws.samples, tensorrt_share)
        served = [_served(draws, item, curve, call) for item, curve in zip(every, curves, strict=True)]
        prompts = [item.mean_energy_wh("facility", prompt_alone(call.moments)) for item in served[:2]]
        router = between(prompts, design.uniforms("size, router"))
        energies = iter([item.mean_energy_wh("facility", call.moments) for item in served[2:]])
        for name, items in zip(priced["model"], sized, strict=True):
            place = design.uniforms(f"size, {name}")
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
    """Energy at a place from 0 to 1 between evenly spread knots, linear in its logarithm, (n,)."""
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
    return Moments(moments.input_tokens, nothing, nothing, nothing, moments.cached_share)


def _served(draws: FleetDraws, item: Deployment, curve: EngineCurves, call: Call) -> Served:
    at = Picks.as_drawn(draws.samples).conditions(draws.samples, call.context_tokens)
    return serve(curve, draws.server(item), item, at)


def routed_energy(share_small: Array | float, large: Array, small: Array, router: Array) -> Array:
    """Energy of a query; shapes broadcast, units as given."""
    share = np.asarray(share_small, dtype=float)
    choosing = (share > 0) & (share < 1)
    return np.asarray(share * small + (1 - share) * large + np.where(choosing, router, 0.0))


def gain(share_small: Array | float, large: Array, small: Array, router: Array) -> Array:
    """How many times less energy routing takes than the large model alone."""
    return np.asarray(large / routed_energy(share_small, large, small, router))


def needed_share(wanted: float, large: Array, small: Array, router: Array) -> Array:
    """Share that the small model has to take for a gain; NaN where none reaches it."""
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (1 + router / large - 1 / wanted) / (1 - small / large)
    inside = (share < 1) & (small < large)
    alone = ~inside & (large >= wanted * small)  # the small model alone, which needs no router
    return np.where(inside, np.maximum(share, 0.0), np.where(alone, 1.0, np.nan))


def curves(pairs: Mapping[tuple[str, str], PairEnergy], replicates: int) -> pd.DataFrame:
    """ROUTING_CURVE; pairs by (pair, regime)."""
    rows = [
        {
            "pair": pair,
            "regime": regime,
            "share_small": share,
            **band(gain(share, one.large, one.small, one.router), replicates),
        }
        for (pair, regime), one in pairs.items()
        for share in SHARES
    ]
    return pd.DataFrame(rows, columns=list(ROUTING_CURVE.columns))


def published(
    pairs: Mapping[tuple[str, str], PairEnergy], routers: pd.DataFrame, replicates: int
) -> pd.DataFrame:
    """ROUTING_PUBLISHED, each router in its regime; routers: ROUTERS.

    Their quality is that of their own models and prompts.
    """
    rows = [
        {
            **{name: router[name] for name in ("key", "router", "benchmark", "share_small", "quality_kept")},
            "pair": pair,
            "regime": regime,
            **band(gain(router["share_small"], one.large, one.small, one.router), replicates),
        }
        for router in routers.to_dict("records")
        for (pair, regime), one in pairs.items()
        if router["regime"] in (regime, "both")
    ]
    return pd.DataFrame(rows, columns=list(ROUTING_PUBLISHED.columns))


def needed(
    pairs: Mapping[tuple[str, str], PairEnergy], gains: list[float], routers: pd.DataFrame
) -> pd.DataFrame:
    """ROUTING_NEEDED beside the largest share of calls that a router (ROUTERS) reaches in the regime."""
    rows = []
    for (pair, regime), one in pairs.items():
        published_share = largest_share(routers, regime)
        for wanted in gains:
            share = needed_share(wanted, one.large, one.small, one.router)
            reached = share[np.isfinite(share)]
            found = {
                name: float(np.percentile(reached, percent)) if len(reached) else np.nan
                for name, percent in PERCENTS.items()
            }
            rows.append(
                {
                    "pair": pair,
                    "regime": regime,
                    "gain": wanted,
                    "worlds_reaching": len(reached) / len(share),
                    **found,
                    "published_share": published_share,
                    "worlds_within_published": float((reached <= published_share).sum() / len(share))
                    if np.isfinite(published_share)
                    else np.nan,
                }
            )
    return pd.DataFrame(rows, columns=list(ROUTING_NEEDED.columns))


def largest_share(routers: pd.DataFrame, regime: str) -> float:
    """The most calls that a router left to the small model in a regime; NaN: none was measured there."""
    counted = routers[routers["regime"].isin([regime, "both"]) & (routers["share_basis"] == "share of calls")]
    return float(counted["share_small"].max())


def profiles(
    choices: pd.DataFrame,
    energies: Mapping[tuple[str, str], Array],
    pairs: Mapping[str, PairEnergy],
    replicates: int,
) -> pd.DataFrame:
    """ROUTING_PROFILES; choices: ROUTING; energies of a query by (regime, model); pairs of closed models by
    regime. Prompts to models that are not named are taken to cost what the others of the profile cost.
    """
    rows = []
    for regime in REGIMES:
        for profile, chosen in choices.groupby("profile", sort=False):
            named = chosen[chosen["size_class"] != UNKNOWN]
            weights = named["prompts"].to_numpy(float)
            each = np.array([energies[regime, model] for model in named["model"]])
            one = pairs[regime]
            energy = weights @ each / weights.sum() + one.router
            equivalent = (one.large + one.router - energy) / (one.large - one.small)
            of = chosen.groupby("size_class")["prompts"].sum() / chosen["prompts"].sum()
            low, middle, high = np.percentile(equivalent, [5, 50, 95])
            rows.append(
                {
                    "regime": regime,
                    "profile": profile,
                    "prompts": int(chosen["prompts"].sum()),
                    **{f"share_{name}": float(of.get(name, 0.0)) for name in SIZE_CLASSES},
                    "share_unknown": float(of.get(UNKNOWN, 0.0)),
                    **band(one.large / energy, replicates),
                    "equivalent_share_p5": low,
                    "equivalent_share_p50": middle,
                    "equivalent_share_p95": high,
                }
            )
    return pd.DataFrame(rows)[list(ROUTING_PROFILES.columns)]


def routing_results(
    settings: Routing,
    draws: FleetDraws,
    model: ServingModel,
    tensorrt_share: Fraction,
    choices: pd.DataFrame,
    routers: pd.DataFrame,
) -> dict[str, pd.DataFrame]:
    """Every table of the stage by name; choices: ROUTING, routers: ROUTERS."""
    costs = unit_costs(draws, Picks.as_drawn(draws.samples))
    found = routed_energies(settings, choices, draws, costs, model, tensorrt_share)
    closed = {regime: one for (pair, regime), one in found.pairs.items() if pair == PAIRS[1]}
    replicates = draws.samples.replicates
    return {
        "routing_curve": curves(found.pairs, replicates),
        "routing_profiles": profiles(choices, found.models, closed, replicates),
        "routing_published": published(found.pairs, routers, replicates),
        "routing_needed": needed(found.pairs, settings.gains, routers),
    }
