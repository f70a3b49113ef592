"""Uniforms by name: evenly spread, independent of each other, moved by no other name."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import qmc

from pipeline.core.assumption import Constant, Uniform
from pipeline.core.draws import EDGE, Design, _directions, column, uniforms

SHAPE = {"replicates": 16, "draws": 256}


def test_each_replicate_has_one_point_in_every_cell():
    found = uniforms(7, "pue", **SHAPE)
    assert found.shape == (16, 256)
    cells = np.sort(np.floor(found * 256), axis=1)
    assert (cells == np.arange(256)).all()
    assert (found > 0).all() and (found < 1).all()


def test_a_name_and_the_seed_alone_decide():
    assert (uniforms(7, "pue", **SHAPE) == uniforms(7, "pue", **SHAPE)).all()
    assert (uniforms(7, "pue", **SHAPE) != uniforms(8, "pue", **SHAPE)).any()
    assert (uniforms(7, "pue", **SHAPE) != uniforms(7, "wue", **SHAPE)).any()


@pytest.mark.parametrize("other", ["wue", "idle_share", "pue ", "engine"])
def test_two_names_are_not_correlated(other):
    first, second = (uniforms(7, name, **SHAPE).ravel() for name in ("pue", other))
    assert abs(np.corrcoef(first, second)[0, 1]) < 4 / np.sqrt(first.size)


def test_the_mean_is_better_than_that_of_random_points():
    means = uniforms(7, "pue", **SHAPE).mean(axis=1)
    plain = 1 / np.sqrt(12 * 256)
    assert means.std() < plain / 20


def test_a_quick_column_is_even_and_the_first_of_more():
    more = column(7, "configuration", 256)
    for draws in (32, 64, 256):
        found = column(7, "configuration", draws)
        assert (found == more[:draws]).all() and found.min() > EDGE
        assert (np.sort(np.floor(found * draws)) == np.arange(draws)).all()


TOGETHER = tuple("abcdefgh")
DESIGN = Design(seed=7, replicates=16, outer=256, inner=64, together=TOGETHER)


def test_fewer_draws_are_the_first_of_more():
    more, fewer = (uniforms(7, "pue", 16, draws) for draws in (256, 64))
    assert (more[:, :64] == fewer).all()
    small = replace(DESIGN, outer=64, inner=32)
    for name in ("a", "pue"):
        assert (DESIGN.uniforms(name).reshape(16, 256)[:, :64] == small.uniforms(name).reshape(16, 64)).all()
    queries = DESIGN.within("input").reshape(16, 256, 64)[:, :64, :32]
    assert (queries == small.within("input").reshape(16, 64, 32)).all()


def test_a_quantity_that_is_added_moves_no_other():
    more = replace(DESIGN, together=(*TOGETHER, "new"))
    for name in (*TOGETHER, "pue"):
        assert (more.uniforms(name) == DESIGN.uniforms(name)).all()


@pytest.mark.parametrize("name", ["a", "h", "pue"])
def test_each_replicate_of_a_design_is_even_and_another(name):
    each = DESIGN.uniforms(name).reshape(16, 256)
    assert (np.sort(np.floor(each * 256), axis=1) == np.arange(256)).all()
    assert len(np.unique(each[:, 0])) == 16


def test_quantities_that_go_together_are_even_in_pairs():
    first, second = (DESIGN.uniforms(name).reshape(16, 256) for name in ("a", "b"))
    for pair in zip(first, second, strict=True):
        assert (np.histogram2d(*pair, bins=16, range=[(0, 1), (0, 1)])[0] == 1).all()


def test_no_two_quantities_are_correlated():
    columns = np.array([DESIGN.uniforms(name) for name in (*TOGETHER, "pue", "site", "lever")])
    among = np.corrcoef(columns)[np.triu_indices(len(columns), 1)]
    assert np.abs(among).max() < 4 / np.sqrt(len(DESIGN))


def test_quantities_that_go_together_have_a_smaller_error():
    """Of the mean of a product of eight, which columns that are paired at random leave to chance."""

    def error(names):
        values = np.exp(sum(DESIGN.uniforms(name) for name in names)).reshape(16, 256)
        return values.mean(axis=1).std()

    assert error(TOGETHER) < error([f"{name} apart" for name in TOGETHER]) / 1.5


def test_the_queries_of_every_sample_are_even_and_its_own():
    found = DESIGN.within("input")
    assert found.shape == (16 * 256, 64)
    assert (np.sort(np.floor(found * 64), axis=1) == np.arange(64)).all()
    assert len(np.unique(found[:, 0])) == len(found)
    other = DESIGN.within("output")
    assert abs(np.corrcoef(found.ravel(), other.ravel())[0, 1]) < 4 / np.sqrt(found.size)


def test_values_are_those_of_the_distribution():
    assert (DESIGN.draw("pue", Constant(family="constant", value=2.0)) == 2.0).all()
    found = DESIGN.draw("pue", Uniform(family="uniform", low=1, high=3))
    assert found == pytest.approx(1 + 2 * DESIGN.uniforms("pue"))


@pytest.mark.parametrize("dimension", [0, 1, 2, 7, 23, 60])
def test_directions_are_those_of_scipy(dimension):
    points = qmc.Sobol(dimension + 1, scramble=False, bits=30).random(2**10)[:, dimension]
    # SciPy has points in the order of Gray codes: point 2**(j + 1) - 1 is direction j alone.
    expected = points[2 ** np.arange(1, 11) - 1] * 2.0**30
    assert _directions(dimension, 10).tolist() == expected.tolist()
