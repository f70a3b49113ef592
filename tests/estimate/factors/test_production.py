import numpy as np
import pytest

from pipeline.contracts import read_table
from pipeline.contracts.re_estimated import RE_ESTIMATED
from pipeline.contracts.water_results import WATER_SPLIT
from pipeline.estimate.factors.production import class_of
from tests.estimate.factors.parts import PARAMS

DEPLOYMENTS = PARAMS.assumptions.re_estimate.deployments
PLACE = ["boundary", "workload"]
ANY = ["any large model", "any middle-sized model", "any small model", "any model"]


@pytest.fixture(scope="module")
def production(committed):
    rows = committed[committed["load"] == "as in production"]
    return rows[rows["per"] == "query"]


@pytest.mark.parametrize("subject", ["blend", "Llama 3.1 405B", "Mixtral 8x22B"])
def test_per_query_the_factors_are_the_re_estimate(production, subject):
    ours = read_table("data/results/re_estimated.csv", RE_ESTIMATED)
    ours = ours[(ours["variant"] == "production_lengths") & (ours["subject"] == subject)]
    ours = ours.set_index(["boundary", "regime"]).rename_axis(PLACE)
    of = (
        production["model_class"] == ANY[0]
        if subject == "blend"
        else production["reference_model"] == subject
    )
    rows = production[of & (production["site"] == "any site")].set_index(PLACE)
    assert len(rows) == 6
    for name in ("p5", "p50", "p95"):
        expected = ours.loc[rows.index, f"mean_{name}_wh"]
        assert rows[f"{name}_wh"].to_numpy() == pytest.approx(expected.to_numpy(), rel=1e-5)


def test_water_is_that_of_the_blend(production):
    """Not to the digit: the table of water takes the first queries of each world."""
    split = read_table("data/results/water_split.csv", WATER_SPLIT)
    keys = {"variant": "production_lengths", "site_scenario": "us_average", "scope": "total"}
    ours = split[(split[[*keys]] == list(keys.values())).all(axis=1)].set_index("regime")
    rows = production[(production["model_class"] == ANY[0]) & (production["site"] == "us_average")]
    for row in rows.to_dict("records"):
        assert row["p50_total_ml"] == pytest.approx(ours.loc[row["workload"], "mean_p50_ml"], rel=0.03)


def test_a_model_that_is_not_known_spans_those_that_it_may_be(production):
    at = production[(production["boundary"] == "facility") & (production["site"] == "any site")]
    for _, rows in at.groupby("workload"):
        own = rows.set_index("model_class").loc[ANY]
        assert (np.diff(own["p50_wh"][:3]) < 0).all()
        assert (
            own.loc["any small model", "p50_wh"] < own.loc["any model", "p50_wh"] < own.loc[ANY[0], "p50_wh"]
        )
        ratio = own["p95_wh"] / own["p5_wh"]
        assert ratio["any model"] > 2 * ratio[:3].max()


def test_models_together_say_so(found):
    large = found[found["model_class"] == ANY[0]].iloc[0]
    assert large["reference_model"] == ", ".join(DEPLOYMENTS.blend)
    assert (large["gpu"], large["gpu_generation"], large["precision"]) == ("mixed", "Hopper", "fp8")
    assert np.isnan(large["total_params_b"]) and large["requests_low"] < large["requests_high"]


def test_models_of_the_study_stand_in_the_class_of_their_size():
    names = {item.model: class_of(item, PARAMS.factors.classes) for item in DEPLOYMENTS.models}
    assert names["DeepSeek-R1"] == "mixture 671 B, 37 B active"
    assert names["Llama 3.1 70B"] == "dense 70 B"
    assert names["Nemotron Ultra 253B"] == "dense 253 B"
    assert names["Mixtral 8x22B"] == "mixture 141 B, 39 B active"
