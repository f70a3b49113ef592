"""The panel's data and the pipeline's answer, on the fitted model and the published factors."""

import json
from functools import cache
from typing import Any

import pandas as pd

from pipeline.assumptions.deployments import Propagation
from pipeline.assumptions.load import read
from pipeline.assumptions.what_if import WhatIf
from pipeline.contracts import read_table
from pipeline.contracts.levers import LEVER_COMBINATIONS, LEVER_SYSTEMS
from pipeline.contracts.published import TABLES
from pipeline.contracts.water import WATER_TABLES
from pipeline.estimate.water.sites import SITE_TABLES
from pipeline.estimate.what_if.answer import answer
from pipeline.estimate.what_if.export import panel
from pipeline.estimate.what_if.inputs import Inputs, read_inputs
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
    given = PARAMS.assumptions
    return read_inputs(facts, given.water, given.as_published.base, PARAMS.simulation, SETTINGS.serving)


def exported(propagation: Propagation) -> dict[str, Any]:
    """What export_whatif writes, in so many worlds."""
    settings, start = SETTINGS.model_copy(update={"propagation": propagation}), PARAMS.scenario.what_if
    answered = pipeline_answer(start, propagation).reset_index()
    systems = read_table("data/results/lever_systems.csv", LEVER_SYSTEMS)
    combinations = read_table("data/results/lever_combinations.csv", LEVER_COMBINATIONS)
    return round_significant(panel(start, settings, inputs(), answered, systems, combinations))


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
    settings = SETTINGS.model_copy(update={"propagation": propagation})
    return answer(chosen, settings, inputs()).set_index("quantity")
