"""The distributions an assumption can have, as typed settings that turn uniforms into values.

`P5-P95 (a, b)` of a log-normal means sigma = ln(b/a) / (2 * z95), mu = ln a + z95 * sigma. The published
analysis rounds z95 to 1.645 (Oviedo et al. 2026, released code); so do we, everywhere.

Values come from scipy.special: scipy.stats gives the same bits and takes every stage half a second to import.
"""

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator
from scipy import special

from pipeline.core.units import Z95

Array = NDArray[np.float64]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Finite = Annotated[float, Field(allow_inf_nan=False)]


class _Distribution(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    def ppf(self, uniforms: Array) -> Array:
        """Values at the given probabilities, any shape; a constant repeats its value."""
        raise NotImplementedError

    def median(self) -> float:
        """The value at probability one half."""
        return float(self.ppf(np.array(0.5)))


class Constant(_Distribution):
    """One value, known exactly."""

    family: Literal["constant"]
    value: Finite

    def ppf(self, uniforms: Array) -> Array:
        """The value, in the shape of the uniforms."""
        return np.full_like(uniforms, self.value, dtype=float)


class LogNormal(_Distribution):
    """Log-normal by its 5th and 95th percentiles; with `above`, the excess over that bound is log-normal.

    Parameters
    ----------
    p5, p95 : in the unit of the assumption; p5 below p95, both above `above`.
    above : least value, of PUE 1.

    Raises
    ------
    ValueError
        The three are not in that order.

    Examples
    --------
    >>> import numpy as np
    >>> pue = LogNormal(family="lognormal", p5=1.06, p95=1.36, above=1)
    >>> np.round(pue.ppf(np.array([0.05, 0.5, 0.95])), 3).tolist()
    [1.06, 1.147, 1.36]
    """

    family: Literal["lognormal"]
    p5: Positive
    p95: Positive
    above: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0

    @model_validator(mode="after")
    def _ordered(self) -> "LogNormal":
        if self.p5 >= self.p95:
            raise ValueError(f"p5 ({self.p5}) must be below p95 ({self.p95})")
        if self.above >= self.p5:
            raise ValueError(f"above ({self.above}) must be below p5 ({self.p5})")
        return self

    @property
    def sigma(self) -> float:
        """Standard deviation of the logarithm (of the excess over `above`)."""
        return float(np.log((self.p95 - self.above) / (self.p5 - self.above)) / (2 * Z95))

    @property
    def mu(self) -> float:
        """Mean of the logarithm (of the excess over `above`)."""
        return float(np.log(self.p5 - self.above) + Z95 * self.sigma)

    def ppf(self, uniforms: Array) -> Array:
        """Of any shape."""
        value = np.asarray(special.ndtri(uniforms))
        value *= self.sigma  # in place: of a million draws each further array costs as much as its arithmetic
        value += self.mu
        np.exp(value, out=value)
        value += self.above
        return value


class Exponential(_Distribution):
    """Exponential by its median: scale = median / ln 2."""

    family: Literal["exponential"]
    median_value: Positive = Field(alias="median")

    @property
    def scale(self) -> float:
        """The mean."""
        return self.median_value / float(np.log(2))

    def ppf(self, uniforms: Array) -> Array:
        """Of any shape."""
        return np.asarray(-self.scale * np.log1p(-uniforms))


class Uniform(_Distribution):
    """Uniform between two bounds."""

    family: Literal["uniform"]
    low: Finite
    high: Finite

    @model_validator(mode="after")
    def _ordered(self) -> "Uniform":
        if self.low >= self.high:
            raise ValueError(f"low ({self.low}) must be below high ({self.high})")
        return self

    def ppf(self, uniforms: Array) -> Array:
        """Of any shape."""
        return np.asarray(uniforms * (self.high - self.low) + self.low)


class Beta(_Distribution):
    """Beta between 0 and 1; mean alpha / (alpha + beta)."""

    family: Literal["beta"]
    alpha: Positive
    beta: Positive

    def ppf(self, uniforms: Array) -> Array:
        """Of any shape."""
        return np.asarray(special.betaincinv(self.alpha, self.beta, uniforms))


Distribution = Annotated[Constant | LogNormal | Exponential | Uniform | Beta, Field(discriminator="family")]
