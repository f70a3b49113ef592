"""The factor table on a stub of the serving model, few worlds and two invented sites."""

import dataclasses

import numpy as np
import pandas as pd

from pipeline.assumptions.deployments import Propagation
from pipeline.assumptions.load import read
from pipeline.contracts.telemetry import SERVING_MEASUREMENTS
from pipeline.estimate.factors.evidence import Evidence
from pipeline.estimate.factors.pricing import Naming
from pipeline.estimate.factors.table import factor_rows
from pipeline.estimate.study_inputs import read_lengths, read_servers
from pipeline.estimate.water.scenarios import Sites
from pipeline.estimate.water.sites import site_factors
from pipeline.fit.serving.names import Names
from tests.estimate.serving_stub import stub
from tests.estimate.water.test_draws import tables

PARAMS = read()
FEW = Propagation(replicates=4, outer=32, inner=16, variance_points=16)
SITES = {"dry": ["dry"], "wet": ["wet"]}
COMMITTED = "data/results/factors/factors.csv"
GENERATIONS = {"A100": "Ampere", "H100": "Hopper", "H200": "Hopper", "B200": "Blackwell"}


def models() -> pd.DataFrame:
    return pd.read_csv("data/published/models.csv", dtype=str)


def measurements(**columns) -> pd.DataFrame:
    """Rows of SERVING_MEASUREMENTS with the given columns, one cell unless said otherwise."""
    given = {
        "source": "mlenergy_v3",
        "model": "Llama 3.1 8B",
        "upstream_model": "meta-llama/Llama-3.1-8B-Instruct",
        "gpu": "H100",
        "gpus": 1,
        "precision": "BF16",
        "average_batch": [7.98, 400.0],
        "output_tokens": 400.0,
        "gpu_w": 500.0,
    }
    return pd.DataFrame({**given, **columns}).reindex(columns=list(SERVING_MEASUREMENTS.columns))


def price(**stubbed):
    """The stub, which also says what it rests on."""
    inner = stub(**stubbed)

    def request_cost(rows, rng, draws):
        cost = inner(rows.assign(output_cv=rows["output_cv"].astype(float)), rng, draws)
        found = type("Cost", (), dataclasses.asdict(cost))()
        found.basis = np.full(len(rows), "pooled", dtype=object)
        return found

    return request_cost


def rows(sites=("dry", "wet"), **stubbed) -> pd.DataFrame:
    """The table of one class and of the study's models."""
    factors = PARAMS.factors.model_copy(
        update={
            "classes": PARAMS.factors.classes[:1],
            "sites": list(sites),
            "stated_sites": list(sites),
            "propagation": FEW,
        }
    )
    settings = PARAMS.assumptions.water.scenarios["google"]
    scenarios = {name: settings.model_copy(update={"sites": keys}) for name, keys in SITES.items()}
    water = PARAMS.assumptions.water.model_copy(update={"scenarios": scenarios})
    fleet = PARAMS.scenario.fleet
    return factor_rows(
        factors,
        PARAMS.assumptions.re_estimate.model_copy(update={"propagation": FEW}),
        {"any middle-sized model": fleet.middle, "any small model": fleet.small},
        read_lengths(),
        read_servers(),
        Sites.of(water, site_factors(tables())),
        PARAMS.simulation,
        price(**stubbed),
        Naming(GENERATIONS, Evidence({}, Names(models()))),
    )
