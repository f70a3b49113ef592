import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.estimate.load import part_load

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
