"""Fit of the step time: non-negative, hierarchical, maximum a posteriori.

    ln T_i = ln sum_k c_ik x_ik + e_i,    c_ik = exp((Z theta)_ik),    e_i ~ t_4(scale_i)

Gauss-Newton with damping; the Jacobian is analytic: d ln T / d ln c_k is the share of term k in T.
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, solve_triangular

from pipeline.fit.serving.architecture import Array
from pipeline.fit.serving.effects import Design
from pipeline.fit.serving.terms import TERMS

STUDENT_DF = 4.0
MAX_ITERATIONS = 60
SMALL_GAIN = 1e-3  # of the log posterior, below which the fit has arrived
MAX_DAMPINGS = 8
LARGEST_LN = 20.0


@dataclass(frozen=True)
class StepFit:
    """Posterior of the parameters: mode (P,), and the root of the covariance of the shared ones."""

    design: Design
    theta: Array
    root: Array  # (S, S) lower triangular; S = design.shared.sum(); covariance = root @ root.T
    iterations: int

    def at(self, design: Design) -> Array:
        """The mode in another design, (P,): its prior mean where this one lacks the parameter."""
        names = ["effect", "level", "term"]
        own = self.design.parameters[names].assign(ln=self.theta)
        found = design.parameters[names].merge(own, on=names, how="left", validate="one_to_one")
        return found["ln"].fillna(design.parameters["prior_ln"]).to_numpy(float)

    def draws(self, rng: np.random.Generator, n_draws: int) -> Array:
        """Parameters, (P, n_draws): shared ones from the Gaussian approximation, the others at the mode.

        What single configurations add varies little; where it matters, the residual spread has it.
        """
        drawn = np.repeat(self.theta[:, None], n_draws, axis=1)
        drawn[self.design.shared] += self.root @ rng.standard_normal((len(self.root), n_draws))
        return drawn


def coefficients(z: sp.csr_matrix, theta: Array) -> Array:
    """c, (n, K) for theta (P,) or (n, K, draws) for theta (P, draws)."""
    found = np.asarray(z @ theta)  # changed in place: with many draws new memory takes longer than the sums
    np.exp(np.clip(found, -LARGEST_LN, LARGEST_LN, out=found), out=found)
    return found.reshape(-1, len(TERMS), *theta.shape[1:])


def step_seconds(z: sp.csr_matrix, theta: Array, x: Array) -> Array:
    """T, (n,) or (n, draws)."""
    return total_seconds(coefficients(z, theta), x)


def total_seconds(c: Array, x: Array) -> Array:
    """T from coefficients (n, K) or (n, K, draws) and x (n, K)."""
    return np.asarray(np.einsum("nk...,nk->n...", c, x))


def fit_steps(
    design: Design,
    z: sp.csr_matrix,
    x: Array,
    log_step: Array,
    scale: Array,
    start: Array | None = None,
    max_iterations: int = MAX_ITERATIONS,
) -> StepFit:
    """MAP fit; x (n, K) from `terms`, log_step (n,) ln s, scale (n,) of the residual in ln."""
    theta = design.mean if start is None else start.copy()
    weight_prior, damping, count = 1 / design.sd**2, 1e-3, 0
    seconds, residual, value = _objective(design, z, x, log_step, scale, theta)
    for count in range(1, max_iterations + 1):  # noqa: B007
        hessian, gradient = _expand(design, z, seconds, residual, scale, theta, weight_prior)
        for _ in range(MAX_DAMPINGS):
            damped = hessian + damping * np.diag(np.diag(hessian))
            trial = theta + cho_solve(cho_factor(damped, lower=True), gradient)
            new = _objective(design, z, x, log_step, scale, trial)
            if new[2] < value:
                break
            damping *= 6
        else:
            break
        gain, theta, damping = value - new[2], trial, max(damping / 5, 1e-8)
        seconds, residual, value = new
        if gain < SMALL_GAIN:
            break
    hessian, _ = _expand(design, z, seconds, residual, scale, theta, weight_prior)
    return StepFit(design, theta, _shared_root(hessian, design.shared), count)


def _objective(
    design: Design, z: sp.csr_matrix, x: Array, log_step: Array, scale: Array, theta: Array
) -> tuple[Array, Array, float]:
    """Term seconds (n, K), residuals (n,), negative log posterior."""
    seconds = coefficients(z, theta) * x
    residual = log_step - np.log(seconds.sum(axis=1))
    misfit = 0.5 * (STUDENT_DF + 1) * np.log1p((residual / scale) ** 2 / STUDENT_DF).sum()
    return seconds, residual, misfit + 0.5 * (((theta - design.mean) / design.sd) ** 2).sum()


def _expand(
    design: Design,
    z: sp.csr_matrix,
    seconds: Array,
    residual: Array,
    scale: Array,
    theta: Array,
    weight_prior: Array,
) -> tuple[Array, Array]:
    """Gauss-Newton Hessian (P, P) and gradient (P,) of the log posterior."""
    n, width = seconds.shape
    share = seconds / seconds.sum(axis=1, keepdims=True)
    pick = sp.csr_matrix((share.ravel(), np.arange(n * width), np.arange(0, n * width + 1, width)))
    jacobian = pick @ z
    weight = (STUDENT_DF + 1) / (STUDENT_DF + (residual / scale) ** 2) / scale**2
    hessian = (jacobian.T @ jacobian.multiply(weight[:, None]).tocsr()).toarray()
    gradient = jacobian.T @ (weight * residual) - weight_prior * (theta - design.mean)
    return hessian + np.diag(weight_prior), np.asarray(gradient)


def _shared_root(hessian: Array, shared: NDArray[np.bool_]) -> Array:
    """Root of the covariance of the shared parameters, the others integrated out."""
    kept, out = np.flatnonzero(shared), np.flatnonzero(~shared)
    precision = hessian[np.ix_(kept, kept)]
    if len(out):
        cross = hessian[np.ix_(out, kept)]
        precision = precision - cross.T @ np.linalg.solve(hessian[np.ix_(out, out)], cross)
    root = np.linalg.cholesky(precision)
    inverse = solve_triangular(root, np.eye(len(kept)), lower=True)
    return np.linalg.cholesky(inverse.T @ inverse)
