"""Distribution parameters from quantiles, and the quantiles back."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from scipy import stats

from pipeline.core.assumption import Beta, Constant, Distribution, Exponential, LogNormal, Uniform

ANY: TypeAdapter[Distribution] = TypeAdapter(Distribution)
SHARES = np.array([0.001, 0.05, 0.3, 0.5, 0.95, 0.999])
Z95 = 1.6448536269514722  # the recipe rounds it to 1.645


@given(st.floats(1e-6, 1e6), st.floats(1.01, 1e3))
def test_lognormal_percentiles(p5: float, ratio: float) -> None:
    distribution = LogNormal(family="lognormal", p5=p5, p95=p5 * ratio)
    assert distribution.sigma == pytest.approx(np.log(ratio) / 3.29)
    assert distribution.median() == pytest.approx(p5 * np.sqrt(ratio))
    ends = distribution.ppf(np.array([0.05, 0.95]))
    assert ends == pytest.approx([p5, p5 * ratio], rel=(1.645 - Z95) * distribution.sigma * 1.1)


def test_lognormal_of_the_published_utilisation() -> None:
    utilisation = LogNormal(family="lognormal", p5=0.4, p95=0.9)
    assert utilisation.median() == pytest.approx(0.6)
    above_one = stats.lognorm(s=utilisation.sigma, scale=np.exp(utilisation.mu)).sf(1)
    assert above_one == pytest.approx(0.019, abs=5e-4)


def test_lognormal_above_a_bound() -> None:
    shifted = LogNormal(family="lognormal", p5=1.05, p95=1.6, above=1.0)
    assert (shifted.ppf(SHARES) > 1).all()
    assert shifted.ppf(np.array([0.05, 0.95])) == pytest.approx([1.05, 1.6], rel=1e-3)


def test_exponential_by_its_median() -> None:
    length = Exponential(family="exponential", median=300)
    assert length.median() == pytest.approx(300)
    assert length.scale == pytest.approx(300 / np.log(2))


@pytest.mark.parametrize(
    ("distribution", "same"),
    [
        (LogNormal(family="lognormal", p5=1, p95=3), stats.lognorm(s=np.log(3) / 3.29, scale=np.sqrt(3))),
        (
            LogNormal(family="lognormal", p5=2, p95=4, above=1),
            stats.lognorm(s=np.log(3) / 3.29, loc=1, scale=np.sqrt(3)),
        ),
        (Exponential(family="exponential", median=5), stats.expon(scale=5 / np.log(2))),
        (Uniform(family="uniform", low=-1, high=2), stats.uniform(loc=-1, scale=3)),
        (Beta(family="beta", alpha=2, beta=5), stats.beta(2, 5)),
    ],
)
def test_values_are_those_of_scipy_stats(distribution: Distribution, same: Any) -> None:
    assert distribution.ppf(SHARES) == pytest.approx(same.ppf(SHARES), rel=1e-12)


def test_a_constant_has_one_value_in_every_shape() -> None:
    constant = Constant(family="constant", value=7)
    assert np.array_equal(constant.ppf(np.zeros((2, 3))), np.full((2, 3), 7.0))
    assert constant.median() == 7


@pytest.mark.parametrize(
    "wrong",
    [
        {"family": "lognormal", "p5": 2, "p95": 1},
        {"family": "lognormal", "p5": 1, "p95": 1},
        {"family": "lognormal", "p5": 0, "p95": 1},
        {"family": "lognormal", "p5": 1, "p95": 2, "above": 1},
        {"family": "lognormal", "p5": 1, "p95": float("inf")},
        {"family": "exponential", "median": -1},
        {"family": "uniform", "low": 1, "high": 1},
        {"family": "constant"},
        {"family": "constant", "value": 1, "unit": "kW"},
        {"family": "gauss", "mean": 1},
        {"value": 1},
    ],
)
def test_what_is_no_distribution_is_refused(wrong: dict) -> None:
    with pytest.raises(ValidationError):
        ANY.validate_python(wrong)
