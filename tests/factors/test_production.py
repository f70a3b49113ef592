import numpy as np
import pytest

from pipeline.core.read import read_table
from pipeline.energy.model.contract import RE_ESTIMATED
from pipeline.factors.model.services import class_of
from pipeline.water.model.contract import WATER_SPLIT
from tests.factors.parts import NAMING, PARAMS

DEPLOYMENTS = PARAMS["energy"].deployments
PLACE = ["boundary", "workload"]
ANY = ["large dense", "mid", "small", "any model"]


@pytest.fixture(scope="module")
def production(committed):
    rows = committed[committed["load"] == "as in production"]
    return rows[rows["per"] == "query"]


@pytest.mark.parametrize("subject", ["blend", *DEPLOYMENTS.services, "Llama 3.1 405B", "Mixtral 8x22B"])
def test_per_query_the_factors_are_the_re_estimate(production, subject):
    ours = read_table("data/results/re_estimated.csv", RE_ESTIMATED)
    ours = ours[(ours["variant"] == "production_lengths") & (ours["subject"] == subject)]
    ours = ours.set_index(["boundary", "regime"]).rename_axis(PLACE)
    models = production["total_params_b"].notna()
    name = "published blend" if subject == "blend" else subject
    of = (production["model_class"] == name) | (models & (production["reference_model"] == name))
    rows = production[of & (production["site"] == "any site")].set_index(PLACE)
    assert set(rows.index) == set(ours.index)
    for name in ("p5", "p50", "p95"):
        expected = ours.loc[rows.index, f"mean_{name}_wh"]
        assert (abs(rows[f"{name}_wh"] - expected) <= 1e-5 * expected).all(), name


def test_water_is_that_of_the_blend(production):
    """Not to the digit: the table of water takes the first queries of each world."""
    split = read_table("data/results/water_split.csv", WATER_SPLIT)
    keys = {"variant": "production_lengths", "site_scenario": "us_average", "scope": "total"}
    ours = split[(split[[*keys]] == list(keys.values())).all(axis=1)].set_index("regime")
    blend = production["model_class"] == "published blend"
    rows = production[blend & (production["site"] == "us_average")]
    for row in rows.to_dict("records"):
        assert row["p50_total_ml"] == pytest.approx(ours.loc[row["workload"], "mean_p50_ml"], rel=0.04)


def test_a_model_that_is_not_known_spans_those_that_it_may_be(production):
    at = production[(production["boundary"] == "facility") & (production["site"] == "any site")]
    for _, rows in at.groupby("workload"):
        own = rows.set_index("model_class").loc[ANY]
        assert (np.diff(own["p50_wh"][:3]) < 0).all()
        assert own.loc["small", "p50_wh"] < own.loc["any model", "p50_wh"] < own.loc[ANY[0], "p50_wh"]
        ratio = own["p95_wh"] / own["p5_wh"]
        assert ratio["any model"] > ratio[:3].max()


def test_models_together_say_so(found):
    large = found[found["model_class"] == "one of the blend"].iloc[0]
    assert large["reference_model"] == ", ".join(DEPLOYMENTS.blend)
    assert (large["gpu"], large["gpu_generation"], large["precision"]) == ("mixed", "Hopper", "fp8")
    assert np.isnan(large["total_params_b"]) and large["requests_low"] < large["requests_high"]


def test_models_of_the_study_stand_in_the_class_of_their_size():
    names = {item.model: class_of(item, PARAMS["factors"], NAMING) for item in DEPLOYMENTS.models}
    assert names["DeepSeek-R1"] == "mixture 671 B, 37 B active"
    assert names["Llama 3.1 70B"] == "dense 70 B"
    assert names["Nemotron Ultra 253B"] == "dense 253 B"
    assert names["Mixtral 8x22B"] == "mixture 141 B, 39 B active"
