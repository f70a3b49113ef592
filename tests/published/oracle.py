"""Exact values of the published recipe, without draws.

A query of k whole tokens has probability P_k (exponential, rounded); given k its energy is c_k times a
product of independent log-normals, itself log-normal. So the distribution of energy is a sum over k, and a
percentile the root of a function. After the double trim a model's draws are those between two fixed
percentiles.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr

from pipeline.core.assumption import Assumption, Exponential, LogNormal
from pipeline.published.model.energy import ThroughputFit, output_length, query_energy_wh
from pipeline.published.model.settings import AsPublished, Base, PublishedModel, known

Array = NDArray[np.float64]
LARGEST_IN_SCALES = 25  # exp(-25) of the queries are longer


class ExactEnergy:
    """Energy per query of one model in Wh."""

    def __init__(self, base: Base, model: PublishedModel, fit: ThroughputFit, regime: str) -> None:
        length = output_length(base, regime)
        assert isinstance(length, Exponential)
        tokens = np.arange(np.ceil(LARGEST_IN_SCALES * length.scale))
        above = np.exp(-np.maximum(tokens - 0.5, 0) / length.scale)
        self._share = above - np.exp(-(tokens + 0.5) / length.scale)
        one = np.ones_like(tokens)
        coupled = base.power_coupling is not None
        utilisation = None if coupled else one
        self._scale = query_energy_wh(
            base, model, fit, output_tokens=tokens, utilisation=utilisation, pue=one
        )
        factors = [base.pue.distribution]
        if not coupled:
            factors.append(base.power_utilisation.distribution)
        assert all(isinstance(item, LogNormal) for item in factors)
        self.mu = sum(item.mu for item in factors)
        with np.errstate(divide="ignore"):  # no tokens, no energy: certainly below any
            self._centre = np.log(self._scale) + self.mu
        self.sigma = float(np.hypot.reduce([item.sigma for item in factors]))

    def cdf(self, energy_wh: float) -> float:
        """Share of queries at or below."""
        return float(self._share @ ndtr((np.log(energy_wh) - self._centre) / self.sigma))

    @property
    def mean(self) -> float:
        """Mean energy."""
        return float(self._share @ self._scale * np.exp(self.mu + self.sigma**2 / 2))

    def quantile(self, share: float) -> float:
        """Energy below which the share lies."""
        return root(lambda energy: self.cdf(energy) - share)


class ExactBlend:
    """Equal parts of several models, each cut as the trim of the assumptions says."""

    def __init__(self, base: Base, members: list[ExactEnergy]) -> None:
        low, high = 0.0, 1.0
        if base.trim is not None:
            for bounds in (base.trim.outer, base.trim.inner):
                low, high = (low + (high - low) * bound / 100 for bound in bounds)
        self._low, self._high, self._members = low, high, members

    def cdf(self, energy_wh: float) -> float:
        """Share of the kept queries at or below."""
        shares = np.array([member.cdf(energy_wh) for member in self._members])
        return float(np.clip((shares - self._low) / (self._high - self._low), 0, 1).mean())

    def quantile(self, share: float) -> float:
        """Energy below which the share of kept queries lies."""
        return root(lambda energy: self.cdf(energy) - share)


def root(function: Callable[[float], float]) -> float:
    """Where an increasing function of energy is zero."""
    return float(np.exp(brentq(lambda log: function(np.exp(log)), np.log(1e-6), np.log(1e6), xtol=1e-9)))


def exact_models(
    published: AsPublished, base: Base, fits: dict[str, ThroughputFit], regime: str
) -> dict[str, ExactEnergy]:
    """Every model of one variant in one regime."""
    return {model.name: ExactEnergy(base, model, fits[model.name], regime) for model in published.models}


def exact_blend(base: Base, models: dict[str, ExactEnergy]) -> tuple[ExactBlend, list[ExactEnergy]]:
    """The blend of the models with the highest medians, and those models."""
    members = sorted(models.values(), key=lambda model: -model.quantile(0.5))[: base.blend.models]
    return ExactBlend(base, members), members


def inverse_mean(gain: LogNormal) -> float:
    """Mean of 1 / gain."""
    return float(np.exp(-gain.mu + gain.sigma**2 / 2))


def overhead(items: list[Assumption]) -> float:
    """Product of the fleet's overhead factors."""
    return float(np.prod([known(item) for item in items]))
