"""The levers on the fitted model of serving with few samples, shared by their tests."""

from functools import cache

import numpy as np
import pandas as pd

from pipeline.core.catalogue import find, read, transcription
from pipeline.core.read import validate
from pipeline.core.settings import from_params
from pipeline.energy.model.study import read_lengths, read_servers, read_serving
from pipeline.fleet.model.draws import draw_fleet
from pipeline.levers.model.evaluator import Evaluator
from pipeline.levers.model.rows import PublishedEvidence
from pipeline.levers.model.tables import READ, lever_tables
from pipeline.levers.model.together import Service
from pipeline.serving.model.deployments import Propagation

SETTINGS, FLEET, RE_ESTIMATE, SIMULATION = from_params("levers", "fleet", "energy", "simulation")
SMALL = Propagation(replicates=4, outer=32, inner=16, variance_points=32)
LEVERS, ROUTERS = transcription("levers"), transcription("routers")
FACTS = transcription("hardware").set_index("gpu").to_dict("index")
RANGES = {name: from_params(f"published.base.lever_{name}") for name in ("model", "serving", "hardware")}


@cache
def evaluator() -> Evaluator:
    """128 epistemic samples of the fleets."""
    fleet = FLEET.model_copy(update={"propagation": SMALL})
    published = PublishedEvidence.of(SETTINGS, LEVERS, ROUTERS)
    model = read_serving(RE_ESTIMATE.serving, SIMULATION)
    draws = draw_fleet(fleet, RE_ESTIMATE, read_lengths(), read_servers(), SIMULATION, model)
    share = RE_ESTIMATE.deployments.tensorrt_share
    return Evaluator.of(SETTINGS, FLEET.sites, share, draws, model, published, FACTS)


@cache
def service(regime: str = "short") -> Service:
    """The service that the levers are applied to."""
    return Service.of(evaluator(), regime, FLEET.routing.routers, FACTS)


def tables_of(one: Evaluator) -> dict[str, pd.DataFrame]:
    """All tables of levers by short name."""
    tables = {name: transcription(name) if find(name).origin else read(name) for name in READ}
    tables |= {name: read(name) for name in ("datacentre_lever", "cooling_lever")}
    return lever_tables(one, tables, FLEET, RE_ESTIMATE.serving, RANGES)


@cache
def small() -> dict[str, pd.DataFrame]:
    """All tables of levers with few samples, by short name."""
    found = tables_of(evaluator())
    return {
        name.removeprefix("lever_"): validate(table, find(name).contract, name)
        for name, table in found.items()
    }


def constant(assumption: object, value: float) -> object:
    """The assumption at one value."""
    distribution = {"family": "constant", "value": value}
    fields = assumption.model_dump(by_alias=True) | {"distribution": distribution}
    return type(assumption).model_validate(fields)


def positive(values: np.ndarray) -> bool:
    """Whether all are finite and above zero."""
    return bool(np.all(np.isfinite(values) & (values > 0)))
