"""The panel's data and the pipeline's answer, on the fitted model and the published factors."""

import json
from dataclasses import replace
from functools import cache
from typing import Any

import pandas as pd

from pipeline.assumptions.deployments import Propagation
from pipeline.assumptions.load import read
from pipeline.assumptions.what_if import LEVERS, WhatIf
from pipeline.contracts import read_table
from pipeline.contracts.levers import LEVER_COMBINATIONS
from pipeline.contracts.published import TABLES
from pipeline.contracts.water import WATER_TABLES
from pipeline.contracts.what_if import WHAT_IF
from pipeline.estimate.study_inputs import read_lengths, read_servers, read_serving
from pipeline.estimate.water.scenarios import Sites
from pipeline.estimate.water.sites import SITE_TABLES, site_factors
from pipeline.estimate.what_if.answer import answer
from pipeline.estimate.what_if.export import Inputs, panel
from pipeline.files import round_significant

PARAMS = read()
SETTINGS = PARAMS.assumptions.re_estimate
FEW = Propagation(replicates=4, outer=128, inner=256, variance_points=16)
LEAST = Propagation(replicates=4, outer=16, inner=16, variance_points=16)
ALL = SETTINGS.propagation


@cache
def inputs() -> Inputs:
    contracts = {**WATER_TABLES, "pue": TABLES["pue"]}
    facts = {name: read_table(f"data/published/{name}.csv", contracts[name]) for name in SITE_TABLES}
    base = PARAMS.assumptions.as_published.base
    return Inputs(
        levers={name: getattr(base, f"lever_{name}") for name in LEVERS},
        traffic=read_lengths(),
        servers=read_servers(),
        sites=Sites.of(PARAMS.assumptions.water, site_factors(facts)),
        simulation=PARAMS.simulation,
        model=read_serving(SETTINGS.serving),
        answered=read_table("data/results/what_if.csv", WHAT_IF),
        combinations=read_table("data/results/lever_combinations.csv", LEVER_COMBINATIONS),
    )


def exported(propagation: Propagation) -> dict[str, Any]:
    """What export_whatif writes, in so many worlds."""
    settings, start = SETTINGS.model_copy(update={"propagation": propagation}), PARAMS.scenario.what_if
    given = replace(inputs(), answered=pipeline_answer(start, propagation).reset_index())
    return round_significant(panel(start, settings, given))


@cache
def exported_text(propagation: Propagation = FEW) -> str:
    """The same as JSON, made once."""
    return json.dumps(exported(propagation))


def settings_of(**changes: Any) -> WhatIf:
    """Those of params.yaml with changes."""
    whole = PARAMS.scenario.what_if.model_dump()
    levers = whole["levers"] | changes.pop("levers", {})
    return WhatIf.model_validate(whole | changes | {"levers": levers})


def pipeline_answer(chosen: WhatIf, propagation: Propagation) -> pd.DataFrame:
    """The rows of the stage estimate_what_if, in the same worlds, by quantity."""
    given = inputs()
    table = answer(
        chosen,
        SETTINGS.model_copy(update={"propagation": propagation}),
        given.levers,
        given.traffic,
        given.servers,
        given.sites,
        given.simulation,
        given.model,
    )
    return table.set_index("quantity")
