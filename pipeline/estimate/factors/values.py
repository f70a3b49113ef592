"""Wh and mL of a service per query and per 1,000 tokens, at each boundary and site.

    per query                 watts / 3600 * mean over queries of a I + b O + k O (I + O/2)
    per 1,000 input tokens    watts / 3600 * 1000 a
    per 1,000 output tokens   watts / 3600 * 1000 (b + k c),  c = mean of O (I + O/2) / mean of O

in Wh, so that input and output tokens at these factors make up the mean query, exactly. `watts` is power of
the accelerators (gpu), wall power of the serving server (node), or all with idle servers, times PUE
(facility). At a scenario of sites, PUE and water in mL are those of one drawn site (estimate/water/draws.py).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.contracts.factors import PERCENTS
from pipeline.errors import InputError
from pipeline.estimate.nested import sorted_quantiles, standard_error
from pipeline.estimate.query_energy import Served
from pipeline.estimate.water.draws import SiteDraws
from pipeline.estimate.water.scenarios import Sites
from pipeline.estimate.worlds import Moments, Worlds
from pipeline.units import SECONDS_PER_HOUR

Array = NDArray[np.float64]
# Wh, (worlds,), by boundary and by what it is for; at the facility with PUE 1.
Energies = dict[str, dict[str, Array]]
ANY_SITE = "any site"
ANY_TITLE = "PUE as drawn for a site that is not known; no water"
TOKENS = 1000
WATER_SCOPES = ("onsite", "total")


def energies(served: Served, moments: Moments) -> Energies:
    """Of one instance in every world; `served` at PUE 1."""
    t = served.terms
    attended = moments.product + moments.output_squared / 2
    output_s = t.b + t.k * attended / moments.output_tokens
    return {
        boundary: {
            "query": served.mean_energy_wh(boundary, moments),
            "1000 input tokens": watts / SECONDS_PER_HOUR * TOKENS * t.a,
            "1000 output tokens": watts / SECONDS_PER_HOUR * TOKENS * output_s,
        }
        for boundary, watts in served.watts.items()
    }


def mean_of(members: Sequence[Energies]) -> Energies:
    """Of services that answer queries in equal numbers."""
    return {
        boundary: {per: np.mean([one[boundary][per] for one in members], axis=0) for per in pers}
        for boundary, pers in members[0].items()
    }


def one_of(members: Sequence[Energies], which: NDArray[np.int64]) -> Energies:
    """In each world, (worlds,), that of the member which it takes."""
    return {
        boundary: {per: np.choose(which, [one[boundary][per] for one in members]) for per in pers}
        for boundary, pers in members[0].items()
    }


@dataclass(frozen=True)
class Place:
    """A scenario of sites with the site of every world; None: PUE as the worlds have it."""

    name: str
    title: str
    site: SiteDraws | None


def places(sites: Sites, uniforms: Array, names: Iterable[str]) -> list[Place]:
    """Any site, then the named scenarios, drawn by uniforms (TERMS, worlds); refuses an unknown name."""
    drawn = {keys["site_scenario"]: at for keys, at in sites.draws(uniforms)}
    for name in names:
        if name not in drawn:
            raise InputError(f"params.yaml, factors.sites: {name!r}, expected some of {', '.join(drawn)}")
    scenarios = sites.settings.scenarios
    return [
        Place(ANY_SITE, ANY_TITLE, None),
        *(Place(name, scenarios[name].title, drawn[name]) for name in names),
    ]


def rows(found: Energies, worlds: Worlds, at: Sequence[Place]) -> Iterator[dict[str, Any]]:
    """Boundary, site, denominator and percentiles; sites differ at the facility alone."""
    for boundary, pers in found.items():
        for per, energy_wh in pers.items():
            for place in at if boundary == "facility" else at[:1]:
                keys = {"boundary": boundary, "site": place.name, "site_title": place.title, "per": per}
                pue = worlds.pue if boundary == "facility" else np.ones(1)
                yield {**keys, **at_site(energy_wh, pue, worlds.replicates, place.site)}


def at_site(it_wh: Array, pue: Array, replicates: int, site: SiteDraws | None) -> Mapping[str, float]:
    """Percentiles of energy, and of water where there is a site; it_wh: at PUE 1."""
    if site is None:
        return percentiles(it_wh * pue, "wh", replicates)
    found = percentiles(it_wh * site.pue, "wh", replicates)
    water = site.water_ml(it_wh)
    for scope in WATER_SCOPES:
        found |= percentiles(water[scope], f"{scope}_ml", replicates)
    return found


def percentiles(drawn: Array, unit: str, replicates: int) -> dict[str, float]:
    """P5, P50, P95 over worlds and the Monte Carlo error of P50, each the mean over replicates."""
    each = sorted_quantiles(np.sort(drawn.reshape(replicates, -1), axis=1))
    found = {f"{name}_{unit}": float(value) for name, value in zip(PERCENTS, each.mean(axis=0), strict=True)}
    return {**found, f"mc_error_p50_{unit}": standard_error(each[:, 1])}
