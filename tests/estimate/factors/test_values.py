import numpy as np
import pytest

from pipeline.contracts.factors import VALUES
from pipeline.errors import InputError
from pipeline.estimate.cost_curves import Terms
from pipeline.estimate.factors.values import energies, mean_of, one_of
from pipeline.estimate.query_energy import Served
from pipeline.estimate.worlds import Moments
from tests.estimate.factors.parts import rows


def test_tokens_make_up_the_query_exactly():
    a, b, k, watts = (np.array([value]) for value in (1e-4, 2e-3, 3e-7, 3600.0))
    rng = np.random.default_rng(3)
    input_tokens, output_tokens = rng.integers(1, 4000, (2, 1, 50)).astype(float)
    moments = Moments.of(input_tokens, output_tokens)
    per = energies(Served(Terms(a, b, k, watts), {"gpu": watts}), moments)["gpu"]
    whole = (
        moments.input_tokens * per["1000 input tokens"] + moments.output_tokens * per["1000 output tokens"]
    )
    seconds = Terms(a, b, k, watts).seconds(input_tokens, output_tokens)
    assert per["query"] == pytest.approx(whole / 1000, rel=1e-12)
    assert per["query"] == pytest.approx(seconds.mean(axis=1), rel=1e-12)  # 3600 W: a second is a Wh


def test_services_together_take_the_mean_or_one_of_them():
    first, second = ({"gpu": {"query": np.array(wh)}} for wh in ([1.0, 2.0], [3.0, 8.0]))
    assert mean_of([first, second])["gpu"]["query"].tolist() == [2.0, 5.0]
    assert one_of([first, second], np.array([1, 0]))["gpu"]["query"].tolist() == [3.0, 2.0]


@pytest.mark.parametrize("load", ["as in production", "as stated"])
def test_water_is_that_of_the_site(found, load):
    at = found[(found["per"] == "query") & (found["load"] == load)].set_index("site")
    assert at.loc["dry", ["p5_onsite_ml", "p95_onsite_ml"]].eq(0).all(axis=None)
    assert at.loc["any site", "p50_total_ml"].isna().all()
    assert at.loc["wet", "p50_onsite_ml"].gt(0).all()
    # PUE 1.5 against 1.1, all else the same
    assert at.loc["dry", "p50_wh"].to_numpy() / at.loc["wet", "p50_wh"].to_numpy() == pytest.approx(1.5 / 1.1)


def test_an_unknown_site_is_refused():
    with pytest.raises(InputError, match=r"factors\.sites: 'moon', expected some of dry, wet"):
        rows(sites=("moon",))


def test_the_committed_table_has_water_at_every_site_and_a_title(committed):
    at_site = (committed["boundary"] == "facility") & (committed["site"] != "any site")
    for unit in VALUES:
        assert committed.loc[at_site, f"p50_{unit}"].notna().all()
    assert (committed["site_title"] != committed["site"]).all()
