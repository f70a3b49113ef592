"""Routing between a large and a small model: energy over the share that the small one takes.

    energy of a query = r E_small + (1 - r) E_large + E_router

with the router only where there is something to choose (0 < r < 1). All four are of the same world, so that
what they share (PUE, load, lengths) cancels in the gain E_large / energy.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.contracts.read import validate
from pipeline.contracts.results import REGIMES
from pipeline.contracts.routing import (
    ROUTING_CURVE,
    ROUTING_NEEDED,
    ROUTING_PROFILES,
    ROUTING_PUBLISHED,
    SIZE_CLASSES,
    UNKNOWN,
)
from pipeline.estimate.fleet.router_energy import PairEnergy
from pipeline.estimate.nested import band

Array = NDArray[np.float64]
SHARES = np.round(np.arange(0, 1.0001, 0.05), 2)  # energy is linear between
PERCENTS = {"share_p5": 5, "share_p50": 50, "share_p95": 95}


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
    return validate(pd.DataFrame(rows, columns=list(ROUTING_CURVE.columns)), ROUTING_CURVE, "routing curve")


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
    table = pd.DataFrame(rows, columns=list(ROUTING_PUBLISHED.columns))
    return validate(table, ROUTING_PUBLISHED, "routing at published shares")


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
    table = pd.DataFrame(rows, columns=list(ROUTING_NEEDED.columns))
    return validate(table, ROUTING_NEEDED, "routing needed")


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
    table = pd.DataFrame(rows)[list(ROUTING_PROFILES.columns)]
    return validate(table, ROUTING_PROFILES, "routing profiles")
