"""The fit finds the coefficients that made the data, and its posterior is what linear algebra says."""

import numpy as np
import pandas as pd
import pytest

from pipeline.serving.model.effects import PLAIN, STEP, Effect, Form
from pipeline.serving.model.fitting import (
    COEFFICIENT,
    Design,
    Posterior,
    fit,
    normal,
    with_observations,
)
from pipeline.serving.model.model import ServingModel
from pipeline.serving.model.prepare import prepare
from pipeline.serving.model.settings import Serving

TRUTH = {"weights": 1.2, "matmul": 2.4, "kv": 1.5, "kernels": 2.5, "token": 3.0, "prefill": 2.2}


def test_known_coefficients_are_found(model: ServingModel, training: pd.DataFrame, settings: Serving) -> None:
    p = prepare(training[training["in_step"]], model.tables, settings)
    truth = np.array([TRUTH.get(term, 1.0) for term in PLAIN.terms])
    noise = 0.02 * np.random.default_rng(5).standard_normal(len(p.rows))
    log_step = np.log(p.x @ truth) + noise
    found = fit(PLAIN, p.rows, p.x, log_step, np.full(len(p.rows), 0.02), settings)
    design = Design.of(PLAIN, found.table, p.rows)
    predicted = np.log(design.parts(p.x, found.mode).sum(axis=1))
    assert np.sqrt(np.mean((predicted - np.log(p.x @ truth)) ** 2)) < 0.01  # half the noise
    share = p.x * truth / (p.x @ truth)[:, None]
    for k, term in enumerate(PLAIN.terms):
        if (share[:, k] > 0.3).sum() > 50:
            assert np.exp(found.mode[k]) == pytest.approx(truth[k], rel=0.05), term


def test_a_wild_row_does_not_move_the_fit(
    model: ServingModel, training: pd.DataFrame, settings: Serving
) -> None:
    p = prepare(training[training["in_step"]].iloc[::3], model.tables, settings)
    expected = np.log(p.x.sum(axis=1))
    wild = expected.copy()
    wild[::50] += 2
    found = fit(PLAIN, p.rows, p.x, wild, np.full(len(p.rows), 0.05), settings)
    predicted = np.log(Design.of(PLAIN, found.table, p.rows).parts(p.x, found.mode).sum(axis=1))
    assert np.median(np.abs(predicted - expected)) < 0.01


def normal_prior(_: object, name: str) -> tuple[float, float]:
    return (0.0, 0.7) if name == "x" else (0.0, 0.4)


# One term and effects on it: linear, so that the posterior is known exactly.
LINEAR = Form(
    "linear", ("x",), (Effect("laboratory", "laboratory"), Effect("configuration", "c")), normal_prior
)


@pytest.fixture(scope="module")
def linear(settings: Serving) -> tuple[Posterior, pd.DataFrame, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    rows = pd.DataFrame({"laboratory": list("aabbab"), "c": list("uvuvww")})
    log_y = rng.normal(size=6) * 0.01
    scale = np.full(6, 100.0)
    found = fit(LINEAR, rows, np.ones((6, 1)), log_y, scale, settings)
    return found, rows, log_y, scale


def test_the_posterior_is_that_of_a_linear_model(
    linear: tuple[Posterior, pd.DataFrame, np.ndarray, np.ndarray],
) -> None:
    found, rows, _, scale = linear
    design = np.column_stack(
        [np.ones(6), *(rows["laboratory"] == one for one in "ab"), *(rows["c"] == one for one in "uvw")]
    ).astype(float)
    precision = design.T @ design * (5 / 7) / scale[0] ** 2  # a residual of t_4 tells 5/7 of a normal one
    prior = np.diag(1 / np.array([0.7, *[0.4] * 5]) ** 2)
    np.testing.assert_allclose(found.covariance(), np.linalg.inv(precision + prior), rtol=1e-6, atol=1e-9)


def test_observations_update_as_the_joint_normal_does(
    linear: tuple[Posterior, pd.DataFrame, np.ndarray, np.ndarray],
) -> None:
    found, *_ = linear
    extra = pd.DataFrame(
        [("laboratory", "own", 0.0, 0.4)], columns=["effect", "level", "prior_ln", "prior_sd"]
    )
    jacobian = np.array([[1.0, 0, 0, 1, 0, 0, 1], [1.0, 0, 0, 0, 0, 1, 1]])
    residual, variance = np.array([0.5, 0.3]), np.array([0.04, 0.09])
    after = with_observations(found, jacobian, residual, variance, extra)
    prior = np.zeros((7, 7))
    prior[:6, :6] = found.covariance()
    prior[6, 6] = 0.16
    gain = prior @ jacobian.T @ np.linalg.inv(jacobian @ prior @ jacobian.T + np.diag(variance))
    mean = np.r_[found.mode, 0.0] + gain @ residual
    covariance = prior - gain @ jacobian @ prior
    names = [*found.table["level"], "own"]
    order = [names.index(level) for level in after.table["level"]]
    np.testing.assert_allclose(after.mode, mean[order], atol=1e-9)
    np.testing.assert_allclose(after.covariance(), covariance[np.ix_(order, order)], atol=1e-7)


def test_draws_have_the_covariance_of_the_fit(model: ServingModel) -> None:
    drawn = model.step.drawn(1, 8192)
    shared = model.step.shared
    np.testing.assert_allclose(drawn.mean(axis=1), model.step.mode[:shared], atol=0.02)
    sd = np.sqrt((model.step.root**2).sum(axis=1))
    np.testing.assert_allclose(drawn.std(axis=1), sd, rtol=0.05)


def test_a_name_has_the_same_draws_in_every_call(model: ServingModel) -> None:
    np.testing.assert_array_equal(normal(1, "chip H100", 64), normal.__wrapped__(1, "chip H100", 64))
    assert abs(np.corrcoef(normal(1, "chip H100", 4096), normal(1, "chip B200", 4096))[0, 1]) < 0.06
    kept = np.array([3, 5])
    np.testing.assert_array_equal(model.step.drawn(1, 64, kept), model.step.drawn(1, 64)[:, kept])


def test_the_data_narrow_the_priors(model: ServingModel) -> None:
    shared = model.step.shared
    sd = np.sqrt((model.step.root**2).sum(axis=1))
    assert (sd <= model.step.table["prior_sd"].to_numpy()[:shared] * 1.001).all()


def test_chips_are_not_faster_than_rated(model: ServingModel) -> None:
    table = model.step.table
    coefficient = table[table["effect"] == COEFFICIENT].set_index("level")["ln"]
    for term in ("weights", "kv", "attention", "matmul", "prefill", "prefill_attention"):
        assert coefficient[term] > -0.005, term  # fitted, so not to the last digit
    assert list(coefficient.index) == list(STEP.terms)


def test_software_of_a_later_year_does_not_take_longer(model: ServingModel) -> None:
    trend = model.step.positions("trend of requests")
    assert model.step.mode[trend.to_numpy()].item() < 0
