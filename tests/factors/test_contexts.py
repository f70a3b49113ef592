"""Tokens by context: what is computed, what is cached and what is written, apart."""

from itertools import pairwise

import numpy as np
import pytest

from pipeline.energy.model.cost_curves import Terms
from pipeline.energy.model.query_energy import Served
from pipeline.energy.model.study import draw_samples
from pipeline.factors.model.contexts import alike, apart
from tests.factors.parts import FEW, PARAMS

SAMPLES = draw_samples(PARAMS["energy"], PARAMS["simulation"], FEW)
CASE = alike(SAMPLES, 4000.0, 500.0, 0.0, 0.9)


def served(a: float, watts: float) -> Served:
    """3600 W: a second is a Wh."""
    terms = (np.full(len(SAMPLES), value) for value in (a, 2e-3, 3e-7, 1e-6, watts))
    return Served(Terms(*terms), {"gpu": np.full(len(SAMPLES), watts)})


def test_input_cached_input_and_output_make_up_the_query() -> None:
    fresh, warm = served(1e-4, 3600.0), served(3e-4, 3600.0)
    computed, cached, written = (wh[0] for wh in apart(fresh, warm, CASE.moments, "gpu"))
    assert computed == pytest.approx(0.1)
    assert cached == pytest.approx(1000 * (1e-6 + 2e-4 * 0.1 / 0.9))
    assert written == pytest.approx(1000 * (2e-3 + 3e-7 * (4000 + 250)))
    query = warm.mean_energy_wh("gpu", CASE.moments)[0]
    assert (400 * computed + 3600 * cached + 500 * written) / 1000 == pytest.approx(query)


def test_a_cached_token_takes_no_less_than_it_takes_to_find() -> None:
    _, cached, _ = apart(served(3e-4, 3600.0), served(1e-4, 3600.0), CASE.moments, "gpu")
    assert cached == pytest.approx(1000 * 1e-6)


def test_bands_adjoin_and_their_middles_lie_within() -> None:
    bands = PARAMS["factors"].contexts
    assert all(band.low < band.middle < band.high for band in bands)
    assert all(above.low == below.high + 1 for below, above in pairwise(bands))
