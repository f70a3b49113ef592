"""What every assumption carries: a distribution, a unit, a source and a reason.

`P5-P95 (a, b)` of a log-normal means sigma = ln(b/a) / (2 * z95), mu = ln a + z95 * sigma. The published
analysis rounds z95 to 1.645 (Oviedo et al. 2026, released code); so do we, everywhere.

Values come from scipy.special: scipy.stats gives the same bits and takes every stage half a second to import.
"""

from collections.abc import Callable
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from scipy import special

from pipeline.core.units import Z95, Array

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
Text = Annotated[str, Field(min_length=1)]


def _listed(value: Any) -> Any:
    if value is None:
        return []
    return [part.strip() for part in value.split(";")] if isinstance(value, str) else value


# A list that stands on one line of params.yaml, `a; b; c`, which `dvc exp run -S` leaves as it is; or a list.
ONE_LINE = BeforeValidator(_listed)
Names = Annotated[list[Text], ONE_LINE]


class Section(BaseModel):
    """A part of params.yaml: unknown and missing keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


# What tells the family of a distribution that does not name its own.
FAMILIES = {
    "value": "constant",
    "p5": "lognormal",
    "p95": "lognormal",
    "median": "exponential",
    "low": "uniform",
    "high": "uniform",
    "alpha": "beta",
    "beta": "beta",
}
PARAMETERS = {"family", "above", *FAMILIES}


class Assumption(Section):
    """One quantity: how it is distributed, its unit, where it stands, and why it is taken.

    params.yaml has `distribution: {p5: 0.4, p95: 0.9, unit: ratio, source: key}` and a `reason`. The
    parameters tell the family (`FAMILIES`); unit and source may stand beside `distribution`, and its
    parameters too.
    """

    distribution: Distribution
    unit: Text
    source: Text  # a key of paper/references.bib
    reason: Text
    # Keys, or patterns of them, of the rows of data/published/service_*.csv that the distribution has to fit.
    evidence: Annotated[tuple[Text, ...], ONE_LINE] = ()  # a tuple: assumptions are keys of dictionaries

    @model_validator(mode="before")
    @classmethod
    def _in_full(cls, data: Any) -> Any:
        return in_full(data)


def in_full(data: Any) -> Any:
    """An assumption as it stands in params.yaml, with family, unit and source in their places."""
    if not isinstance(data, dict) or not isinstance(data.get("distribution", {}), dict):
        return data
    inside = data.get("distribution", {})
    given = inside | {key: item for key, item in data.items() if key in PARAMETERS}
    others = {key: item for key, item in data.items() if key not in PARAMETERS | {"distribution"}}
    others |= {key: given.pop(key) for key in ("unit", "source") if key in given}
    family = next((FAMILIES[key] for key in given if key in FAMILIES), None)
    if given and family:
        given = {"family": family} | given
    return others | ({"distribution": given} if given else {})


def variant(name: str, base: dict[str, Any], variants: dict[str, Any], *above: str) -> dict[str, Any]:
    """A variant over the one that it is `like`, which is over its own, or over the base; raises ValueError.

    Of an assumption a variant may state a part, such as `{p95: 1.4, reason: As printed.}`.
    """
    own = dict(variants[name])
    like = own.pop("like", "base")
    if like == "base":
        below = base
    elif like not in variants or like in (name, *above):
        raise ValueError(f"{name}.like: {like!r}, expected another of {[*variants]}")
    else:
        below = variant(like, base, variants, name, *above)
    return below | {key: _laid_over(below.get(key), item) for key, item in own.items()}


def _laid_over(base: Any, own: Any) -> Any:
    """What a variant states of its own over its base, which may be an assumption."""
    if not (isinstance(base, dict) and isinstance(own, dict) and {"distribution", *PARAMETERS} & set(base)):
        return own
    base, own = in_full(base), in_full(own)
    was, now = (item.get("distribution", {}) for item in (base, own))
    if isinstance(was, dict) and isinstance(now, dict) and now.get("family") == was.get("family"):
        own["distribution"] = was | now
    return base | own


# Far above anything that is assumed or could be: beyond it a unit was mistaken.
MOST = {
    "kW": 1_000.0,
    "W": 1e6,
    "fraction": 2.0,
    "ratio": 1_000.0,
    "tokens": 1e8,
    "requests": 1e6,
    "queries/day": 1e13,
    "GWh/day": 10_000.0,
    "L/kWh": 1_000.0,
    "g/kWh": 2_000.0,
    "steps/task": 1e5,
    "calls/task": 1e5,
}
LOWEST = {Constant: "value", Uniform: "low"}
HIGHEST = {Constant: "value", Uniform: "high", LogNormal: "p95", Exponential: "median_value"}


def expect(
    unit: str, minimum: float | None = None, maximum: float | None = None
) -> Callable[[Assumption], Assumption]:
    """A validator: the assumption is in `unit`, cannot fall below `minimum` and is not implausibly large."""
    most = MOST[unit] if maximum is None else maximum

    def check(assumption: Assumption) -> Assumption:
        if assumption.unit != unit:
            raise ValueError(f"unit {assumption.unit!r}, expected {unit!r}")
        distribution = assumption.distribution
        lowest, highest = LOWEST.get(type(distribution)), HIGHEST.get(type(distribution))
        if minimum is not None and lowest and getattr(distribution, lowest) < minimum:
            value = getattr(distribution, lowest)
            raise ValueError(f"{lowest} {value}, expected at least {minimum}")
        if highest and getattr(distribution, highest) > most:
            value = getattr(distribution, highest)
            raise ValueError(f"{highest.removesuffix('_value')} {value:g}, expected at most {most:g} {unit}")
        return assumption

    return check


class Correlation(Assumption):
    """A correlation; it may be negative."""

    unit: Literal["correlation"]


PowerKw = Annotated[Assumption, AfterValidator(expect("kW", minimum=0))]
Fraction = Annotated[Assumption, AfterValidator(expect("fraction", minimum=0))]
Ratio = Annotated[Assumption, AfterValidator(expect("ratio", minimum=0))]
Pue = Annotated[Assumption, AfterValidator(expect("ratio", minimum=1, maximum=10))]
Tokens = Annotated[Assumption, AfterValidator(expect("tokens", minimum=0))]
Requests = Annotated[Assumption, AfterValidator(expect("requests", minimum=1))]
PerDay = Annotated[Assumption, AfterValidator(expect("queries/day", minimum=0))]
