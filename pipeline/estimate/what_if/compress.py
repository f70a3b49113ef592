"""The cost of a deployment at many lengths, batches and worlds, in few numbers.

ln of the step terms X (lengths L, batches and terms C, worlds D) is, by principal components of the worlds
and, of what those do at each length, of the lengths

    X[l, c, d] = centre[l, c] + sum_s lengths[l, s] sum_r core[s, r, c] score[r, d]

Arrays are written as whole numbers of 16 bits, in steps between their least and greatest value (of its
logarithm where all are positive and `ln` is set), little endian in base 64.
"""

import base64
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
WORLD_COMPONENTS = 14
LENGTH_COMPONENTS = 12
FITTED_WORLDS = 512  # those that the components are found on; all are written in them
STEPS = 2**16 - 1


def pack(values: Array, ln: bool = False) -> dict[str, Any]:
    """One array, (n,), in 16 bits a value."""
    shown = np.log(values) if ln else np.asarray(values, dtype=float)
    low, high = float(f"{shown.min():.9g}"), float(f"{shown.max():.9g}")
    step = float(f"{(high - low) / STEPS:.9g}")
    steps = np.rint((shown - low) / step) if step else np.zeros(len(shown))
    whole = np.clip(steps, 0, STEPS).astype("<u2")
    return {"low": low, "step": step, "ln": ln, "data": base64.b64encode(whole.tobytes()).decode("ascii")}


def unpack(packed: dict[str, Any]) -> Array:
    """The values of a packed array."""
    whole = np.frombuffer(base64.b64decode(packed["data"]), dtype="<u2")
    shown = packed["low"] + packed["step"] * whole
    return np.asarray(np.exp(shown) if packed["ln"] else shown)


@dataclass(frozen=True)
class Components:
    """Of ln step terms: centre (L, C), lengths (L, S), core (S, R, C), scores (R, D)."""

    centre: Array
    lengths: Array
    core: Array
    scores: Array

    @classmethod
    def of(cls, terms: Array, weights: Array) -> "Components":
        """Of terms (L, C, D), ln; weights (L, C) say which have to come out well."""
        count, columns, worlds = terms.shape
        flat = terms.reshape(count * columns, worlds).T
        mean = flat.mean(axis=0)
        about = flat - mean
        some, weight = about[:: max(1, worlds // FITTED_WORLDS)], weights.ravel()
        _, size, directions = np.linalg.svd(some * weight, full_matrices=False)
        size, directions = size[:WORLD_COMPONENTS], _signed(directions[:WORLD_COMPONENTS])
        onto = (directions * weight).T / (size / np.sqrt(len(some)))
        loadings = (some @ onto).T @ some / len(some)  # scores of `some` are orthonormal up to its size
        by_length = loadings.reshape(-1, count, columns).transpose(1, 0, 2).reshape(count, -1)
        _, _, core = np.linalg.svd(by_length, full_matrices=False)
        core = _signed(core[:LENGTH_COMPONENTS])
        shaped = core.reshape(len(core), len(size), columns)
        return cls(mean.reshape(count, columns), by_length @ core.T, shaped, (about @ onto).T)

    def terms(self) -> Array:
        """What the components make of the terms, (L, C, D), ln."""
        loadings = np.einsum("ls,src->lrc", self.lengths, self.core)
        return np.asarray(self.centre[:, :, None] + np.einsum("lrc,rd->lcd", loadings, self.scores))

    def packed(self) -> dict[str, Any]:
        """For JSON: centre by column, lengths and core by component, core flat over (R, C)."""
        return {
            "centre": [pack(column) for column in self.centre.T],
            "lengths": [pack(column) for column in self.lengths.T],
            "core": [pack(one.ravel()) for one in self.core],
            "scores": [pack(one) for one in self.scores],
        }


def _signed(directions: Array) -> Array:
    """Each with its largest entry positive: a component's sign is otherwise arbitrary."""
    largest = np.abs(directions).argmax(axis=1)
    signs = np.sign(directions[np.arange(len(directions)), largest])
    return np.asarray(directions * signs[:, None])
