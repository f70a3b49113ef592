"""The factor table on a stub of the serving model, few worlds and two invented sites."""

import dataclasses

import numpy as np
import pandas as pd

from pipeline.core.catalogue import transcription
from pipeline.core.settings import read
from pipeline.energy.model.study import read_lengths, read_servers
from pipeline.factors.model.services import factor_rows
from pipeline.factors.model.values import Naming
from pipeline.ingest.contract_sources import SERVING_MEASUREMENTS
from pipeline.serving.model.deployments import Propagation
from pipeline.water.model.sites import Sites, site_factors
from tests.energy.serving_stub import stub
from tests.water.test_draws import tables

PARAMS = read()
FEW = Propagation(replicates=4, outer=32, inner=16, variance_points=16)
SITES = {"dry": ["dry"], "wet": ["wet"]}
COMMITTED = "data/results/factors/factors.csv"


def models() -> pd.DataFrame:
    return pd.read_csv("data/published/models.csv", dtype=str)


def measurements(**columns) -> pd.DataFrame:
    """Rows of SERVING_MEASUREMENTS with the given columns, one cell unless said otherwise."""
    given = {
        "fits": "step;power",
        "checks": "chat",
        "model": "Llama 3.1 8B",
        "upstream_model": "meta-llama/Llama-3.1-8B-Instruct",
        "gpu": "H100",
        "gpus": 1,
        "precision": "BF16",
        "concurrency": [7.98, 400.0],
        "output_tokens": 400.0,
        "gpu_w": 500.0,
    }
    return pd.DataFrame({**given, **columns}).reindex(columns=list(SERVING_MEASUREMENTS.columns))


NAMING = Naming.of(transcription("hardware"), transcription("published/models"), measurements().head(0))


def price(**stubbed):
    """The stub, which also says what it rests on."""
    inner = stub(**stubbed)

    def request_cost(rows, samples, kept=None):
        cost = inner(rows.assign(output_cv=rows["output_cv"].astype(float)), samples)
        found = type("Cost", (), dataclasses.asdict(cost))()
        found.basis = np.full(len(rows), "pooled", dtype=object)
        return found

    return request_cost


def rows(sites=("dry", "wet"), **stubbed) -> pd.DataFrame:
    """The table of one class and of the study's models."""
    factors = PARAMS["factors"].model_copy(
        update={
            "classes": PARAMS["factors"].classes[:1],
            "sites": list(sites),
            "stated_sites": list(sites),
            "propagation": FEW,
        }
    )
    settings = PARAMS["water"].scenarios["google"]
    scenarios = {name: settings.model_copy(update={"sites": keys}) for name, keys in SITES.items()}
    water = PARAMS["water"].model_copy(update={"scenarios": scenarios})
    return factor_rows(
        factors,
        PARAMS["energy"].model_copy(update={"propagation": FEW}),
        read_lengths(),
        read_servers(),
        price(**stubbed),
        Sites.of(water, site_factors(tables())),
        PARAMS["simulation"],
        NAMING,
    )
