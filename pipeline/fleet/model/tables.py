"""The fleet as tables: scenarios, the sweep, scenarios beside things that readers know, what bands rest on.

Which share of a band each group of assumptions owns are Sobol indices of ln GWh a day: every group takes its
values from samples of the estimate, each group from its own (pipeline/energy/model/sensitivity.py). The
choices of a scenario are not uncertain here: they are what is asked.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

import numpy as np
import pandas as pd

from pipeline.core.assumption import Constant, Ratio
from pipeline.core.draws import seed_of
from pipeline.core.summaries import band
from pipeline.core.units import (
    HOURS_PER_DAY,
    MINUTES_PER_HOUR,
    ML_PER_MEGALITRE,
    MW_PER_GW,
    SECONDS_PER_HOUR,
    WATTS_PER_KW,
    WH_PER_GWH,
    Array,
)
from pipeline.energy.model.sensitivity import design, indices
from pipeline.fleet.model.account import Day, UnitCosts, day, overheads, unit_costs
from pipeline.fleet.model.contract import FLEET_COMPARISONS, FLEET_SCENARIOS, FLEET_SWEEP, GROUPS, PERCENTILES
from pipeline.fleet.model.draws import FleetDraws, Picks, Places
from pipeline.fleet.model.settings import Fleet, FleetScenario
from pipeline.published.model.settings import known

MILLION = 1e6
GRAMS_PER_TONNE = 1e6
TOTAL = "total"
WATER_NAMES = {"onsite": "water on site", "offsite": "water of electricity", "total": "water"}
CHOICES = (
    "queries_per_day", "long_share", "agentic_share", "middle_share", "small_share", "site", "water_site",
    "years", "queries_growth", "rebound", "overhead",
)  # fmt: skip
SWEPT = ("long_share", "agentic_share", "small_share")


def quantities(found: Day) -> Iterator[tuple[str, str, str, Array]]:
    """Each quantity of a day: name, component, unit, values in every sample."""
    yield "energy", TOTAL, "GWh/day", found.total_gwh
    for kind, gwh in found.energy_gwh.items():
        yield "energy", kind, "GWh/day", gwh
    yield "average power", TOTAL, "MW", found.average_mw
    yield "peak power", TOTAL, "MW", found.peak_mw
    yield "nodes", TOTAL, "nodes", found.servers
    for scope, ml in found.water_ml.items():
        yield WATER_NAMES[scope], TOTAL, "ML/day", ml / ML_PER_MEGALITRE
    yield "carbon", TOTAL, "t/day", found.carbon_g / GRAMS_PER_TONNE
    if np.all(found.queries > 0):
        yield "mean energy", TOTAL, "Wh/query", found.total_gwh * WH_PER_GWH / found.queries
        for kind, share in found.kinds.items():
            if share > 0:
                gwh = found.energy_gwh[kind]
                yield "mean energy", kind, "Wh/query", gwh * WH_PER_GWH / found.queries / share


def rows_of(found: Day, draws: FleetDraws) -> list[dict[str, object]]:
    """Rows of quantity, component, unit, band and samples."""
    return [
        {"quantity": name, "component": component, "unit": unit, **band(values, draws.samples.replicates)}
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
    return pd.DataFrame(rows)


def scenarios(
    settings: Fleet, draws: FleetDraws, costs: UnitCosts, places: Places, published: pd.Series
) -> pd.DataFrame:
    """FLEET_SCENARIOS; published: values of claims by key."""
    rows = []
    for name, scenario in settings.all.items():
        found = day(scenario, costs, draws, places, Picks.as_drawn(draws.samples))
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
                    "n_worlds": len(draws.samples),
                }
            )
    return pd.DataFrame(rows, columns=list(FLEET_SCENARIOS.columns))


def sweep(settings: Fleet, draws: FleetDraws, costs: UnitCosts, places: Places) -> pd.DataFrame:
    """FLEET_SWEEP: every combination of the listed choices, the rest as in the base scenario."""
    rows = []
    grid = product(*(getattr(settings.sweep, name) for name in SWEPT))
    for number, values in enumerate(grid, start=1):
        choice = dict(zip(SWEPT, values, strict=True))
        scenario = changed(settings.base, choice)
        found = day(scenario, costs, draws, places, Picks.as_drawn(draws.samples))
        rows += [
            {"combination": number, **choice, **row, "n_worlds": len(draws.samples)}
            for row in rows_of(found, draws)
        ]
    return pd.DataFrame(rows, columns=list(FLEET_SWEEP.columns))


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
        found = day(scenario, costs, draws, places, Picks.as_drawn(draws.samples))
        for what, gwh, source in references(facts, found.queries):
            over = band(np.divide(found.total_gwh, gwh, where=gwh > 0, out=np.zeros_like(gwh)),
                        draws.samples.replicates)  # fmt: skip
            rows.append(
                {
                    "scenario": name,
                    "compared_with": what,
                    "value_gwh_per_day": float(np.median(gwh)),
                    **{percentile: over[percentile] for percentile in ("p5", "p50", "p95")},
                    "source": source,
                }
            )
    return pd.DataFrame(rows, columns=list(FLEET_COMPARISONS.columns))


def references(facts: pd.DataFrame, queries: Array) -> Iterator[tuple[str, Array, str]]:
    """What a fleet is compared with: words, GWh a day in every sample, source."""
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


def shares(settings: Fleet, draws: FleetDraws, places: Places, names: Sequence[str]) -> pd.DataFrame:
    """FLEET_SHARES of the named scenarios; a group that cannot matter there has no row."""
    base_points = draws.variance_points
    seed = int(seed_of(draws.samples.design.seed, "fleet shares").generate_state(1)[0])
    tables = []
    for name in names:
        scenario = settings.all[name]
        absent = {
            "length": scenario.lengths == "published",
            "calls": scenario.agentic_share == 0,
            "context": scenario.agentic_share == 0,
            "gain": isinstance(scenario.gain.distribution, Constant),
        }
        groups = tuple(group for group in GROUPS if not absent.get(group, False))
        picks = _picks(groups, design(groups, base_points, seed), len(draws.samples))
        found = day(scenario, unit_costs(draws, picks, scenario), draws, places, picks)
        table = indices(np.log(found.total_gwh), groups, base_points)
        tables.append(table.assign(scenario=name)[["scenario", *table.columns]])
    return pd.concat(tables, ignore_index=True)


def _picks(groups: Sequence[str], uniforms: Array, samples: int) -> Picks:
    """Sample of each group at every point of the design; groups that cannot matter stay in the first."""
    index = np.minimum((uniforms * samples).astype(np.int64), samples - 1)
    of = dict(zip(groups, index.T, strict=True))
    first = np.zeros(len(uniforms), dtype=np.int64)
    return Picks(**{group: of.get(group, first) for group in GROUPS})


def fleet_results(
    settings: Fleet,
    draws: FleetDraws,
    places: Places,
    claims: pd.Series,
    published_overheads: Sequence[Ratio],
    facts: pd.DataFrame,
) -> dict[str, pd.DataFrame]:
    """Every table of the stage by name; claims: GWh a day by key, facts: the table `comparisons`."""
    costs = unit_costs(draws, Picks.as_drawn(draws.samples))
    factors = [known(item) for item in published_overheads]
    return {
        "fleet_unit_costs": unit_cost_table(costs, draws.samples.replicates),
        "fleet_scenarios": scenarios(settings, draws, costs, places, claims),
        "fleet_sweep": sweep(settings, draws, costs, places),
        "fleet_shares": shares(settings, draws, places, settings.shares_of),
        "fleet_overheads": overheads(draws, factors, published_overheads[0].source),
        "fleet_comparisons": comparisons(settings, draws, costs, places, facts),
    }
