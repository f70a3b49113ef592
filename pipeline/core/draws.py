"""Draws: how many, from which seed, and the uniforms of each quantity by its name.

The uniforms of a quantity are one scrambled Sobol column in each independent replicate, visited in a random
order. Scramble and order come from the common seed and the quantity's name alone. Columns of two quantities
are thus paired at random, as in Latin hypercube sampling: the Monte Carlo error of a sum of effects is that
of evenly spread points. (Two scrambles of the same points, taken point by point without the random order, can
correlate by 0.95.)

Columns are nested: the first half of a column is the column of half as many draws. Analyses that take
different numbers of draws therefore share those that both take.
"""

import zlib
from dataclasses import dataclass
from functools import cache
from typing import Annotated

import numpy as np
from pydantic import AfterValidator, Field

from pipeline.core.assumption import Distribution, Section
from pipeline.core.units import Array, Indices


def _power_of_two(count: int) -> int:
    if count & (count - 1):
        raise ValueError(f"{count} is not a power of two, which Sobol points need")
    return count


PowerOfTwo = Annotated[int, Field(gt=0, le=2**24, strict=True), AfterValidator(_power_of_two)]


class Simulation(Section):
    """Replicates of scrambled Sobol points: their spread is the Monte Carlo error of every summary."""

    seed: Annotated[int, Field(ge=0, lt=2**63, strict=True)]
    replicates: Annotated[int, Field(ge=4, le=1024, strict=True)]
    draws_per_replicate: PowerOfTwo


SETTINGS = Simulation


# The middle of a cell, which never is 0 or 1, moved within its cell by less than half a cell.
EDGE = 2.0**-53
BITS = 30  # of a Sobol point
FIRST = 32  # draws of `column` before the first doubling


def seed_of(seed: int, name: str) -> np.random.SeedSequence:
    """The seed of a quantity: the common seed, and the name through its CRC-32."""
    return np.random.SeedSequence([seed, zlib.crc32(name.encode())])


def generator(seed: int, name: str) -> np.random.Generator:
    """A generator that belongs to a name."""
    return np.random.default_rng(seed_of(seed, name))


def uniforms(seed: int, name: str, replicates: int, draws: int) -> Array:
    """Uniforms of one quantity inside (0, 1), shape (replicates, draws).

    With a power of two of draws each replicate has one point in each of `draws` equal cells, at a random
    place in the cell, in a random order; the first draws of more are the same.

    Parameters
    ----------
    seed : `simulation.seed`, common to all quantities.
    name : of the quantity; another name is independent of it.
    replicates, draws : independent repetitions, and draws of each.

    Returns
    -------
    (replicates, draws), no unit.

    Examples
    --------
    >>> import numpy as np
    >>> found = uniforms(1, "pue", replicates=2, draws=4)
    >>> np.sort(np.floor(found * 4), axis=1).tolist()
    [[0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 2.0, 3.0]]
    >>> bool((uniforms(1, "pue", replicates=1, draws=8)[0, :4] == found[0]).all())
    True
    """
    return np.concatenate([_nested(child, 1, draws) for child in seed_of(seed, name).spawn(replicates)])


def _nested(seed: np.random.SeedSequence, rows: int, draws: int) -> Array:
    """Scrambled van der Corput sequences, (rows, draws); points of each doubling stand in a random order.

    Every doubling has streams of its own, so that fewer rows, and fewer draws, are the first of more.
    """
    found = np.random.default_rng(seed.spawn(1)[0]).random((rows, 1))
    while found.shape[1] < draws:
        order, place = (np.random.default_rng(child) for child in seed.spawn(2))
        cells = 2 * found.shape[1]
        empty = (found * cells).astype(np.int64) ^ 1  # the other half of the cell that each point is in
        new = (order.permuted(empty, axis=1) + place.random(empty.shape)) / cells
        found = np.concatenate([found, new], axis=1)
    return np.clip(found[:, :draws], EDGE, 1 - EDGE)


def column(seed: int, name: str, draws: int) -> Array:
    """As one replicate of `uniforms`, (draws,), in a fifth of the time: for quantities in their thousands.

    One generator gives order and places of all doublings; the first draws of more are the same.

    Examples
    --------
    >>> import numpy as np
    >>> found = column(1, "rest of a configuration", 64)
    >>> np.sort(np.floor(found * 64)).tolist() == list(range(64))
    True
    """
    rng = np.random.default_rng(seed_of(seed, name))
    size = FIRST
    found = np.empty(max(FIRST, 1 << (draws - 1).bit_length()))
    found[:size] = (rng.permutation(size) + rng.random(size)) / size
    while size < len(found):
        empty = (found[:size] * (2 * size)).astype(np.int64) ^ 1  # the other half of each point's cell
        rng.shuffle(empty)
        found[size : 2 * size] = (empty + rng.random(size)) / (2 * size)
        size *= 2
    return np.clip(found[:draws], EDGE, 1 - EDGE)


@dataclass(frozen=True)
class Design:
    """Nested Monte Carlo: replicates of epistemic samples (what is not known), and in each aleatory ones.

    Quantities are asked for by name; in every analysis with the same seed a name has the same values.
    Replicates are independent; their spread is the Monte Carlo error.

    Attributes
    ----------
    seed : the common seed.
    replicates : independent repetitions.
    outer : epistemic samples of each.
    inner : aleatory samples (queries) of each epistemic one.
    together : quantities that are a dimension each of one Sobol sequence, in this order, so that they fill
        their space evenly; one that is appended moves none before it. All others are paired at random.
        Two designs with quantities of this kind are not to be paired draw by draw: the same dimension,
        scrambled twice, can correlate by 0.95.

    Examples
    --------
    >>> from pipeline.core.assumption import LogNormal
    >>> design = Design(seed=1, replicates=2, outer=8, inner=4)
    >>> design.draw("PUE", LogNormal(family="lognormal", p5=1.05, p95=1.6)).shape
    (16,)
    >>> design.within("query").shape
    (16, 4)
    """

    seed: int
    replicates: int
    outer: int
    inner: int
    together: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Epistemic samples of all replicates."""
        return self.replicates * self.outer

    def uniforms(self, name: str) -> Array:
        """Of a quantity, one an epistemic sample, (replicates * outer,); those of a replicate together."""
        if name not in self.together:
            return uniforms(self.seed, name, self.replicates, self.outer).ravel()
        directions = _directions(self.together.index(name), (self.outer - 1).bit_length())
        seeds = seed_of(self.seed, name).spawn(self.replicates)
        return np.concatenate([_scrambled(directions, child)[: self.outer] for child in seeds])

    def draw(self, name: str, distribution: Distribution) -> Array:
        """Values of a quantity, one an epistemic sample, (replicates * outer,)."""
        return distribution.ppf(self.uniforms(name))

    def within(self, name: str) -> Array:
        """Uniforms of the aleatory samples of each epistemic one, (replicates * outer, inner).

        Each row has one point in each of `inner` equal cells, in an order of its own.
        """
        seeds = seed_of(self.seed, name).spawn(self.replicates)
        return np.concatenate([_nested(child, self.outer, self.inner) for child in seeds])


@cache
def _directions(dimension: int, bits: int) -> Indices:
    """The numbers whose exclusive ors are the first 2**bits points of one dimension of the Sobol sequence.

    From the primitive polynomials and first directions of Joe and Kuo, as SciPy and SALib have them.
    """
    from SALib.sample.directions import directions  # half a second less than to import SciPy's

    if dimension == 0:
        return 1 << np.arange(BITS - 1, BITS - 1 - bits, -1)
    polynomial, *first = directions[dimension - 1]
    degree = len(first)
    found = [number << (BITS - 1 - place) for place, number in enumerate(first)]
    for place in range(degree, bits):
        new = found[place - degree] ^ (found[place - degree] >> degree)
        for back in range(1, degree):
            new ^= (polynomial >> (degree - 1 - back) & 1) * found[place - back]
        found.append(new)
    return np.array(found[:bits])


def _scrambled(directions: Indices, seed: np.random.SeedSequence) -> Array:
    """All points of the directions after a random linear scramble and a random shift of their bits.

    The scramble is a lower triangular matrix, as SciPy's: what is even stays so. Points double with each
    direction, so that those of fewer directions come first.
    """
    rng = np.random.default_rng(seed)
    places = np.arange(BITS - 1, -1, -1)
    matrix = np.tril(rng.integers(2, size=(BITS, BITS)), -1) + np.eye(BITS, dtype=np.int64)
    moved = (1 << places) @ (matrix @ (directions >> places[:, None] & 1) % 2)
    found = np.empty(2 ** len(directions), np.int32)
    found[0] = rng.integers(2**BITS)
    for step, direction in enumerate(moved.astype(np.int32)):
        np.bitwise_xor(found[: 1 << step], direction, out=found[1 << step : 2 << step])
    return (found + 0.5) * 2.0**-BITS
