import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.errors import InputError
from pipeline.energy.model.load import deepseek_nodes, from_rates, part_load

share = st.floats(min_value=0.01, max_value=1)


@given(u=share, q=st.floats(min_value=0, max_value=1))
def test_the_same_demand_is_served_however_the_shortfall_shows(u: float, q: float) -> None:
    state = part_load(np.array(u), np.array(q))
    active = 1 / (1 + state.idle_per_active)
    assert active * state.concurrency_share == pytest.approx(u)
    assert 0 < state.concurrency_share <= 1 + 1e-12
    assert state.idle_per_active >= 0


def test_the_two_limits() -> None:
    smaller, idle = (part_load(np.array(0.4), np.array(q)) for q in (0.0, 1.0))
    assert (smaller.concurrency_share, smaller.idle_per_active) == (0.4, 0)
    assert idle.concurrency_share == pytest.approx(1)
    assert idle.watts_per_serving_node(np.array(8000.0), np.array(2000.0)) == pytest.approx(8000 + 1.5 * 2000)


@pytest.mark.parametrize(("u", "q", "name"), [(1.2, 0, "utilisation"), (0.5, -0.1, "idle_share")])
def test_values_outside_their_range_are_refused(u: float, q: float, name: str) -> None:
    with pytest.raises(InputError, match=name):
        part_load(np.array(u), np.array(q))


def test_mean_over_peak_of_a_made_up_day() -> None:
    rates = pd.DataFrame(
        {
            "service": "servegen/made-up",
            "start_s": [0.0, 600.0, 1200.0, 1800.0],
            "window_s": 600.0,
            "requests": [10.0, 20.0, 30.0, 40.0],
            "input_tokens": np.nan,
            "output_tokens": np.nan,
        }
    )
    table = from_rates(rates, pd.DataFrame({"source": ["servegen"], "citation": ["someone2025"]}))
    assert table["source"].tolist() == ["someone2025"]
    assert table["quantity"].tolist() == ["requests"]
    assert table["mean_over_peak"].tolist() == pytest.approx([25 / 40])


def test_deepseeks_mean_rates_account_for_its_mean_nodes() -> None:
    """14.8k and 73.7k are means over the nodes of each kind: 0.58 is a share of nodes, not a load."""
    facts = pd.read_csv("data/published/token_lengths.csv")
    table = deepseek_nodes(facts).set_index("quantity")
    values = facts.set_index("key")["value"]
    needed = (values["dsv3_out"] / values["dsv3_dec"] + values["dsv3_in"] / values["dsv3_pre"]) / 86400
    assert needed == pytest.approx(values["dsv3_nodes"], rel=0.002)
    assert table.loc["decode nodes over all nodes", "mean_over_peak"] == pytest.approx(0.58, abs=0.005)
    assert table.loc["nodes in use", "mean_over_peak"] == pytest.approx(226.75 / 278)
