"""A day of one fleet in every sample: energy, power and servers, linear in the number of queries.

Servers kept for a service serve or stand by (energy/model/load.py); with s instance-seconds a call

    serving instances = calls a day * s / 86,400
    kept instances    = serving instances * (1 + idle beside each)
    average power     = energy of a day / 24 h
    peak power        = kept instances, all serving as many requests as they are configured for

Gain and overhead act on energy, power and servers alike.

Overheads are what stands between a serving accelerator and the fleet: three published factors, and ours. The
published fleet multiplies energy that is PUE times node power by 1.10 * 1.076 * 1.12, described only as
orchestration, backup and the like. Ours multiplies accelerator energy by what host and power supplies add, by
servers that stand by, and by PUE, each with its uncertainty; nothing else is added.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod

import numpy as np
import pandas as pd

from pipeline.core.summaries import band
from pipeline.core.units import HOURS_PER_DAY, SECONDS_PER_DAY, WATTS_PER_MW, WH_PER_GWH, Array
from pipeline.energy.model.load import part_load
from pipeline.energy.model.query_energy import serve
from pipeline.fleet.model.contract import FLEET_OVERHEADS
from pipeline.fleet.model.draws import AGENTIC, TIERS, Call, FleetDraws, Picks, Places
from pipeline.fleet.model.settings import FleetScenario
from pipeline.servers.model.power import SERVER_GPUS
from pipeline.serving.model.deployments import Deployment

KINDS = ("short", "long", AGENTIC)
CALL = ("production", "short")  # of which overheads are


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
    """A day of a fleet in every sample, (S,): queries, energy by kind; else of all queries."""

    queries: Array
    kinds: Mapping[str, float]  # share of the queries by kind
    energy_gwh: Mapping[str, Array]
    average_mw: Array
    peak_mw: Array
    servers: Array
    water_ml: Mapping[str, Array]  # by scope
    carbon_g: Array  # of the electricity, location based

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
                items = [item for item in draws.tiers[tier] if draws.able(item, kind)]
                costs = [unit_cost(draws, item, (lengths, kind), drawn, picks) for item in items]
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
    at = picks.conditions(draws.samples, call.context_tokens)
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
    """A day of a scenario; water is that of what the servers draw (pipeline/water/model/sites.py)."""
    gain = draws.samples.design.draw("scenario gain", scenario.gain.distribution)[picks.gain]
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
        carbon_g=at.carbon_g(every_wh),
    )


def kind_shares(scenario: FleetScenario) -> dict[str, float]:
    """Share of the queries by kind; short takes what is left over."""
    rest = max(0.0, 1 - scenario.long_share - scenario.agentic_share)
    return dict(zip(KINDS, (rest, scenario.long_share, scenario.agentic_share), strict=True))


def tier_shares(scenario: FleetScenario) -> dict[str, float]:
    """Share of the queries by tier; large models take what is left over."""
    rest = max(0.0, 1 - scenario.middle_share - scenario.small_share)
    return dict(zip(TIERS, (rest, scenario.middle_share, scenario.small_share), strict=True))


def overheads(draws: FleetDraws, published: Sequence[float], source: str) -> pd.DataFrame:
    """FLEET_OVERHEADS; published: the factors of the released scripts, and where they stand."""
    rows = []
    for number, factor in enumerate(published, start=1):
        what = "one of three, described together as orchestration, backup and the like"
        rows.append(_published(f"factor {number}", what, factor, source))
    rows.append(_published("all", "the product, on top of node power times PUE", prod(published), source))
    for name, what, where, values in _ours(draws):
        found = band(values, draws.samples.replicates)
        found.pop("mc_error_p50")
        rows.append({"analysis": "re_estimated", "factor": name, "what": what, **found, "source": where})
    return pd.DataFrame(rows, columns=list(FLEET_OVERHEADS.columns))


def _published(name: str, what: str, factor: float, source: str) -> dict[str, object]:
    same = dict.fromkeys(("p5", "p50", "p95"), factor)
    return {"analysis": "as_published", "factor": name, "what": what, **same, "source": source}


def _ours(draws: FleetDraws) -> Iterator[tuple[str, str, str, Array]]:
    """Factor by factor of short queries at production lengths, mean over the large models."""
    picks = Picks.as_drawn(draws.samples)
    call = draws.calls[CALL]
    at = picks.conditions(draws.samples, call.context_tokens)
    steps: dict[str, list[Array]] = {"gpu": [], "node": [], "facility": []}
    for item in draws.tiers["large"]:
        served = serve(draws.curves[(item.model, *CALL)], draws.server(item), item, at)
        for boundary, found in steps.items():
            found.append(served.mean_energy_wh(boundary, call.moments))
    gpu, node, facility = (np.mean(found, axis=0) for found in steps.values())
    power, load = "data/results/node_power_fits.csv", "data/results/load_evidence.csv"
    yield "host", "server at the wall over its accelerators", power, node / gpu
    yield "standing by", "with idle servers over serving ones alone", load, facility / node
    yield "PUE", "site over servers", "data/published/pue.csv", draws.samples.pue
    yield "all", "site over serving accelerators", "the three together", facility / gpu * draws.samples.pue
