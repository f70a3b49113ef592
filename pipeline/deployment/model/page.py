"""All that the what-if page carries: predictions in few numbers, draws of sites, estimates to compare with.

Measures are levers with their grades, and all graded ones together with overlaps counted; none is multiplied.
"""

from typing import Any

import pandas as pd

from pipeline.core.columns import REGIMES
from pipeline.deployment.model.answer import site_uniforms
from pipeline.deployment.model.predict import Predictor
from pipeline.deployment.model.surface import Surface, errors, surface
from pipeline.levers.model.contract import measures

Json = dict[str, Any]
# Any other is predicted by pipeline.predict.
CHIPS = ("A100", "H100", "H200", "B200", "B300", "L40S", "RTX PRO 6000", "MI300X", "MI355X", "Maia 200")
DRAWS = 512  # of a site, as many as a prediction has
GRADED = "graded"  # of LEVER_COMBINATIONS: with overlaps, on evidence of grade A or B alone
HEADLINE = {"variant": "production_lengths", "subject": "blend", "boundary": "facility"}
BAND = ("p5", "p50", "p95")


def page(
    tool: Predictor, re_estimated: pd.DataFrame, systems: pd.DataFrame, combinations: pd.DataFrame
) -> Json:
    """The content of whatif.json; tables RE_ESTIMATED, LEVER_SYSTEMS and LEVER_COMBINATIONS."""
    found = surface(tool, tool.known.shapes, CHIPS)
    return content(tool, found, re_estimated, systems, combinations)


def content(
    tool: Predictor,
    found: Surface,
    re_estimated: pd.DataFrame,
    systems: pd.DataFrame,
    combinations: pd.DataFrame,
) -> Json:
    """The same of some models and chips."""
    models = tool.known.models
    named = models.loc[found.configurations["model"].unique()]
    return found.packed() | {
        "models": {
            name: {"precision": row["native_precision"], "context": int(row["max_context_tokens"])}
            for name, row in named.iterrows()
        },
        "errors": errors(tool, found),
        "sites": sites(tool),
        "headline": {regime: _headline(re_estimated, regime) for regime in REGIMES},
        "measures": {regime: measures(systems, regime) for regime in REGIMES},
        "together": {regime: _together(combinations, regime) for regime in REGIMES},
    }


def sites(tool: Predictor) -> Json:
    """By scenario: title, whether water is consumed or withdrawn, and DRAWS of its factors."""
    world = tool.world
    drawn = site_uniforms(world.seed, DRAWS)
    found: Json = {}
    for keys, site in world.sites.draws(drawn):
        name = keys["site_scenario"]
        factors = {
            "pue": site.pue, "wue": site.wue_l_per_kwh, "grid": site.electricity_l_per_kwh,
        }  # fmt: skip
        found[name] = {
            "title": world.sites.settings.scenarios[name].title,
            "basis": keys["basis"],
            **{key: [float(f"{value:.4g}") for value in values] for key, values in factors.items()},
        }
    return {world.sites.settings.headline: found.pop(world.sites.settings.headline), **found}


def _headline(re_estimated: pd.DataFrame, regime: str) -> Json:
    keys = pd.Series(HEADLINE | {"regime": regime})
    row = re_estimated[(re_estimated[[*keys.index]] == keys).all(axis=1)].iloc[0]
    return {name: float(row[f"median_{name}_wh"]) for name in BAND}


def _together(combinations: pd.DataFrame, regime: str) -> Json:
    of = combinations[(combinations["regime"] == regime) & (combinations["combination"] == GRADED)]
    last = of.sort_values("order").iloc[-1]
    return {name: float(last[f"cumulative_{name}"]) for name in BAND}
