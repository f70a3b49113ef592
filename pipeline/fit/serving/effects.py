"""Priors of the step model, and which parameter acts on which term of which configuration.

    ln c_ik = theta_k + sum of the effects u whose levels configuration i has

theta_k has a normal prior around what rated hardware usually gives, every effect one around zero, so that an
engine, chip, precision, model or configuration with few rows stays near the common value.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray

from pipeline.fit.serving.architecture import Array
from pipeline.fit.serving.names import joined
from pipeline.fit.serving.prepare import NONE, TENSORRT
from pipeline.fit.serving.terms import TERMS

# Of each term: factor on the time at rated speed, or on the unit of an overhead; prior sd of its logarithm.
# Chips reach 50 to 80 % of their rated bandwidth and peak; the sd of overheads allows a factor of three. What
# single effects add to bytes and FLOPs stays small: sums of wide ones fitted reads faster than rated.
PRIORS = {
    "weights": (1.3, 0.15),
    "matmul": (1.6, 0.2),
    "kv": (1.35, 0.2),
    "attention": (1.5, 0.3),
    "kernels": (2.0, 0.3),
    "sync": (2.0, 0.25),
    "exchange": (1.5, 0.3),
    "token": (1.0, 1.0),
    "step": (0.8, 0.3),
    "prefill": (1.7, 0.2),
    "prefill_attention": (2.0, 0.7),
    "request": (2.0, 1.0),
}
ALL = tuple(TERMS)


@dataclass(frozen=True)
class Effect:
    """Deviation of `terms` by the level of the columns `keys`; tied: one number for all terms.

    unmeasured: levels without rows, which predictions draw from the prior.
    """

    name: str
    keys: tuple[str, ...]
    terms: tuple[str, ...]
    prior_sd: float
    tied: bool = True
    unmeasured: tuple[str, ...] = ()


EFFECTS = (
    Effect("stack weights", ("stack",), ("weights",), 0.2),
    Effect("stack cache", ("stack",), ("kv",), 0.15),
    Effect("stack matmul", ("stack",), ("matmul",), 0.2),
    # Chat prompts are short, and their length is a guess: they may not decide what a long prompt costs.
    Effect("stack prefill", ("stack",), ("prefill",), 0.06),
    Effect("stack exchange", ("stack",), ("exchange",), 0.3),
    Effect("stack", ("stack",), ("token", "request"), 1.0, tied=False),
    Effect(
        "stack overhead",
        ("timed_stack",),
        ("kernels", "sync", "step"),
        0.7,
        tied=False,
        unmeasured=(TENSORRT,),
    ),
    Effect("stack step", ("stack",), ALL, 0.3),
    Effect("version", ("stack", "version"), ALL, 0.1),
    Effect("gpu", ("gpu",), ("matmul", "prefill", "token"), 0.15, tied=False),
    Effect("gpu weights", ("gpu",), ("weights",), 0.08),
    Effect("gpu cache", ("gpu",), ("kv",), 0.04),
    Effect("gpu host", ("gpu",), ("kernels", "step"), 0.3),
    Effect("precision weights", ("stack", "kernel"), ("weights",), 0.1),
    Effect("precision matmul", ("stack", "kernel"), ("matmul",), 0.15),
    Effect("precision prefill", ("kernel",), ("prefill",), 0.1),
    Effect("precision kernels", ("timed_stack", "kernel"), ("kernels",), 0.4),
    Effect("experts weights", ("sparsity",), ("weights",), 0.15),
    Effect("experts matmul", ("sparsity",), ("matmul",), 0.3),
    Effect("experts prefill", ("sparsity",), ("prefill",), 0.2),
    Effect("experts kernels", ("sparsity",), ("kernels",), 0.4),
    Effect("experts kernels by stack", ("timed_stack", "sparsity", "kernel"), ("kernels",), 0.5),
    Effect("experts matmul by stack", ("stack", "sparsity", "kernel"), ("matmul",), 0.2),
    Effect("experts prefill by precision", ("sparsity", "kernel"), ("prefill",), 0.1),
    Effect("attention kind", ("attention_kind",), ("kv",), 0.3),
    Effect("model", ("model",), ALL, 0.03),
    Effect("configuration", ("configuration",), ALL, 0.04),
    Effect("configuration weights", ("configuration",), ("weights",), 0.05),
    Effect("configuration slope", ("configuration",), ("matmul", "token", "exchange", "prefill"), 0.05),
    Effect("configuration cache", ("configuration",), ("kv", "attention"), 0.04),
)
BY_CONFIGURATION = "configuration"
BASE = "common"


def level_names(rows: pd.DataFrame, keys: tuple[str, ...]) -> NDArray[np.object_]:
    """The level of each row, (n,); NONE where any of its parts is NONE."""
    none = np.any([rows[key].to_numpy(object) == NONE for key in keys], axis=0)
    return np.where(none, NONE, joined(*(rows[key] for key in keys)))


@dataclass(frozen=True)
class Design:
    """The P parameters: a table (effect, level, term; term blank if tied) with prior mean and sd, (P,)."""

    parameters: pd.DataFrame

    @property
    def mean(self) -> Array:
        """Prior means."""
        return self.parameters["prior_ln"].to_numpy(float)

    @property
    def sd(self) -> Array:
        """Prior standard deviations."""
        return self.parameters["prior_sd"].to_numpy(float)

    @property
    def shared(self) -> NDArray[np.bool_]:
        """The parameters that more than one configuration has."""
        effect = self.parameters["effect"].astype(str)
        return ~effect.str.startswith(BY_CONFIGURATION).to_numpy(bool)

    def matrix(self, rows: pd.DataFrame) -> sp.csr_matrix:
        """Z, (n * K, P), rows by configuration and term: ln c = Z theta; unseen levels add nothing."""
        n, width = len(rows), len(TERMS)
        order = list(TERMS)
        position = {
            key: i
            for i, key in enumerate(
                self.parameters[["effect", "level", "term"]].itertuples(index=False, name=None)
            )
        }
        at_row = [np.arange(n * width)]
        at_parameter = [np.tile(np.arange(width), n)]
        for effect in EFFECTS:
            names, code = np.unique(level_names(rows, effect.keys).astype(str), return_inverse=True)
            for term in effect.terms:
                own = "" if effect.tied else term
                found = np.array([position.get((effect.name, level, own), -1) for level in names])[code]
                has = np.flatnonzero(found >= 0)
                at_row.append(has * width + order.index(term))
                at_parameter.append(found[has])
        row, column = np.concatenate(at_row), np.concatenate(at_parameter)
        return sp.csr_matrix((np.ones(len(row)), (row, column)), shape=(n * width, len(self.parameters)))


def make_design(rows: pd.DataFrame) -> Design:
    """Every term, and every effect at each level that occurs in `rows`."""
    found = [(BASE, "", term, float(np.log(PRIORS[term][0])), PRIORS[term][1]) for term in TERMS]
    for effect in EFFECTS:
        for level in sorted({*level_names(rows, effect.keys), *effect.unmeasured} - {NONE}):
            own = ("",) if effect.tied else effect.terms
            found += [(effect.name, level, term, 0.0, effect.prior_sd) for term in own]
    columns = ["effect", "level", "term", "prior_ln", "prior_sd"]
    return Design(pd.DataFrame(found, columns=columns))
