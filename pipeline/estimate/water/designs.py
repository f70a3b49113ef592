"""The trade of a closed loop at every site: no water on site, a higher PUE, more water in the electricity."""

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.assumptions.water import Water
from pipeline.contracts.read import validate
from pipeline.contracts.water import BASES
from pipeline.contracts.water_results import DESIGNS, WATER_SITES
from pipeline.estimate.water.draws import Factors, SiteDraws
from pipeline.estimate.water.fleet import band

Array = NDArray[np.float64]
KEPT = ["name", "provider", "cooling"]


def by_site(factors: pd.DataFrame, settings: Water, it_wh: Array, uniforms: Array) -> pd.DataFrame:
    """WATER_SITES of every site, as built and, where it takes water, with a closed loop.

    Factors: FACTORS of pipeline/estimate/water/sites.py. it_wh: of the median query, (worlds,). Uniforms:
    (3, worlds): of the penalty, of the factor of WUE, of the factor of electricity.
    """
    drawn = Factors.draw(settings, uniforms[1:])
    penalty = settings.closed_loop_pue_penalty.distribution.ppf(uniforms[0])
    rows: list[dict[str, Any]] = []
    for site in factors.to_dict("records"):
        if site["electricity_basis"] != BASES[0]:
            continue  # a withdrawal is not what a closed loop saves
        built, closed = _designs(site, drawn, penalty)
        saves = closed.water_ml(it_wh)["total"] < built.water_ml(it_wh)["total"]
        rows.append(_row(site, DESIGNS[0], built, it_wh, site["wue_l_per_kwh"], None))
        if site["wue_l_per_kwh"] > 0:
            rows.append(_row(site, DESIGNS[1], closed, it_wh, 0.0, float(saves.mean())))
    return validate(pd.DataFrame(rows)[list(WATER_SITES.columns)], WATER_SITES, "water by site")


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
