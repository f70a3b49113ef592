"""The fit finds the coefficients that made the data."""

import numpy as np
import pandas as pd
import pytest

from pipeline.fit.serving.effects import BASE, Design, make_design
from pipeline.fit.serving.model import ServingModel
from pipeline.fit.serving.prepare import TENSORRT, VLLM, prepare
from pipeline.fit.serving.steps import coefficients, fit_steps, step_seconds
from pipeline.fit.serving.terms import INDEX, TERMS

TRUTH = {"weights": 1.2, "matmul": 2.4, "kv": 1.5, "kernels": 2.5, "token": 3.0, "prefill": 2.2}


@pytest.fixture(scope="module")
def simulated(model: ServingModel, training: pd.DataFrame) -> dict:
    """Step times of the measured configurations under known coefficients and 2 % noise."""
    p = prepare(training[training["source"] != "tensorrt_llm"], model.tables)
    design = make_design(p.rows)
    z = design.matrix(p.rows)
    truth = design.mean.copy()
    base = design.parameters["effect"] == BASE
    for term, value in TRUTH.items():
        truth[(base & (design.parameters["term"] == term)).to_numpy()] = np.log(value)
    noise = 0.02 * np.random.default_rng(5).standard_normal(len(p.rows))
    log_step = np.log(step_seconds(z, truth, p.x)) + noise
    return {"p": p, "design": design, "z": z, "truth": truth, "log_step": log_step}


def test_known_coefficients_are_found(simulated: dict) -> None:
    p, z = simulated["p"], simulated["z"]
    fit = fit_steps(simulated["design"], z, p.x, simulated["log_step"], np.full(len(p.rows), 0.02))
    predicted = np.log(step_seconds(z, fit.theta, p.x))
    expected = np.log(step_seconds(z, simulated["truth"], p.x))
    assert np.sqrt(np.mean((predicted - expected) ** 2)) < 0.01  # half the noise
    share = coefficients(z, simulated["truth"]) * p.x
    share /= share.sum(axis=1, keepdims=True)
    error = np.log(coefficients(z, fit.theta) / coefficients(z, simulated["truth"]))
    found = {}
    for k, term in enumerate(TERMS):
        matters = share[:, k] > 0.2
        if matters.sum() > 20:
            found[term] = np.abs(np.median(error[matters, k]))
    assert {"weights", "prefill"} <= set(found)
    assert max(found["weights"], found["kv"]) < 0.02
    assert max(found.values()) < 0.25, found  # prompts and tokens share what their FLOPs cost


def test_a_wild_row_does_not_move_the_fit(simulated: dict) -> None:
    p, z, scale = simulated["p"], simulated["z"], np.full(len(simulated["p"].rows), 0.02)
    wild = simulated["log_step"].copy()
    wild[::100] += 2
    fit = fit_steps(simulated["design"], z, p.x, wild, scale)
    expected = step_seconds(z, simulated["truth"], p.x)
    error = np.abs(np.log(step_seconds(z, fit.theta, p.x) / expected))
    assert np.median(error) < 0.01


def test_a_warm_start_ends_where_a_cold_one_does(simulated: dict) -> None:
    p, z, scale = simulated["p"], simulated["z"], np.full(len(simulated["p"].rows), 0.1)
    cold = fit_steps(simulated["design"], z, p.x, simulated["log_step"], scale)
    warm = fit_steps(simulated["design"], z, p.x, simulated["log_step"], scale, cold.theta, 8)
    assert warm.iterations <= 2
    np.testing.assert_allclose(step_seconds(z, warm.theta, p.x), step_seconds(z, cold.theta, p.x), rtol=2e-3)


def test_draws_have_the_covariance_of_the_fit(model: ServingModel) -> None:
    fit = model.steps
    draws = fit.draws(np.random.default_rng(1), 20_000)
    shared = fit.design.shared
    np.testing.assert_allclose(draws[shared].mean(axis=1), fit.theta[shared], atol=0.05)
    sd = np.sqrt((fit.root**2).sum(axis=1))
    np.testing.assert_allclose(draws[shared].std(axis=1), sd, rtol=0.05)
    assert (draws[~shared] == fit.theta[~shared, None]).all()


def test_the_data_narrow_the_priors(model: ServingModel) -> None:
    sd = np.sqrt((model.steps.root**2).sum(axis=1))
    assert (sd <= model.steps.design.sd[model.steps.design.shared] * 1.001).all()


def test_hardware_is_not_faster_than_rated(model: ServingModel, training: pd.DataFrame) -> None:
    p = prepare(training, model.tables)
    cost = coefficients(model.steps.design.matrix(p.rows), model.steps.theta)
    today = p.rows["stack"].isin([VLLM, TENSORRT]).to_numpy()
    for term in ("weights", "kv", "attention", "prefill", "prefill_attention"):
        rated = np.median(cost[today, INDEX[term]])
        assert rated > 1, term
        assert np.quantile(cost[today, INDEX[term]], 0.01) > 0.85, term


def test_a_fit_in_another_design_starts_where_the_names_match(model: ServingModel) -> None:
    fit = model.steps
    parameters = fit.design.parameters
    fewer = Design(parameters[parameters["level"] != "Gemma 3 27B"].reset_index(drop=True))
    kept = (parameters["level"] != "Gemma 3 27B").to_numpy()
    np.testing.assert_array_equal(fit.at(fewer), fit.theta[kept])
    new = pd.DataFrame([("model", "new one", "", 0.0, 0.03)], columns=parameters.columns)
    more = Design(pd.concat([new, parameters], ignore_index=True))
    np.testing.assert_array_equal(fit.at(more), [0.0, *fit.theta])
