"""Water of a day of queries at all sites of a scenario together, and of the median query at every site.

Of a day: litres, and which of the unknowns their band comes from. By site: the trade of a closed loop, which
takes no water on site, has a higher PUE, and takes more water in the electricity.
"""

from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from pipeline.core.columns import Regime
from pipeline.core.draws import Design, Simulation
from pipeline.core.units import ML_PER_L, Array
from pipeline.energy.model.estimate import ANALYSIS as RE_ESTIMATED
from pipeline.energy.model.study import Study
from pipeline.published.model.energy import ANALYSIS as AS_PUBLISHED
from pipeline.published.model.energy import ThroughputFit
from pipeline.published.model.settings import AsPublished, known
from pipeline.water.model.contract import BASES, DESIGNS, WATER_SITES
from pipeline.water.model.queries import means_it_wh, median_it_wh, per_query
from pipeline.water.model.settings import Water
from pipeline.water.model.sites import (
    Factors,
    SiteDraws,
    Sites,
    average_sites,
    closed_loop_penalty,
    site_uniforms,
)

PERCENTS = {"p5": 5.0, "p50": 50.0, "p95": 95.0}
LITRES_PER_MILLION = 1e6
KEPT = ["name", "provider", "cooling"]
INTERVAL = {
    AS_PUBLISHED: "P5-P95 over the factors of water; the energy is the published mean without overheads",
    RE_ESTIMATED: "P5-P95 over what is not known, energy and water",
}


def of_a_day(
    sites: Sites,
    means: Mapping[tuple[str, str], Mapping[Regime, Array]],
    factors: Factors,
    queries_per_day: float,
    long_share: float,
) -> pd.DataFrame:
    """WATER_FLEET. Means by analysis and variant: Wh of the servers for a mean query, (n,) or (1,)."""
    rows = []
    for (analysis, variant), mean in means.items():
        day = {
            "short": mean["short"],
            "long": mean["long"],
            "mixed": (1 - long_share) * mean["short"] + long_share * mean["long"],
        }
        for name, where, at in _averages(sites, factors):
            for scenario, it_wh in day.items():
                for scope, ml in at.water_ml(it_wh).items():
                    million_l = ml * queries_per_day / ML_PER_L / LITRES_PER_MILLION
                    rows.append(
                        {
                            "analysis": analysis,
                            "variant": variant,
                            "scenario": scenario,
                            "site_scenario": name,
                            "basis": where,
                            "scope": scope,
                            **band(million_l, "million_l_per_day"),
                            "queries_per_day": queries_per_day,
                            "interval": INTERVAL[analysis],
                        }
                    )
    return pd.DataFrame(rows)


def band(values: Array, unit: str) -> dict[str, float]:
    """PERCENTS of values (n,), by Hazen's positions as in pipeline/core/summaries.py."""
    found = np.percentile(values, list(PERCENTS.values()), method="hazen")
    return {f"{name}_{unit}": float(value) for name, value in zip(PERCENTS, found, strict=True)}


def shares(sites: Sites, means: Mapping[tuple[str, Regime], Array], factors: Factors) -> pd.DataFrame:
    """WATER_SHARES of the mean query in every scenario. Means: by variant and regime, Wh, (n,)."""
    rows = []
    for (variant, regime), it_wh in means.items():
        for name, table in sites.tables.items():
            keys = {
                "variant": variant,
                "regime": regime,
                "site_scenario": name,
                "basis": sites.settings.scenarios[name].basis,
            }
            onsite = table["wue_l_per_kwh"].to_numpy()
            offsite = (table["pue"] * table["electricity_l_per_kwh"]).to_numpy()
            none = np.zeros(len(table))
            for scope, (wue, grid) in {
                "onsite": (onsite, none),
                "offsite": (none, offsite),
                "total": (onsite, offsite),
            }.items():
                parts = first_order(it_wh, table["weight"].to_numpy(), (wue, factors.wue),
                                    (grid, factors.electricity))  # fmt: skip
                rows += [{**keys, "scope": scope, **part} for part in parts]
    return pd.DataFrame(rows)


def first_order(
    it_wh: Array, weight: Array, onsite: tuple[Array, Array], offsite: tuple[Array, Array]
) -> list[dict[str, Any]]:
    """Shares of the variance of e (w_s a + g_s b): energy e, site s, factors a and b, all independent.

    Each pair is a quantity by site, (sites,), and draws of its factor. A first-order share is the variance of
    the expectation given one source; expectations over the other sources are products of their own, so that
    no sampling is needed beyond the draws themselves (Saltelli et al. 2010 define the shares). Nothing to
    share (no water at all) gives no rows.
    """
    (wue, a), (grid, b) = onsite, offsite
    mean_e, mean_a, mean_b = it_wh.mean(), a.mean(), b.mean()
    mean_w, mean_g = weight @ wue, weight @ grid
    per_kwh = mean_w * mean_a + mean_g * mean_b
    by_site = wue * mean_a + grid * mean_b
    second = weight @ (wue**2) * (a**2).mean() + weight @ (grid**2) * (b**2).mean()
    second = second + 2 * (weight @ (wue * grid)) * mean_a * mean_b
    whole = (it_wh**2).mean() * second - (mean_e * per_kwh) ** 2
    if whole <= 0:
        return []
    given = {
        "energy": it_wh.var() * per_kwh**2,
        "site": mean_e**2 * (weight @ by_site**2 - per_kwh**2),
        "water on site": mean_e**2 * mean_w**2 * a.var(),
        "water of electricity": mean_e**2 * mean_g**2 * b.var(),
    }
    found = {name: max(0.0, float(part / whole)) for name, part in given.items()}
    found["interactions"] = max(0.0, 1 - sum(found.values()))
    return [{"group": name, "share": share, "sd_ml": float(np.sqrt(whole))} for name, share in found.items()]


def _averages(sites: Sites, factors: Factors) -> Iterator[tuple[str, str, SiteDraws]]:
    for name, table in sites.tables.items():
        yield name, sites.settings.scenarios[name].basis, average_sites(table, factors)


def by_site(factors: pd.DataFrame, settings: Water, it_wh: Array, design: Design) -> pd.DataFrame:
    """WATER_SITES of every site, as built and, where it takes water, with a closed loop.

    factors: FACTORS of pipeline/water/model/sites.py; it_wh: of the median query, (n,).
    """
    drawn = Factors.draw(settings, site_uniforms(design)[1:])
    penalty = closed_loop_penalty(settings, design)
    rows: list[dict[str, Any]] = []
    for site in factors.to_dict("records"):
        if site["electricity_basis"] != BASES[0]:
            continue  # a withdrawal is not what a closed loop saves
        built, closed = _designs(site, drawn, penalty)
        saves = closed.water_ml(it_wh)["total"] < built.water_ml(it_wh)["total"]
        rows.append(_row(site, DESIGNS[0], built, it_wh, site["wue_l_per_kwh"], None))
        if site["wue_l_per_kwh"] > 0:
            rows.append(_row(site, DESIGNS[1], closed, it_wh, 0.0, float(saves.mean())))
    return pd.DataFrame(rows)[list(WATER_SITES.columns)]


def _designs(site: Mapping[Hashable, Any], drawn: Factors, penalty: Array) -> tuple[SiteDraws, SiteDraws]:
    electricity = site["electricity_l_per_kwh"] * drawn.electricity
    unknown = np.full_like(penalty, np.nan)
    pue = np.full_like(penalty, site["pue"])
    built = SiteDraws(pue, site["wue_l_per_kwh"] * drawn.wue, electricity, unknown)
    return built, SiteDraws(pue + penalty, np.zeros_like(penalty), electricity, unknown)


def _row(
    site: Mapping[Hashable, Any],
    design: str,
    at: SiteDraws,
    it_wh: Array,
    wue_l_per_kwh: float,
    saves: float | None,
) -> dict[str, Any]:
    water = {
        name: value
        for scope, ml in at.water_ml(it_wh).items()
        for name, value in band(ml, f"{scope}_ml").items()
    }
    return {
        "site": site["key"],
        **{name: site[name] for name in KEPT},
        "design": design,
        "basis": BASES[0],
        "pue": float(np.median(at.pue)),
        "wue_l_per_kwh": wue_l_per_kwh,
        "electricity_l_per_kwh": site["electricity_l_per_kwh"],
        **band(it_wh * at.pue, "wh"),
        **water,
        "saves_water_share": saves,
    }


def water_results(
    settings: Water,
    factors: pd.DataFrame,
    study: Study,
    published: AsPublished,
    fits: Mapping[str, ThroughputFit],
    simulation: Simulation,
) -> dict[str, pd.DataFrame]:
    """Every table of the stage by name; factors: FACTORS of pipeline/water/model/sites.py."""
    sites, design = Sites.of(settings, factors), study.samples.design
    size = simulation.model_copy(update={"draws_per_replicate": settings.draws_per_replicate})
    means = means_it_wh(study, published, fits, size)
    ours = {
        (case.variant, case.regime): means[RE_ESTIMATED, case.variant][case.regime] for case in study.cases
    }
    common = Factors.draw(settings, site_uniforms(design)[1:])
    base = published.variants[published.authors_stream.fleet]
    queries, long_share = known(base.queries_per_day), known(base.long_share)
    return {
        **per_query(sites, study, published, fits, size).tables(),
        "water_fleet": of_a_day(sites, means, common, queries, long_share),
        "water_shares": shares(sites, ours, common),
        "water_sites": by_site(factors, settings, median_it_wh(study), design),
    }
