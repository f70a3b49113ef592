"""A day of one fleet in every world: energy, power and servers, linear in the number of queries.

Servers kept for a service serve or stand by (pipeline/estimate/load.py); with s instance-seconds a call

    serving instances = calls a day * s / 86,400
    kept instances    = serving instances * (1 + idle beside each)
    average power     = energy of a day / 24 h
    peak power        = kept instances, all serving as many requests as they are configured for

Gain and overhead act on energy, power and servers alike.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.assumptions.deployments import Deployment
from pipeline.assumptions.fleet import FleetScenario
from pipeline.estimate.fleet.draws import AGENTIC, TIERS, Call, FleetDraws, Picks
from pipeline.estimate.fleet.places import Places
from pipeline.estimate.load import part_load
from pipeline.estimate.query_energy import serve
from pipeline.fit.node_power import SERVER_GPUS
from pipeline.units import SECONDS_PER_HOUR, WATTS_PER_KW, WH_PER_GWH

Array = NDArray[np.float64]
KINDS = ("short", "long", AGENTIC)
HOURS_PER_DAY = 24.0
SECONDS_PER_DAY = HOURS_PER_DAY * SECONDS_PER_HOUR
WATTS_PER_MW = 1000 * WATTS_PER_KW


@dataclass(frozen=True)
class UnitCost:
    """What one call takes at PUE 1, (S,): Wh, days of kept servers (of eight), and W times days at peak."""

    energy_wh: Array
    server_days: Array
    peak_w_days: Array

    @classmethod
    def mean(cls, costs: "list[UnitCost]") -> "UnitCost":
        """Calls that go to several deployments in equal numbers."""
        pairs = zip(*((one.energy_wh, one.server_days, one.peak_w_days) for one in costs), strict=True)
        return cls(*(np.mean(side, axis=0) for side in pairs))


@dataclass(frozen=True)
class Day:
    """A day of a fleet in every world, (S,): queries, energy by kind, and power, servers and water of all."""

    queries: Array
    kinds: Mapping[str, float]  # share of the queries by kind
    energy_gwh: Mapping[str, Array]
    average_mw: Array
    peak_mw: Array
    servers: Array
    water_ml: Mapping[str, Array]  # by scope

    @property
    def total_gwh(self) -> Array:
        """Energy of all queries of the day."""
        return np.sum(list(self.energy_gwh.values()), axis=0)


UnitCosts = Mapping[tuple[str, str, str], UnitCost]  # by lengths, kind and tier


def unit_costs(draws: FleetDraws, picks: Picks, only: FleetScenario | None = None) -> UnitCosts:
    """Cost of one call of each kind on each tier, its models in equal parts; `only`: what a scenario uses."""
    found = {}
    for (lengths, kind), call in draws.calls.items():
        drawn = call.take(picks.context if kind == AGENTIC else picks.length)
        for tier in TIERS:
            if only is None or (lengths, kind, tier) in used(only):
                costs = [unit_cost(draws, item, (lengths, kind), drawn, picks) for item in draws.tiers[tier]]
                found[lengths, kind, tier] = UnitCost.mean(costs)
    return found


def used(scenario: FleetScenario) -> set[tuple[str, str, str]]:
    """Lengths, kinds and tiers that a scenario has queries of."""
    kinds = (kind for kind, share in kind_shares(scenario).items() if share > 0)
    tiers = [tier for tier, share in tier_shares(scenario).items() if share > 0]
    return {(scenario.lengths, kind, tier) for kind in kinds for tier in tiers}


def unit_cost(
    draws: FleetDraws, deployment: Deployment, kind: tuple[str, str], call: Call, picks: Picks
) -> UnitCost:
    """Cost of one call on one deployment."""
    curve, server = draws.curves[(deployment.model, *kind)], draws.server(deployment)
    at = picks.conditions(draws.worlds, call.context_tokens)
    served = serve(curve, server, deployment, at)
    full = serve(curve, server, deployment, replace(at, utilisation=np.ones(len(at.utilisation))))
    idle = part_load(at.utilisation, at.idle_share).idle_per_active
    kept = served.mean_seconds(call.moments) / SECONDS_PER_DAY * (1 + idle)
    return UnitCost(
        served.mean_energy_wh("facility", call.moments),
        kept * deployment.gpus / SERVER_GPUS,
        kept * full.watts["facility"],
    )


def day(scenario: FleetScenario, costs: UnitCosts, draws: FleetDraws, places: Places, picks: Picks) -> Day:
    """A day of a scenario; water is that of what the servers draw (pipeline/estimate/water/draws.py)."""
    gain = scenario.gain.distribution.ppf(draws.gain_uniforms[picks.gain])
    more = scenario.queries_growth**scenario.years * (1 + scenario.rebound * (gain - 1))
    queries = scenario.queries_per_day * more
    factor = scenario.overhead / gain
    at = places.of(scenario, picks.site)
    servers, peak_w = np.zeros_like(at.pue), np.zeros_like(at.pue)
    it_wh = {kind: np.zeros_like(at.pue) for kind in KINDS}
    weights = tier_shares(scenario)
    for lengths, kind, tier in sorted(used(scenario)):
        calls = queries * kind_shares(scenario)[kind] * weights[tier] * factor
        calls = calls * (draws.calls_per_task[picks.calls] if kind == AGENTIC else 1.0)
        cost = costs[lengths, kind, tier]
        it_wh[kind] = it_wh[kind] + calls * cost.energy_wh
        servers = servers + calls * cost.server_days
        peak_w = peak_w + calls * at.pue * cost.peak_w_days
    every_wh = np.sum(list(it_wh.values()), axis=0)
    return Day(
        queries=queries,
        kinds=kind_shares(scenario),
        energy_gwh={kind: wh * at.pue / WH_PER_GWH for kind, wh in it_wh.items()},
        average_mw=every_wh * at.pue / HOURS_PER_DAY / WATTS_PER_MW,
        peak_mw=peak_w / WATTS_PER_MW,
        servers=servers,
        water_ml=at.water_ml(every_wh),
    )


def kind_shares(scenario: FleetScenario) -> dict[str, float]:
    """Share of the queries by kind; short takes what is left over."""
    rest = max(0.0, 1 - scenario.long_share - scenario.agentic_share)
    return dict(zip(KINDS, (rest, scenario.long_share, scenario.agentic_share), strict=True))


def tier_shares(scenario: FleetScenario) -> dict[str, float]:
    """Share of the queries by tier; large models take what is left over."""
    rest = max(0.0, 1 - scenario.middle_share - scenario.small_share)
    return dict(zip(TIERS, (rest, scenario.middle_share, scenario.small_share), strict=True))
