"""Sets of points are even each by itself, and independent of the sets that they are used with."""

from itertools import combinations

import numpy as np
import pytest

from pipeline.assumptions import load
from pipeline.assumptions.published import AsPublished
from pipeline.estimate import published_sobol
from pipeline.estimate.factors import table as factors
from pipeline.estimate.fleet import router_energy
from pipeline.estimate.fleet.draws import AGENTIC, draw_fleet, own_uniforms
from pipeline.estimate.levers.bench import lever_uniforms
from pipeline.estimate.levers.inputs import UNIFORMS
from pipeline.estimate.published_sobol import Draws
from pipeline.estimate.sobol import points, stage_seed
from pipeline.estimate.water.draws import TERMS
from pipeline.estimate.water.tables import own_seeds, query_uniforms, world_uniforms
from pipeline.estimate.what_if.answer import lever_uniforms as what_if_uniforms
from pipeline.estimate.worlds import SCALARS, Worlds, draw_worlds, seeds
from tests.estimate.serving_stub import stub
from tests.estimate.study_parts import SERVERS, SETTINGS, SIMULATION, TRAFFIC

Array = np.ndarray
SOME = SIMULATION.model_copy(update={"draws_per_replicate": 1024})


def columns(worlds: Worlds) -> Array:
    """All that differs between worlds, (terms, worlds)."""
    uniforms = [*worlds.length_uniforms.T, *worlds.node_uniforms.T]
    uniforms += [worlds.concurrency_uniforms, worlds.engine_uniforms]
    return np.array(uniforms + [getattr(worlds, name) for name in SCALARS])


def re_estimate() -> dict[str, Array]:
    propagation = SETTINGS.propagation
    worlds = draw_worlds(seeds(SIMULATION)[0], propagation, SETTINGS.load, SETTINGS.pue)
    return {
        "worlds": columns(worlds),
        "sites": world_uniforms(SIMULATION, propagation),
        "levers of the what-if": what_if_uniforms(SIMULATION, propagation),
    }


def fleet() -> dict[str, Array]:
    draws = draw_fleet(load("scenario.fleet"), SETTINGS, TRAFFIC, SERVERS, SIMULATION, stub())
    agents = draws.calls["production", AGENTIC].moments
    _, places = stage_seed(SIMULATION, router_energy.STAGE).spawn(2)
    levers = lever_uniforms(draws, SIMULATION, UNIFORMS)
    return {
        "worlds": columns(draws.worlds),
        "agents": np.array([draws.calls_per_task, agents.input_tokens, agents.output_tokens]),
        "site and gain": np.array([draws.site_uniforms, draws.gain_uniforms]),
        "water": draws.water_uniforms,
        "sizes of routed models": own_uniforms(places, draws.propagation, 12),
        "levers": np.array([*levers.values()]),
    }


def factor_table() -> dict[str, Array]:
    propagation = load("factors").propagation
    first, _, _, own, *_ = stage_seed(SIMULATION, factors.STAGE).spawn(6)
    return {
        "worlds": columns(draw_worlds(first, propagation, SETTINGS.load, SETTINGS.pue)),
        "batch and site": own_uniforms(own, propagation, 1 + TERMS),
    }


def as_published(model: int) -> dict[str, Array]:
    published: AsPublished = load("assumptions.as_published")
    seed = stage_seed(SOME, published_sobol.STAGE).spawn(len(published.models))[model]
    energy = points(seed, SOME, len(published_sobol.DIMENSIONS))
    np.testing.assert_array_equal(  # the points that the analysis draws
        Draws(published, SOME)._points[published.models[model].name], energy
    )
    sites = query_uniforms(own_seeds(SOME)[1], SOME, SOME.draws_per_replicate)
    return {"energy": energy.reshape(len(energy), -1), "sites": sites.reshape(TERMS, -1)}


GROUPS = {
    "re-estimate": re_estimate,
    "fleet": fleet,
    "factors": factor_table,
    "published, first model": lambda: as_published(0),
    "published, last model": lambda: as_published(-1),
}


@pytest.mark.parametrize("group", GROUPS)
def test_streams_that_are_used_together_are_independent(group: str) -> None:
    streams = GROUPS[group]()
    for one, other in combinations(streams, 2):
        pair = (streams[one], streams[other])
        among = np.corrcoef(*pair)[: len(pair[0]), len(pair[0]) :]
        assert np.abs(among).max() < 4 / np.sqrt(pair[0].shape[1]), f"{one} and {other}: {among.round(2)}"


def test_a_set_stays_even_in_every_dimension_and_pair_of_dimensions() -> None:
    uniforms = points(np.random.SeedSequence(5), SOME, 5)
    assert uniforms.shape == (5, SOME.replicates, 1024)
    assert uniforms.min() > 0 and uniforms.max() < 1
    for replicate in np.moveaxis(uniforms, 1, 0):
        for row in replicate:
            assert (np.histogram(row, 1024, (0, 1))[0] == 1).all()
    squares = np.histogram2d(*uniforms[:2, 0], bins=32, range=[(0, 1), (0, 1)])[0]
    assert (squares == 1).all()


def test_replicates_differ_and_the_same_seed_gives_the_same_points() -> None:
    first, again = (points(np.random.SeedSequence(7), SOME, 2) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first[:, 0], first[:, 1])
