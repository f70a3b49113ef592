"""The cost of a deployment at many lengths, batches and worlds, in few numbers.

ln of the step terms X (lengths L, batches and terms C, worlds D) is, twice by principal components,

    X[l, c, d] = centre[c] + sum_s lengths[l, s] (core[s, 0, c] + sum_r core[s, r, c] score[r, d])

Arrays are written as whole numbers of 16 bits, in steps between their least and greatest value (of its
logarithm where all are positive and `ln` is set), little endian in base 64.
"""

import base64
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
WORLD_COMPONENTS = 12
LENGTH_COMPONENTS = 10
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
    """Of ln step terms: centre (C,), lengths (L, S), core (S, R + 1, C), scores (R, D)."""

    centre: Array
    lengths: Array
    core: Array
    scores: Array

    @classmethod
    def of(cls, terms: Array) -> "Components":
        """Of terms (L, C, D), ln."""
        count, columns, worlds = terms.shape
        flat = terms.reshape(count * columns, worlds).T
        mean = flat.mean(axis=0)
        about = flat - mean
        some = about[:: max(1, worlds // FITTED_WORLDS)]
        _, size, directions = np.linalg.svd(some, full_matrices=False)
        size, directions = size[:WORLD_COMPONENTS], _signed(directions[:WORLD_COMPONENTS])
        spread = size / np.sqrt(len(some))
        scores = (about @ directions.T / spread).T
        loadings = np.stack([mean, *(directions * spread[:, None])]).reshape(-1, count, columns)
        centre = loadings[0].mean(axis=0)
        loadings[0] -= centre
        by_length = loadings.transpose(1, 0, 2).reshape(count, -1)
        _, _, core = np.linalg.svd(by_length, full_matrices=False)
        core = _signed(core[:LENGTH_COMPONENTS])
        return cls(centre, by_length @ core.T, core.reshape(-1, len(size) + 1, columns), scores)

    def terms(self) -> Array:
        """What the components make of the terms, (L, C, D), ln."""
        loadings = np.einsum("ls,src->lrc", self.lengths, self.core)
        found = loadings[:, 0, :, None] + np.einsum("lrc,rd->lcd", loadings[:, 1:], self.scores)
        return np.asarray(self.centre[:, None] + found)

    def packed(self) -> dict[str, Any]:
        """For JSON: lengths and core by component, core flat over (R + 1, C)."""
        return {
            "centre": [float(value) for value in self.centre],
            "lengths": [pack(column) for column in self.lengths.T],
            "core": [pack(one.ravel()) for one in self.core],
            "scores": [pack(one) for one in self.scores],
        }


def _signed(directions: Array) -> Array:
    """Each with its largest entry positive: a component's sign is otherwise arbitrary."""
    largest = np.abs(directions).argmax(axis=1)
    signs = np.sign(directions[np.arange(len(directions)), largest])
    return np.asarray(directions * signs[:, None])
