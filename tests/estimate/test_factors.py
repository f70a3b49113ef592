import dataclasses

import numpy as np
import pandas as pd
import pytest

from pipeline.assumptions.deployments import Propagation
from pipeline.assumptions.load import read
from pipeline.contracts import read_table
from pipeline.contracts.factors import FACTORS, KEYS, VALUES
from pipeline.contracts.re_estimated import RE_ESTIMATED
from pipeline.errors import InputError
from pipeline.estimate.cost_curves import Terms
from pipeline.estimate.factors import Served, factor_rows
from pipeline.estimate.study_inputs import read_lengths, read_servers
from pipeline.estimate.water.scenarios import Sites
from pipeline.estimate.water.sites import site_factors
from pipeline.estimate.worlds import Moments
from tests.estimate.serving_stub import stub
from tests.estimate.water.test_draws import tables

PARAMS = read()
SITES = {"dry": ["dry"], "wet": ["wet"]}
COMMITTED = "data/results/factors.csv"


def price(**stubbed):
    """The stub, which also says what it rests on."""
    inner = stub(**stubbed)

    def request_cost(rows, rng, draws):
        cost = inner(rows.assign(output_cv=rows["output_cv"].astype(float)), rng, draws)
        found = type("Cost", (), dataclasses.asdict(cost))()
        found.basis = np.full(len(rows), "pooled", dtype=object)
        return found

    return request_cost


def rows(sites=("dry", "wet"), **stubbed):
    factors = PARAMS.factors.model_copy(
        update={
            "classes": PARAMS.factors.classes[:1],
            "sites": list(sites),
            "propagation": Propagation(replicates=4, outer=32, inner=16, variance_points=16),
        }
    )
    settings = PARAMS.assumptions.water.scenarios["google"]
    scenarios = {name: settings.model_copy(update={"sites": keys}) for name, keys in SITES.items()}
    water = PARAMS.assumptions.water.model_copy(update={"scenarios": scenarios})
    return factor_rows(
        factors,
        PARAMS.assumptions.re_estimate,
        read_lengths(),
        read_servers(),
        Sites.of(water, site_factors(tables())),
        PARAMS.simulation,
        price(**stubbed),
        {"A100": "Ampere", "H100": "Hopper", "B200": "Blackwell"},
    )


@pytest.fixture(scope="module")
def found():
    return rows()


def test_tokens_make_up_the_query_exactly():
    a, b, k, watts = (np.array([value]) for value in (1e-4, 2e-3, 3e-7, 3600.0))
    rng = np.random.default_rng(3)
    input_tokens, output_tokens = rng.integers(1, 4000, (2, 1, 50)).astype(float)
    moments = Moments.of(input_tokens, output_tokens)
    per = Served(Terms(a, b, k, watts), {"gpu": watts}).per("gpu", moments)
    whole = (
        moments.input_tokens * per["1000 input tokens"] + moments.output_tokens * per["1000 output tokens"]
    )
    seconds = Terms(a, b, k, watts).seconds(input_tokens, output_tokens)
    assert per["query"] == pytest.approx(whole / 1000, rel=1e-12)
    assert per["query"] == pytest.approx(seconds.mean(axis=1), rel=1e-12)  # 3600 W: a second is a Wh


def test_boundaries_widen(found):
    wide = found[found["site"] == "any site"].pivot_table(
        index=["gpu", "requests_in_flight", "workload", "per"], columns="boundary", values="p50_wh"
    )
    assert (wide["gpu"] < wide["node"]).all() and (wide["node"] < wide["facility"]).all()


def test_larger_batches_take_less_a_query(found):
    keys = ["gpu", "workload", "boundary", "site"]
    queries = found[found["per"] == "query"].pivot_table(
        index=keys, columns="requests_in_flight", values="p50_wh", sort=False
    )
    assert (queries.diff(axis=1).iloc[:, 1:] < 0).all(axis=None)


def test_water_is_that_of_the_site(found):
    at = found[found["per"] == "query"].set_index("site")
    assert at.loc["dry", ["p5_onsite_ml", "p95_onsite_ml"]].eq(0).all(axis=None)
    assert at.loc["any site", "p50_total_ml"].isna().all()
    assert at.loc["wet", "p50_onsite_ml"].gt(0).all()
    # PUE 1.5 against 1.1, all else the same
    assert at.loc["dry", "p50_wh"].to_numpy() / at.loc["wet", "p50_wh"].to_numpy() == pytest.approx(1.5 / 1.1)


def test_a_band_that_the_cache_does_not_reach_is_left_out():
    assert "64-512" not in set(rows(cache_tokens=20_000.0)["requests_in_flight"])


def test_an_unknown_site_is_refused():
    with pytest.raises(InputError, match=r"factors\.sites: 'moon', expected some of dry, wet"):
        rows(sites=("moon",))


def test_the_committed_table_keeps_its_contract_and_has_no_gap():
    table = read_table(COMMITTED, FACTORS)
    each = table.groupby([name for name in KEYS if name not in ("boundary", "site", "per")]).size()
    assert len(set(each)) == 1
    at_site = (table["boundary"] == "facility") & (table["site"] != "any site")
    for unit in VALUES:
        assert table.loc[at_site, f"p50_{unit}"].notna().all()


def test_the_committed_table_agrees_with_the_re_estimate():
    """The largest dense model on H100 at production's batches lies inside the re-estimate's band."""
    table = read_table(COMMITTED, FACTORS)
    ours = read_table("data/results/re_estimated.csv", RE_ESTIMATED)
    chosen = {"reference_model": "Llama 3.1 405B", "gpu": "H100", "requests_in_flight": "64-512"}
    place = {"boundary": "facility", "site": "any site", "per": "query", "workload": "short"}
    (factor,) = table[(table[[*chosen, *place]] == pd.Series(chosen | place)).all(axis=1)]["p50_wh"]
    keys = {
        "variant": "production_lengths",
        "regime": "short",
        "subject": "Llama 3.1 405B",
        "boundary": "facility",
    }
    band = ours[(ours[[*keys]] == pd.Series(keys)).all(axis=1)].iloc[0]
    assert band["mean_p5_wh"] < factor < band["mean_p95_wh"]
