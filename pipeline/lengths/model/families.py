"""Families for token lengths: cumulative distribution and quantiles from unconstrained parameters.

    exponential          F(x) = 1 - exp(-x / s)                                   theta = ln s
    gamma                F(x) = P(k, x / s), P the regularised incomplete gamma   theta = ln s, ln k
    lognormal            F(x) = Phi((ln x - m) / sigma)                           theta = m, ln sigma
    lognormal_mixture_K  F(x) = sum_j w_j Phi((ln x - m_j) / sigma_j)             theta = m_j, ln sigma_j,
                         w_j = exp(a_j) / sum exp(a), a_1 = 0                     a_j for j > 1

Lengths are whole tokens; a bin [from, to) of whole tokens has probability F(to) - F(from).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import gammainc, gammaincinv, ndtr

from pipeline.core.units import Array

# Below 3 % a component sits inside one bin: the likelihood would grow without limit.
LEAST_LN_SIGMA = float(np.log(0.03))
LN_GRID = np.linspace(-3.0, 15.0, 18001)


@dataclass(frozen=True)
class Family:
    """One candidate: names of its parameters, F(x; theta), and how many log-normals it mixes (0: none)."""

    parameters: tuple[str, ...]
    cdf: Callable[[Array, Array], Array]
    components: int = 0

    def ppf(self, theta: Array, probabilities: Array) -> Array:
        """Lengths at the given probabilities; of a mixture by interpolation of F on a log grid (0.1 %)."""
        if self.components:
            reached = self.cdf(theta, np.exp(LN_GRID))
            rising = np.r_[True, np.diff(reached) > 0]
            return np.asarray(np.exp(np.interp(probabilities, reached[rising], LN_GRID[rising])))
        if self.parameters == ("ln_scale",):
            return np.asarray(-np.exp(theta[0]) * np.log1p(-np.asarray(probabilities)))
        return np.asarray(np.exp(theta[0]) * gammaincinv(np.exp(theta[1]), probabilities))


def _split(theta: Array) -> tuple[Array, Array, Array]:
    """Medians of the logarithm, sigmas and weights of a mixture."""
    count = (len(theta) + 1) // 3
    logits = np.r_[0.0, theta[2 * count :]]
    weights = np.exp(logits - logits.max())
    return theta[:count], np.exp(theta[count : 2 * count]), weights / weights.sum()


def _mixture_cdf(theta: Array, x: Array) -> Array:
    centres, sigmas, weights = _split(theta)
    with np.errstate(divide="ignore"):
        z = (np.log(x)[..., None] - centres) / sigmas
    return np.asarray(ndtr(z) @ weights)


def bin_probabilities(theta: Array, low: Array, high: Array) -> tuple[Array, Array]:
    """Of a mixture: probability of each bin, (bins,), and its derivative by theta, (bins, parameters)."""
    centres, sigmas, weights = _split(theta)
    with np.errstate(divide="ignore"):
        z = (np.log(np.stack([low, high]))[..., None] - centres) / sigmas
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    turned = np.where(np.isfinite(z), z, 0.0) * density
    inside, slope, spread = (np.diff(values, axis=0)[0] for values in (ndtr(z), density, turned))
    probability = inside @ weights
    by_logit = weights * (inside - probability[:, None])
    return probability, np.hstack([-weights / sigmas * slope, -weights * spread, by_logit[:, 1:]])


def by_median(name: str, theta: Array) -> Array:
    """The same distribution with the components of a mixture in the order of their medians."""
    count = FAMILIES[name].components
    if count < 2:
        return theta
    order = np.argsort(theta[:count], kind="stable")
    logits = np.r_[0.0, theta[2 * count :]][order]
    return np.r_[theta[:count][order], theta[count : 2 * count][order], logits[1:] - logits[0]]


def _mixture(components: int) -> Family:
    numbers = range(1, components + 1)
    names = [f"ln_median_{j}" for j in numbers] + [f"ln_sigma_{j}" for j in numbers]
    logits = [f"logit_{j}" for j in numbers if j > 1]
    return Family((*names, *logits), _mixture_cdf, components)


FAMILIES = {
    "exponential": Family(("ln_scale",), lambda t, x: -np.expm1(-x / np.exp(t[0]))),
    "gamma": Family(("ln_scale", "ln_shape"), lambda t, x: gammainc(np.exp(t[1]), x / np.exp(t[0]))),
    "lognormal": _mixture(1),
    "lognormal_mixture_2": _mixture(2),
    "lognormal_mixture_3": _mixture(3),
}


def starts(name: str, ln_quantiles: Callable[[Array], Array], ln_mean: float) -> list[Array]:
    """Points to start the search from; `ln_quantiles` gives the observed ln lengths at probabilities."""
    count = FAMILIES[name].components
    if name == "exponential":
        return [np.array([ln_mean])]
    if name == "gamma":
        return [np.array([ln_mean, 0.0])]
    spread = float(np.diff(ln_quantiles(np.array([0.16, 0.84])))[0] / 2)
    even = (np.arange(count) + 0.5) / count
    if count == 1:
        return [np.r_[ln_quantiles(even), np.log(spread)]]
    skewed = {2: [[0.3, 0.9], [0.1, 0.6], [0.4, 0.6]], 3: [[0.3, 0.7, 0.9], [0.1, 0.5, 0.8]]}[count]
    sigmas = [np.full(count, spread / count), np.full(count, spread / count / 4)]
    # Services cut prompts and answers at round lengths: one component may be a spike.
    sigmas += [np.where(np.arange(count) == j, 0.05, spread) for j in range(count)]
    centres = [ln_quantiles(np.asarray(at)) for at in (even, *skewed)]
    return [np.r_[centre, np.log(sigma), np.zeros(count - 1)] for centre in centres for sigma in sigmas]
