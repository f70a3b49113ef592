import pandas as pd

from pipeline.core.settings import from_params
from pipeline.energy.paper import estimates, split, with_chosen
from pipeline.report.formats import assumed, by_key


def test_percentiles_of_one_statistic_share_a_row():
    table = pd.DataFrame(
        {"variant": ["v"], "median_p5_wh": [0.1], "query_p95_wh": [2.0], "mc_error_mean_p50_wh": [0.3]}
    )
    found = by_key("re", split(table), ["variant"])
    assert found == {"re.v.median.p5_wh": 0.1, "re.v.query.p95_wh": 2.0, "re.v.mc_error_mean.p50_wh": 0.3}


def test_the_chosen_row_has_a_name_that_outlives_the_choice():
    table = pd.DataFrame({"family": ["gamma", "lognormal"], "chosen": ["no", "yes"], "error": [0.2, 0.1]})
    found = by_key("lengths", with_chosen(table, "family"), ["family"])
    assert found["lengths.chosen.error"] == found["lengths.lognormal.error"] == 0.1
    assert found["lengths.gamma.error"] == 0.2


def test_our_own_estimates_do_not_count_among_those_of_others():
    groups = [
        "This project, production lengths",
        "Published analysis",
        "Server, modelled",
        "Server, modelled",
    ]
    compared = pd.DataFrame({"group": groups, "at_least_4_times": ["no", "no", "yes", "no"]})
    assert estimates(compared) == {"estimates.count": 2, "estimates.at_least_4_times": 1}


def test_deployments_are_numbered_in_the_order_of_the_settings():
    deployments = from_params("energy").deployments
    found = dict(assumed("assumed.re.deployments", deployments))
    second = deployments.models[1].concurrency.distribution
    assert found["assumed.re.deployments.models.2.concurrency.p95"] == second.p95
    assert deployments.models[1].model == "Llama 3.1 405B"  # as the text says of number 2
