"""The fleet as tables: scenarios, the sweep, and the scenarios beside things that readers know."""

from collections.abc import Iterator, Mapping
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.assumptions.fleet import Fleet, FleetScenario
from pipeline.contracts.fleet import (
    FLEET_COMPARISONS,
    FLEET_SCENARIOS,
    FLEET_SWEEP,
    FLEET_UNIT_COSTS,
    PERCENTILES,
)
from pipeline.contracts.read import validate
from pipeline.estimate.fleet.account import HOURS_PER_DAY, Day, UnitCosts, day
from pipeline.estimate.fleet.draws import FleetDraws, Picks
from pipeline.estimate.fleet.places import Places
from pipeline.estimate.nested import band
from pipeline.units import ML_PER_L, SECONDS_PER_HOUR, WATTS_PER_KW, WH_PER_GWH

Array = NDArray[np.float64]
MILLION = 1e6
MW_PER_GW = 1000.0
MINUTES_PER_HOUR = 60.0
ML_PER_MEGALITRE = 1e6 * ML_PER_L
TOTAL = "total"
WATER_NAMES = {"onsite": "water on site", "offsite": "water of electricity", "total": "water"}
CHOICES = (
    "queries_per_day", "long_share", "agentic_share", "middle_share", "small_share", "site", "water_site",
    "years", "queries_growth", "rebound", "overhead",
)  # fmt: skip
SWEPT = ("long_share", "agentic_share", "small_share")


def quantities(found: Day) -> Iterator[tuple[str, str, str, Array]]:
    """Each quantity of a day: name, component, unit, values in every world."""
    yield "energy", TOTAL, "GWh/day", found.total_gwh
    for kind, gwh in found.energy_gwh.items():
        yield "energy", kind, "GWh/day", gwh
    yield "average power", TOTAL, "MW", found.average_mw
    yield "peak power", TOTAL, "MW", found.peak_mw
    yield "nodes", TOTAL, "nodes", found.servers
    for scope, ml in found.water_ml.items():
        yield WATER_NAMES[scope], TOTAL, "ML/day", ml / ML_PER_MEGALITRE
    if np.all(found.queries > 0):
        yield "mean energy", TOTAL, "Wh/query", found.total_gwh * WH_PER_GWH / found.queries
        for kind, share in found.kinds.items():
            if share > 0:
                gwh = found.energy_gwh[kind]
                yield "mean energy", kind, "Wh/query", gwh * WH_PER_GWH / found.queries / share


def rows_of(found: Day, draws: FleetDraws) -> list[dict[str, object]]:
    """Rows of quantity, component, unit, band and worlds."""
    return [
        {
            "quantity": name,
            "component": component,
            "unit": unit,
            **band(values, draws.worlds.replicates),
        }
        for name, component, unit, values in quantities(found)
    ]


def unit_cost_table(costs: UnitCosts, replicates: int) -> pd.DataFrame:
    """FLEET_UNIT_COSTS."""
    rows = []
    for (lengths, kind, tier), cost in costs.items():
        sides = {
            "it_wh": cost.energy_wh,
            "servers": cost.server_days * MILLION,
            "peak_kw": cost.peak_w_days * MILLION / WATTS_PER_KW,
        }
        row: dict[str, object] = {"lengths": lengths, "kind": kind, "tier": tier}
        for name, values in sides.items():
            found = band(values, replicates)
            row |= {f"{name}_{percentile}": found[percentile] for percentile in PERCENTILES}
        rows.append(row)
    return validate(pd.DataFrame(rows), FLEET_UNIT_COSTS, "fleet unit costs")


def scenarios(
    settings: Fleet, draws: FleetDraws, costs: UnitCosts, places: Places, published: pd.Series
) -> pd.DataFrame:
    """FLEET_SCENARIOS; published: values of claims by key."""
    rows = []
    for name, scenario in settings.all.items():
        found = day(scenario, costs, draws, places, Picks.as_drawn(draws.worlds))
        for row in rows_of(found, draws):
            claim = scenario.published_claim
            beside = claim is not None and row["quantity"] == "energy" and row["component"] == TOTAL
            rows.append(
                {
                    "scenario": name,
                    "title": scenario.title,
                    "lengths": scenario.lengths,
                    **{name: getattr(scenario, name) for name in CHOICES},
                    "gain_p50": scenario.gain.distribution.median(),
                    **row,
                    "published_value": published[claim] if beside and claim else np.nan,
                    "published_claim": claim if beside else None,
                    "n_worlds": len(draws.worlds),
                }
            )
    table = pd.DataFrame(rows, columns=list(FLEET_SCENARIOS.columns))
    return validate(table, FLEET_SCENARIOS, "fleet scenarios")


def sweep(settings: Fleet, draws: FleetDraws, costs: UnitCosts, places: Places) -> pd.DataFrame:
    """FLEET_SWEEP: every combination of the listed choices, the rest as in the base scenario."""
    rows = []
    grid = product(*(getattr(settings.sweep, name) for name in SWEPT))
    for number, values in enumerate(grid, start=1):
        choice = dict(zip(SWEPT, values, strict=True))
        scenario = changed(settings.base, choice)
        found = day(scenario, costs, draws, places, Picks.as_drawn(draws.worlds))
        rows += [
            {"combination": number, **choice, **row, "n_worlds": len(draws.worlds)}
            for row in rows_of(found, draws)
        ]
    return validate(pd.DataFrame(rows, columns=list(FLEET_SWEEP.columns)), FLEET_SWEEP, "fleet sweep")


def changed(scenario: FleetScenario, choice: Mapping[str, float]) -> FleetScenario:
    """The scenario with other choices, validated as a whole."""
    return FleetScenario.model_validate(scenario.model_dump(by_alias=True) | dict(choice))


def comparisons(
    settings: Fleet, draws: FleetDraws, costs: UnitCosts, places: Places, facts: pd.DataFrame
) -> pd.DataFrame:
    """FLEET_COMPARISONS: each scenario over as many web searches or minutes of television as it has queries,
    and over a datacentre; facts: the table `comparisons` of data/published.
    """
    rows = []
    for name, scenario in settings.all.items():
        found = day(scenario, costs, draws, places, Picks.as_drawn(draws.worlds))
        for what, gwh, source in references(facts, found.queries):
            over = band(np.divide(found.total_gwh, gwh, where=gwh > 0, out=np.zeros_like(gwh)),
                        draws.worlds.replicates)  # fmt: skip
            rows.append(
                {
                    "scenario": name,
                    "compared_with": what,
                    "value_gwh_per_day": float(np.median(gwh)),
                    **{percentile: over[percentile] for percentile in ("p5", "p50", "p95")},
                    "source": source,
                }
            )
    table = pd.DataFrame(rows, columns=list(FLEET_COMPARISONS.columns))
    return validate(table, FLEET_COMPARISONS, "fleet comparisons")


def references(facts: pd.DataFrame, queries: Array) -> Iterator[tuple[str, Array, str]]:
    """What a fleet is compared with: words, GWh a day in every world, source."""
    value, source = (facts.set_index("key")[name] for name in ("value", "source"))
    search = float(value["web_search"]) * queries / WH_PER_GWH
    yield "as many web searches, 2009", search, str(source["web_search"])
    # Watched for less than that time, so the set draws at least this power.
    television_w = float(value["television_prompt"] * SECONDS_PER_HOUR / value["television_time"])
    minute = television_w / MINUTES_PER_HOUR * queries / WH_PER_GWH
    yield "as many minutes of television", minute, str(source["television_time"])
    power_mw = float(value["datacentre_power"])
    site = np.full_like(queries, power_mw * HOURS_PER_DAY / MW_PER_GW * float(value["datacentre_load"]))
    yield f"a {power_mw:.0f} MW datacentre at its load", site, str(source["datacentre_power"])


def headline(table: pd.DataFrame) -> dict[str, dict[str, float]]:
    """The base scenario for `dvc metrics show`, from FLEET_SCENARIOS."""
    rows = table[(table["scenario"] == "base") & (table["component"] == TOTAL)]
    return {
        f"{row['quantity']} ({row['unit']})": {name: row[name] for name in ("p5", "p50", "p95")}
        for row in rows.to_dict("records")
    }
