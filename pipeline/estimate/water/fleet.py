"""A day of queries at all sites of a scenario together: litres, and which ignorance their band comes from."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.contracts.read import validate
from pipeline.contracts.results import Regime
from pipeline.contracts.water_results import WATER_FLEET, WATER_SHARES
from pipeline.estimate.published_energy import ANALYSIS as AS_PUBLISHED
from pipeline.estimate.re_estimated import ANALYSIS as RE_ESTIMATED
from pipeline.estimate.water.draws import Factors, SiteDraws, average_sites
from pipeline.estimate.water.scenarios import Sites
from pipeline.units import ML_PER_L

Array = NDArray[np.float64]
PERCENTS = {"p5": 5.0, "p50": 50.0, "p95": 95.0}
LITRES_PER_MILLION = 1e6
INTERVAL = {
    AS_PUBLISHED: "P5-P95 over the factors of water; the energy is the published mean without overheads",
    RE_ESTIMATED: "P5-P95 over what is not known, energy and water",
}


def of_a_day(
    sites: Sites,
    means: Mapping[tuple[str, str], Mapping[Regime, Array]],
    uniforms: Array,
    queries_per_day: float,
    long_share: float,
) -> pd.DataFrame:
    """WATER_FLEET. Means by analysis and variant: Wh of the servers for a mean query, (worlds,) or (1,)."""
    factors = Factors.draw(sites.settings, uniforms[1:])
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
    return validate(pd.DataFrame(rows), WATER_FLEET, "water of a fleet")


def band(values: Array, unit: str) -> dict[str, float]:
    """PERCENTS of values (worlds,), by Hazen's positions as in pipeline/estimate/nested.py."""
    found = np.percentile(values, list(PERCENTS.values()), method="hazen")
    return {f"{name}_{unit}": float(value) for name, value in zip(PERCENTS, found, strict=True)}


def shares(sites: Sites, means: Mapping[tuple[str, Regime], Array], uniforms: Array) -> pd.DataFrame:
    """WATER_SHARES of the mean query in every scenario. Means: by variant and regime, Wh, (worlds,)."""
    factors = Factors.draw(sites.settings, uniforms[1:])
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
    return validate(pd.DataFrame(rows), WATER_SHARES, "variance shares of water")


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
