import numpy as np
import pytest

from pipeline.core.settings import from_params
from pipeline.energy.model import samples as module
from pipeline.energy.model.estimate import estimate
from pipeline.energy.model.samples import SHARED, STEP, TASK, Moments, agent_queries, design_of
from pipeline.energy.model.study import agent_cases, draw_samples, serving
from pipeline.fleet.model.draws import AGENTIC, pue_of_kinds
from pipeline.lengths.model.scenario import LEVELS
from pipeline.servers.model.power import SERVER
from pipeline.serving.model.deployments import context_window
from pipeline.water.model.sites import site_uniforms
from pipeline.what_if.model.answer import drawn_gains
from pipeline.what_if.model.settings import LEVERS
from tests.energy.study_parts import SETTINGS, SIMULATION, SMALL, case_of, constant, small
from tests.fleet.parts import DRAWS, FLEET

PER_SAMPLE = ("concurrency_uniforms", "engine_uniforms", "utilisation", "idle_share", "pue")
SAMPLES_DRAWN = draw_samples(SETTINGS, SIMULATION, SETTINGS.propagation)


def test_a_quantity_that_is_added_moves_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    before = estimate(small(), 1e9, 0.1)[1]
    monkeypatch.setattr(module, "SHARED", (*SHARED, "a new one"))
    study = small()
    assert len(np.unique(study.samples.design.uniforms("a new one"))) == len(study.samples)
    assert estimate(study, 1e9, 0.1)[1].equals(before)


def test_fleets_share_the_samples_that_both_take() -> None:
    fleet = draw_samples(SETTINGS, SIMULATION, FLEET.propagation)
    fewer, more = FLEET.propagation.outer, SETTINGS.propagation.outer
    for name in PER_SAMPLE:
        own, ours = getattr(fleet, name).reshape(-1, fewer), getattr(SAMPLES_DRAWN, name).reshape(-1, more)
        np.testing.assert_array_equal(own, ours[: len(own), :fewer])


def test_quantities_that_are_used_together_are_independent() -> None:
    design, base = SAMPLES_DRAWN.design, from_params("published.base")
    levers = {name: getattr(base, f"lever_{name}") for name in LEVERS}
    columns = [design.uniforms(name) for name in (*LEVELS, *SERVER, *SHARED, "fleet gain")]
    columns += [*site_uniforms(design), *pue_of_kinds(FLEET.sites, design).values()]
    columns += [one for one in drawn_gains(levers, design).values() if one.std() > 0]
    among = np.corrcoef(columns)[np.triu_indices(len(columns), 1)]
    assert np.abs(among).max() < 4 / np.sqrt(len(design))


def test_calls_of_agents_are_independent_of_what_is_shared() -> None:
    agents = DRAWS.calls["production", AGENTIC].moments
    own = [DRAWS.calls_per_task, agents.input_tokens, agents.output_tokens]
    shared = [getattr(DRAWS.samples, name) for name in PER_SAMPLE]
    among = np.corrcoef([*own, *shared])[: len(own), len(own) :]
    assert np.abs(among).max() < 4 / np.sqrt(len(DRAWS.samples))


def test_the_queries_of_all_analyses_are_the_same() -> None:
    design = design_of(SIMULATION.seed, FLEET.propagation)
    more = design_of(SIMULATION.seed, SETTINGS.propagation).within("query input")
    fewer = design.within("query input").reshape(design.replicates, design.outer, -1)
    more = more.reshape(SETTINGS.propagation.replicates, -1, more.shape[1])
    np.testing.assert_array_equal(fewer, more[: len(fewer), : design.outer, : design.inner])


AGENTS = SETTINGS.lengths.agents
SAMPLES_AGENTS = draw_samples(SETTINGS, SIMULATION, SMALL)


def with_agents(**values: float):
    """The lengths of agents, some of them known."""
    return AGENTS.model_copy(
        update={name: constant(getattr(AGENTS, name), value) for name, value in values.items()}
    )


def test_steps_have_the_mean_of_their_service_and_stay_in_the_window() -> None:
    known = with_agents(input_tokens=20000, output_tokens=500, cached_share=0.9, steps=12)
    step, task = (agent_queries(known, SAMPLES_AGENTS)[name] for name in (STEP, TASK))
    assert step.input_tokens.mean() == pytest.approx(20000, rel=0.02)
    assert step.output_tokens.mean() == pytest.approx(500, rel=0.05)
    assert (step.cached_share == 0.9).all()
    assert np.broadcast_to(task.calls, task.input_tokens.shape).mean() == pytest.approx(12, rel=0.1)
    long = with_agents(input_tokens=400000)
    assert agent_queries(long, SAMPLES_AGENTS)[STEP].input_tokens.max() <= AGENTS.window.distribution.median()


def test_a_task_takes_its_steps() -> None:
    study = small()
    step, task = (case_of(study, "production", name) for name in (STEP, TASK))
    item = study.able(step)[0]
    one, all_steps = (
        study.served(item, case).mean_energy_wh("facility", case.moments) for case in (step, task)
    )
    np.testing.assert_allclose(all_steps / one, task.moments.calls, rtol=1e-9)
    assert (task.moments.calls >= 1).all()


def test_models_that_do_not_hold_the_contexts_answer_no_agent() -> None:
    step, _ = agent_cases(SETTINGS, SAMPLES_AGENTS)
    window = AGENTS.window.distribution.median()
    able = serving(SETTINGS.deployments.models, step, window)
    assert {item.model for item in able} == {
        item.model for item in SETTINGS.deployments.models if context_window(item.model) >= window
    }
    assert 0 < len(able) < len(SETTINGS.deployments.models)


def test_every_class_has_a_row_for_steps_and_tasks() -> None:
    _, split = estimate(small(), 1e9, 0.1)
    at = split[(split["boundary"] == "facility") & split["regime"].isin([STEP, TASK])]
    for name in SETTINGS.deployments.services:
        rows = at[at["subject"] == name].set_index("regime")["median_p50_wh"]
        assert rows[TASK] > 2 * rows[STEP] > 0


def test_moments_by_hand() -> None:
    """Answers of 100 and 300 tokens: mean 200, cv 0.5; a running one is met in proportion to its length."""
    found = Moments.of(np.array([[1000.0, 1000.0]]), np.array([[100.0, 300.0]]), np.array([0.25]))
    assert found.output_cv == pytest.approx([0.5])
    assert found.context_tokens == pytest.approx([1000 + (100 * 50 + 300 * 150) / 400])
