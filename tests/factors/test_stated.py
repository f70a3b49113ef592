import pytest
from pydantic import ValidationError

from pipeline.factors.model.contract import KEYS
from pipeline.factors.model.settings import BatchBand, Factors
from tests.factors.parts import PARAMS, rows

BANDS = ["1 to 8", "9 to 64", "65 to 512"]


@pytest.fixture(scope="module")
def stated(found):
    return found[found["load"] == "as stated"]


def test_boundaries_widen(found):
    keys = ["load", "reference_model", "gpu", "gpus", "precision", "requests_in_flight", "workload", "per"]
    wide = found[found["site"] == "any site"].pivot_table(index=keys, columns="boundary", values="p50_wh")
    assert (wide["gpu"] < wide["node"]).all() and (wide["node"] < wide["facility"]).all()


def test_larger_batches_take_less_a_query(stated):
    keys = ["gpu", "precision", "workload", "boundary", "site"]
    queries = stated[stated["per"] == "query"].pivot_table(
        index=keys, columns="requests_in_flight", values="p50_wh"
    )
    steps = queries[BANDS].diff(axis=1).iloc[:, 1:]
    assert ((steps < 0) | steps.isna()).all(axis=None)  # blank: the cache does not reach the band
    assert (steps.notna().sum() > 0).all()


def test_every_precision_of_an_instance_has_its_rows(stated):
    assert set(stated[stated["gpu"] == "B200"]["precision"]) == {"bf16", "fp8", "fp4"}


def test_a_band_that_the_cache_does_not_reach_is_left_out():
    few = rows(cache_tokens=150_000.0)
    assert BANDS[2] not in set(few["requests_in_flight"]) and BANDS[0] in set(few["requests_in_flight"])


def test_bands_that_share_an_end_are_refused():
    bands = [BatchBand(low=1, high=8), BatchBand(low=8, high=64)]
    data = PARAMS["factors"].model_dump() | {"batch_bands": [band.model_dump() for band in bands]}
    with pytest.raises(ValidationError, match="8 to 64 starts within 1 to 8"):
        Factors.model_validate(data)


@pytest.mark.parametrize("instance", ["B200 in fp8", "2 B200", "9 B200 in fp8", "2 B200 in fp9"])
def test_an_instance_that_cannot_be_read_is_refused(instance):
    data = PARAMS["factors"].model_dump()
    data["classes"][0]["instances"] = instance
    with pytest.raises(ValidationError, match="instances"):
        Factors.model_validate(data)


def test_the_committed_table_has_no_gap_and_both_precisions_on_one_accelerator(committed):
    stated = committed[committed["load"] == "as stated"]
    each = stated.groupby([name for name in KEYS if name not in ("boundary", "site", "per")]).size()
    assert len(set(each)) == 1
    same = stated[stated["reference_model"] == "Qwen3 235B-A22B"]
    at = {gpu: set(own["precision"]) for gpu, own in same.groupby("gpu")}
    assert at["A100"] <= at["H100"] <= at["B200"]
    assert len(committed) < 12_000  # a sheet that people still open; agents are in it


def test_the_committed_table_agrees_with_the_re_estimate(committed):
    """The largest dense model on H100 at production's batches lies inside the band of as in production."""
    usual = {"boundary": "facility", "site": "any site", "per": "query", "workload": "short"}
    model = {"reference_model": "Llama 3.1 405B", "gpu": "H100"}
    at = committed[(committed[[*usual, *model]] == {**usual, **model}.values()).all(axis=1)]
    (factor,) = at.loc[at["requests_in_flight"] == "65 to 512", "p50_wh"]
    band = at[at["load"] == "as in production"].iloc[0]
    assert band["p5_wh"] < factor < band["p95_wh"]
