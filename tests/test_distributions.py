"""Distribution parameters from quantiles, and the quantiles back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from pipeline.distributions import Beta, Constant, Distribution, Exponential, LogNormal, Uniform

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
    assert utilisation.frozen().sf(1) == pytest.approx(0.019, abs=5e-4)


def test_lognormal_above_a_bound() -> None:
    shifted = LogNormal(family="lognormal", p5=1.05, p95=1.6, above=1.0)
    assert (shifted.ppf(SHARES) > 1).all()
    assert shifted.ppf(np.array([0.05, 0.95])) == pytest.approx([1.05, 1.6], rel=1e-3)


def test_exponential_by_its_median() -> None:
    length = Exponential(family="exponential", median=300)
    assert length.median() == pytest.approx(300)
    assert length.frozen().mean() == pytest.approx(length.scale) == pytest.approx(300 / np.log(2))


@pytest.mark.parametrize(
    "distribution",
    [
        LogNormal(family="lognormal", p5=1, p95=3),
        Exponential(family="exponential", median=5),
        Uniform(family="uniform", low=-1, high=2),
        Beta(family="beta", alpha=2, beta=5),
    ],
)
def test_ppf_inverts_the_cdf(distribution: Distribution) -> None:
    assert distribution.frozen().cdf(distribution.ppf(SHARES)) == pytest.approx(SHARES)  # type: ignore[union-attr]


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
