"""Rows of LEVER_SYSTEMS from results that stand already: routers, sites and cooling.

They keep three percentiles; the quartiles stay blank.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from pipeline.contracts.published import WORST
from pipeline.contracts.results import REGIMES
from pipeline.contracts.routing import PAIRS
from pipeline.estimate.levers.bench import Bench
from pipeline.estimate.levers.evidence import grade_of, weakest
from pipeline.estimate.levers.rows import Row

MODEL_ROUTER = "Model Router"
PROMPTS = "short"  # regime of the prompts that its choices were counted on
COST = "cost reduction"  # in ROUTERS
BALANCED_SITES = "us_average"  # the closed loop at an ordinary site


def _three(row: Mapping[Any, Any], prefix: str = "") -> dict[str, float]:
    found = {name: float(row[f"{prefix}{name}"]) for name in ("p5", "p50", "p95")}
    return {**found, "p25": np.nan, "p75": np.nan, "mc_error_p50": float(row.get("mc_error_p50", np.nan))}


def router_rows(
    bench: Bench, profiles: pd.DataFrame, published: pd.DataFrame, routers: pd.DataFrame
) -> Iterator[Row]:
    """A commercial router in its three profiles, and published routers at their shares, in their regimes.

    profiles: ROUTING_PROFILES; published: ROUTING_PUBLISHED; routers: ROUTERS.
    """
    for row in profiles.to_dict("records"):
        outside = [] if row["regime"] == PROMPTS else ["outside its regime: its prompts were those of a chat"]
        yield Row(
            "routing",
            MODEL_ROUTER,
            str(row["regime"]),
            f"choices of the {row['profile']} profile against its largest model for all",
            "fitted model with published settings",
            WORST,
            _three(row),
            "gregory2025",
            load=f"{row['profile']} profile",
            note="; ".join(["sizes of closed models as others assume them", *outside]),
        )
    tiers = bench.draws.tiers
    model = grade_of([*tiers["large"], *tiers["small"]], bench.bases)
    printed: Any = routers.set_index("key").to_dict("index")
    for row in published[published["pair"] == PAIRS[0]].to_dict("records"):
        router = printed[row["key"]]
        note = "share and quality are those of its own models and prompts"
        if router["share_basis"] == COST:
            note += "; the share is a reduction of cost taken for it"
        yield Row(
            "routing",
            str(row["router"]),
            str(row["regime"]),
            f"small models for {row['share_small']:.0%} of queries against the blend for all, "
            f"{row['benchmark']} at {row['quality_kept']:.0%} of the quality",
            "fitted model with published settings",
            weakest([router["grade"], model]),
            _three(row),
            router["source"],
            load=str(row["benchmark"]),
            evidence=str(row["key"]),
            note=note,
        )


def site_rows(bench: Bench, sites: pd.DataFrame, cooling: pd.DataFrame) -> Iterator[Row]:
    """PUE from one kind of site to another, and a closed loop; DATACENTRE_LEVER, COOLING_LEVER."""
    for regime in REGIMES:
        assumed = bench.published.standing("site", regime)
        for row in sites.to_dict("records"):
            yield Row(
                "datacentre",
                f"{row['from_site']} to {row['to_site']}",
                regime,
                f"PUE of a site `{row['to_site']}` against `{row['from_site']}`",
                "published range",
                assumed.grade,
                _three(row),
                "uptime2025;google_efficiency2025",
                note=assumed.noted("both ends are ranges around PUE as operators report it"),
            )
        loop = cooling[cooling["site_scenario"] == BALANCED_SITES].iloc[0].to_dict()
        yield Row(
            "datacentre",
            "Closed-loop cooling",
            regime,
            "no evaporation on site against an average one in the United States",
            "published range",
            "D",
            _three(loop, "energy_"),
            "microsoft_zero_water2024",
            note="below 1: water on site is saved for a higher PUE (data/results/cooling_lever.csv)",
        )
