"""A small bench on the fitted model of serving, shared by the tests of levers."""

from functools import cache

import numpy as np
import pandas as pd

from pipeline.assumptions import load
from pipeline.assumptions.deployments import Propagation
from pipeline.contracts import read_table
from pipeline.contracts.facts import HARDWARE
from pipeline.contracts.levers import (
    LEVER_COMBINATIONS,
    LEVER_HARDWARE,
    LEVER_SCALE,
    LEVER_SYSTEMS,
)
from pipeline.contracts.published import TABLES
from pipeline.contracts.routing import ROUTERS as ROUTERS_CONTRACT
from pipeline.estimate.levers.bench import Bench
from pipeline.estimate.levers.combine import Service
from pipeline.estimate.levers.evidence import PublishedEvidence
from pipeline.estimate.levers.inputs import read_bench

SETTINGS, FLEET, RE_ESTIMATE, SIMULATION = load(
    "assumptions.levers", "scenario.fleet", "assumptions.re_estimate", "simulation"
)
SMALL = Propagation(replicates=4, outer=32, inner=16, variance_points=32)
LEVERS = read_table("data/published/levers.csv", TABLES["levers"])
ROUTERS = read_table("data/published/routers.csv", ROUTERS_CONTRACT)
PUBLISHED = PublishedEvidence.of(SETTINGS.evidence, LEVERS, ROUTERS)
FACTS = read_table("data/published/hardware.csv", HARDWARE).set_index("gpu").to_dict("index")


@cache
def bench() -> Bench:
    """128 worlds of the fleets."""
    fleet = FLEET.model_copy(update={"propagation": SMALL})
    return read_bench(SETTINGS, fleet, RE_ESTIMATE, SIMULATION, PUBLISHED)


@cache
def service(regime: str = "short") -> Service:
    """The service that the levers are applied to."""
    return Service.of(bench(), regime, FLEET.routing.routers, FLEET.sites[SETTINGS.site], FACTS)


@cache
def results() -> dict[str, pd.DataFrame]:
    """The committed tables."""
    contracts = {
        "systems": LEVER_SYSTEMS,
        "hardware": LEVER_HARDWARE,
        "scale": LEVER_SCALE,
        "combinations": LEVER_COMBINATIONS,
    }
    return {name: read_table(f"data/results/lever_{name}.csv", schema) for name, schema in contracts.items()}


def constant(assumption: object, value: float) -> object:
    """The assumption at one value."""
    distribution = {"family": "constant", "value": value}
    fields = assumption.model_dump(by_alias=True) | {"distribution": distribution}
    return type(assumption).model_validate(fields)


def positive(values: np.ndarray) -> bool:
    """Whether all are finite and above zero."""
    return bool(np.all(np.isfinite(values) & (values > 0)))
