"""Fit of a logarithm of a sum of non-negative terms with normal effects, and draws from its posterior.

    ln y_i = ln sum_k x_ik exp((A theta)_ik) + e_i,    e_i ~ t_4(scale_i),    theta ~ normal prior

Maximum a posteriori by Gauss-Newton with damping: d ln y / d ln c_k is the share of term k. The posterior is
the normal distribution there. Effects of configurations are independent of each other given all others, so
that they are kept as what they are given the shared parameters.
"""

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.special import ndtri

from pipeline.core.draws import column
from pipeline.serving.model.effects import CONFIGURATION, NONE, Form
from pipeline.serving.model.settings import Serving

Array = NDArray[np.float64]
MAX_ITERATIONS = 60
SMALL_GAIN = 1e-2  # of the log posterior, below which the fit has arrived
MAX_DAMPINGS = 8
NAMES_KEPT = 4096  # streams of names, for the next who asks: 128 MB of the largest analysis
COEFFICIENT = "coefficient"
COLUMNS = ["effect", "level", "prior_ln", "prior_sd"]


@dataclass(frozen=True)
class Posterior:
    """Parameters (P,) of a form; the shared ones (S) first, then configurations (L).

    table: COLUMNS and the mode `ln`; root: (S, S) of the covariance of the shared ones; own_sd: (L,) sd of
    each configuration given them; coupling: (L, S), by how much its mean falls per unit of each.
    """

    form: Form
    table: pd.DataFrame
    root: Array
    own_sd: Array
    coupling: sp.csr_matrix

    @property
    def shared(self) -> int:
        """Number of shared parameters."""
        return len(self.root)

    @property
    def mode(self) -> Array:
        """(P,)."""
        return self.table["ln"].to_numpy(float)

    def log_sum(self, rows: pd.DataFrame, x: Array) -> Array:
        """ln of the sum at the mode, of rows of any levels, (n,)."""
        return np.asarray(np.log(Design.of(self.form, self.table, rows).parts(x, self.mode).sum(axis=1)))

    def positions(self, effect: str) -> pd.Series:
        """Where each measured level of an effect stands in the table, by level."""
        return self._places[effect]

    @cached_property
    def _places(self) -> dict[str, pd.Series]:
        names = {effect.name for effect in self.form.effects} | {COEFFICIENT}
        own = {name: self.table[self.table["effect"] == name] for name in names}
        return {name: pd.Series(rows.index, index=rows["level"]) for name, rows in own.items()}

    @cached_property
    def _drawn(self) -> dict[tuple[int, int], Array]:
        return {}

    def drawn(self, seed: int, draws: int, kept: NDArray[np.int64] | None = None) -> Array:
        """The shared parameters, (S, D), each from a stream of its own name; drawn once for all who ask."""
        if (seed, draws) not in self._drawn:
            some = self.table.iloc[: self.shared]
            names = [" ".join(pair) for pair in zip(some["effect"], some["level"], strict=True)]
            noise = np.stack([normal(seed, f"{self.form.name} {name}", draws) for name in names])
            self._drawn[seed, draws] = self.mode[: self.shared, None] + self.root @ noise
        found = self._drawn[seed, draws]
        return found if kept is None else found[:, kept]

    def covariance(self) -> Array:
        """Of all parameters, (P, P)."""
        shared = self.root @ self.root.T
        cross = -(self.coupling @ shared)
        own = -(cross @ self.coupling.T) + np.diag(self.own_sd**2)
        return np.block([[shared, cross.T], [cross, own]])


@lru_cache(NAMES_KEPT)
def normal(seed: int, name: str, draws: int) -> Array:
    """Standard normal draws of a name, (D,), not to be written to."""
    found = np.asarray(ndtri(column(seed, f"serving {name}", draws)))
    found.flags.writeable = False
    return found


def parameters(form: Form, rows: pd.DataFrame, settings: Serving) -> pd.DataFrame:
    """COLUMNS of the coefficients of all terms and of the effects at every level of the rows."""
    found = [(COEFFICIENT, term, *form.prior(settings, term)) for term in form.terms]
    for effect in form.effects:
        levels = sorted(set(rows[effect.key]) - {NONE}) if effect.key else [NONE]
        found += [(effect.name, level, *form.prior(settings, effect.name)) for level in levels]
    return pd.DataFrame(found, columns=COLUMNS)


@dataclass(frozen=True)
class Design:
    """Which parameter acts on which term of which row.

    z: (n, P - K), multiple of an effect in a row; acts: (P - K, K), terms of an effect.
    """

    z: sp.csr_matrix
    acts: Array

    @classmethod
    def of(cls, form: Form, table: pd.DataFrame, rows: pd.DataFrame) -> "Design":
        """The effects of `table` in rows with the level and slope columns of the form."""
        width, size = len(form.terms), len(table)
        row, column, weight = [], [], []
        acts = np.zeros((size - width, width))
        effects, every = table["effect"].to_numpy(object), table["level"].to_numpy(object)
        for effect in form.effects:
            at_table = np.flatnonzero(effects == effect.name) - width
            acts[at_table] = form.mask(effect)
            levels = pd.Index(every[at_table + width], dtype=object)
            own = rows[effect.key].to_numpy(object) if effect.key else None
            at = np.zeros(len(rows), int) if own is None else levels.get_indexer(own)
            has = np.flatnonzero(at >= 0) if len(levels) else np.zeros(0, int)
            row.append(has)
            column.append(at_table[at[has]])
            weight.append(rows[effect.slope].to_numpy(float)[has] if effect.slope else np.ones(len(has)))
        entries = (np.concatenate(weight), (np.concatenate(row), np.concatenate(column)))
        return cls(sp.csr_matrix(entries, shape=(len(rows), size - width)), acts)

    def parts(self, x: Array, theta: Array) -> Array:
        """Each term with its coefficient, (n, K)."""
        width = x.shape[1]
        effects = np.asarray(self.z @ (theta[width:, None] * self.acts))
        return np.asarray(x * np.exp(theta[:width] + effects))

    def jacobian(self, parts: Array) -> sp.csr_matrix:
        """d ln sum / d theta, (n, P)."""
        share = parts / parts.sum(axis=1, keepdims=True)
        entry = self.z.tocoo()
        acting = np.einsum("ek,ek->e", share[entry.row], self.acts[entry.col])
        effects = sp.csr_matrix((entry.data * acting, (entry.row, entry.col)), shape=self.z.shape)
        return sp.hstack([sp.csr_matrix(share), effects]).tocsr()


def fit(
    form: Form,
    rows: pd.DataFrame,
    x: Array,
    log_y: Array,
    scale: Array,
    settings: Serving,
    near: Posterior | None = None,
) -> Posterior:
    """Fit to rows with the level columns of the form; x (n, K), log_y and scale of its residual (n,).

    near: a fit to nearly the same rows, from whose mode this one starts.
    """
    table = parameters(form, rows, settings)
    design, freedom = Design.of(form, table, rows), settings.shape.values["student_df"]
    mean, weight = table["prior_ln"].to_numpy(float), 1 / table["prior_sd"].to_numpy(float) ** 2
    theta, damping = mean.copy(), 1e-3
    if near is not None:
        theta = landed(near, table).fillna(table["prior_ln"]).to_numpy(float)

    def value_at(trial: Array) -> tuple[Array, Array, float]:
        parts = design.parts(x, trial)
        residual = log_y - np.log(parts.sum(axis=1))
        misfit = 0.5 * (freedom + 1) * np.log1p((residual / scale) ** 2 / freedom).sum()
        return parts, residual, misfit + 0.5 * (weight * (trial - mean) ** 2).sum()

    parts, residual, value = value_at(theta)
    for _ in range(MAX_ITERATIONS):
        precision = (freedom + 1) / (freedom + (residual / scale) ** 2) / scale**2
        hessian, jacobian = _curvature(design, parts, precision, weight)
        gradient = jacobian.T @ (precision * residual) - weight * (theta - mean)
        for _ in range(MAX_DAMPINGS):
            damped = hessian + damping * np.diag(np.diag(hessian))
            trial = theta + cho_solve(cho_factor(damped, lower=True), gradient)
            new = value_at(trial)
            if new[2] < value:
                break
            damping *= 6
        else:
            break
        gain, theta, damping = value - new[2], trial, max(damping / 5, 1e-8)
        parts, residual, value = new
        if gain < SMALL_GAIN:
            break
    # What a residual tells of its middle, on average: weights of the rows as they fell would count 7/5 of it.
    told = (freedom + 1) / (freedom + 3) / scale**2
    hessian, _ = _curvature(design, parts, told, weight)
    return _posterior(form, table.assign(ln=theta), hessian)


def landed(posterior: Posterior, table: pd.DataFrame) -> pd.Series:
    """The mode of each parameter of `table`, in its order; missing where the posterior does not have it."""
    return table[["effect", "level"]].merge(posterior.table[["effect", "level", "ln"]], how="left")["ln"]


def _curvature(design: Design, parts: Array, precision: Array, weight: Array) -> tuple[Array, sp.csr_matrix]:
    """Gauss-Newton Hessian (P, P) where each row says as much as `precision`, (n,); Jacobian (n, P)."""
    jacobian = design.jacobian(parts)
    hessian = (jacobian.T @ jacobian.multiply(precision[:, None]).tocsr()).toarray()
    return hessian + np.diag(weight), jacobian


def _posterior(form: Form, table: pd.DataFrame, hessian: Array) -> Posterior:
    own = (table["effect"] == CONFIGURATION).to_numpy()
    shared = int((~own).sum())
    precision, cross = hessian[:shared, :shared], hessian[shared:, :shared]
    diagonal = np.diag(hessian)[shared:]
    coupling = cross / diagonal[:, None]
    root = np.linalg.cholesky(precision - cross.T @ coupling)
    inverse = solve_triangular(root, np.eye(shared), lower=True)
    return Posterior(
        form,
        table.reset_index(drop=True),
        np.linalg.cholesky(inverse.T @ inverse),
        1 / np.sqrt(diagonal),
        sp.csr_matrix(coupling),
    )


def with_observations(
    posterior: Posterior, jacobian: Array, residual: Array, variance: Array, extra: pd.DataFrame
) -> Posterior:
    """The posterior after more observations, linear in the parameters.

    extra: COLUMNS of parameters that it does not have; jacobian: (n, P + len(extra)), on those of the table
    and then the new ones; residual, (n,), of what was observed at the mode; variance, (n,), of its noise.
    Configurations that are touched, and the new parameters, become shared ones.
    """
    size, shared = len(posterior.table), posterior.shared
    touched = np.flatnonzero(np.abs(jacobian[:, shared:size]).sum(axis=0) > 0)
    kept = np.setdiff1d(np.arange(size - shared), touched)
    chosen = np.r_[np.arange(shared), shared + touched]
    prior = posterior.covariance()[np.ix_(chosen, chosen)]
    prior = _blocks(prior, np.diag(extra["prior_sd"].to_numpy(float) ** 2))
    jacobian = jacobian[:, np.r_[chosen, size + np.arange(len(extra))]]
    gain = np.linalg.solve(jacobian @ prior @ jacobian.T + np.diag(variance), jacobian @ prior).T
    covariance = prior - gain @ jacobian @ prior
    covariance = (covariance + covariance.T) / 2 + 1e-12 * np.eye(len(prior))
    added = extra.assign(ln=extra["prior_ln"])
    some = posterior.table.iloc[chosen]
    moved: pd.DataFrame = pd.concat([some, added], ignore_index=True)  # type: ignore[list-item]
    moved["ln"] += gain @ residual
    step = moved["ln"].to_numpy(float)[:shared] - posterior.mode[:shared]
    rest = posterior.table.iloc[shared + kept]
    rest = rest.assign(ln=rest["ln"] - posterior.coupling[kept] @ step)
    coupling = sp.hstack([posterior.coupling[kept], sp.csr_matrix((len(kept), len(moved) - shared))])
    return replace(
        posterior,
        table=pd.concat([moved, rest], ignore_index=True),
        root=np.linalg.cholesky(covariance),
        own_sd=posterior.own_sd[kept],
        coupling=coupling.tocsr(),
    )


def _blocks(first: Array, second: Array) -> Array:
    found = np.zeros((len(first) + len(second),) * 2)
    found[: len(first), : len(first)], found[len(first) :, len(first) :] = first, second
    return found
