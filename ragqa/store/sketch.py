"""Sketches: a vector in two bits a number, near enough to tell which few vectors are worth comparing.

E5's vectors crowd around a common direction, so what tells them apart is what is left when a mean is taken away. The
mean is that of a group of at most `GROUP` vectors that were stored together: passages of the same documents share more
than all passages do, and a mean that belongs to a group is never out of date. What is left is rounded to one of four
steps a number, and a weight for each vector makes up for the length that rounding took.

A question keeps four bits a number. Its dot product with a sketch is then eight counts of unequal bits, as in RaBitQ
(Gao and Long 2024, arXiv:2405.12497) with another way of rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ragqa.types import Matrix, Vector

GROUP = 512
STEP = 0.996  # of the standard deviation: four even steps that lose least of a normal distribution (Max 1960)
QUERY_BITS = 4

Bits = NDArray[np.uint64]
Keys = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Sketches:
    """Of a group of n vectors.

    Attributes:
        mean: (dim,) float32.
        steps: (n,) float32; how wide each vector's steps are.
        weights: (n,) float32; a sketch times its weight is, along the vector, as long as what it stands for.
        bits: (2, ⌈dim / 64⌉, n); the high bit of every number, then the low one. Bits left over are 0.
    """

    mean: Vector
    steps: Vector
    weights: Vector
    bits: Bits


@dataclass(frozen=True, slots=True)
class Query:
    """A question as sketches are compared with it.

    Attributes:
        bits: (QUERY_BITS, 1, ⌈dim / 64⌉, 1); the lowest bit of every number first.
        counted: (QUERY_BITS · 2 · ⌈dim / 64⌉,) float32; what an unequal bit takes away.
        most: What is left if no bit is unequal.
    """

    bits: Bits
    counted: Vector
    most: float


def sketch(vectors: Matrix) -> Sketches:
    """Sketch a group of vectors, at least one."""
    mean = vectors.mean(axis=0, dtype=np.float64).astype(np.float32)
    rest = vectors - mean
    steps = (STEP * np.sqrt(np.mean(rest * rest, axis=1))).astype(np.float32)
    steps[steps == 0] = 1
    levels = rounded(rest, steps)
    return Sketches(mean, steps, weighed(rest, levels), packed(levels))


def unlike(vectors: Matrix, made: Sketches) -> NDArray[np.bool_]:
    """Which of a group's vectors have another sketch than the one that was made of them: (n,).

    Mean and steps are taken as they are: another machine may add numbers up in another order.
    """
    with np.errstate(all="ignore"):  # steps that were damaged can be anything
        rest = vectors - made.mean
        levels = rounded(rest, made.steps)
        same = np.isclose(weighed(rest, levels), made.weights, rtol=1e-3)
    wrong: NDArray[np.bool_] = ~same | (packed(levels) != made.bits).any(axis=(0, 1))
    return wrong


def rounded(rest: Matrix, steps: Vector) -> NDArray[np.uint8]:
    """Which of four steps each number is on, 0 the lowest: (n, dim)."""
    levels: NDArray[np.uint8] = (np.clip(np.floor(rest / steps[:, None]), -2, 1) + 2).astype(np.uint8)
    return levels


def weighed(rest: Matrix, levels: NDArray[np.uint8]) -> Vector:
    """The weight of each sketch."""
    along = np.einsum("nd,nd->n", levels - np.float32(1.5), rest)
    squares = np.einsum("nd,nd->n", rest, rest)
    weights: Vector = np.divide(squares, along, out=np.zeros_like(along), where=along > 0)
    return weights


def packed(levels: NDArray[np.uint8]) -> Bits:
    """(n, dim) numbers from 0 to 3 → (2, ⌈dim / 64⌉, n)."""
    return np.ascontiguousarray(np.stack([_words(levels >> 1), _words(levels & 1)]).transpose(0, 2, 1))


def as_query(vector: Vector) -> Query:
    """Round a question to the odd multiples of a small step, of which there are 2 to the power of QUERY_BITS."""
    highest = 2**QUERY_BITS - 1
    half = float(np.abs(vector).max()) / highest
    levels = np.clip(np.round((vector / half + highest) / 2), 0, highest).astype(np.uint8)
    bits = np.stack([_words((levels >> place & 1)[None])[0] for place in range(QUERY_BITS)])
    # A number is ±1 ± ½ by its high and its low bit, the question's is a sum of ±2^place: equal signs add to the
    # product, unequal ones take away.
    by_place = half * 2.0 ** np.arange(QUERY_BITS)
    counted = np.repeat(np.outer(by_place, (2.0, 1.0)).ravel(), bits.shape[1]).astype(np.float32)
    return Query(bits[:, None, :, None], counted, 1.5 * len(vector) * float(by_place.sum()))


def estimate(query: Query, weights: Vector, bits: Bits) -> Vector:
    """About the dot product of the question with what is left of each vector without its group's mean: (n,) float32."""
    unequal = np.bitwise_count(query.bits ^ bits).reshape(len(query.counted), -1)
    near: Vector = weights * (np.float32(query.most) - query.counted @ unequal)
    return near


def _words(ones: NDArray[Any]) -> Bits:
    """(n, dim) of 0 and 1 → (n, ⌈dim / 64⌉), eight to a byte and eight bytes to a word."""
    octets = np.packbits(ones, axis=1)
    padded = np.pad(octets, ((0, 0), (0, -octets.shape[1] % 8)))
    return padded.view(np.uint64)


class Best:
    """The highest `count` of many numbers that come in portions, with a key each."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._floor = -np.inf
        self._keys = [np.zeros(0, np.int64)]
        self._numbers = [np.zeros(0, np.float32)]
        self._waiting = 0

    def add(self, keys: Keys, numbers: Vector) -> None:
        high = numbers > self._floor
        self._keys.append(keys[high])
        self._numbers.append(numbers[high])
        self._waiting += len(self._keys[-1])
        if self._waiting >= 4 * self.count:
            self._prune()

    def keys(self) -> Keys:
        """In no order; all of them where fewer than `count` came."""
        self._prune()
        return self._keys[0]

    def _prune(self) -> None:
        keys, numbers = np.concatenate(self._keys), np.concatenate(self._numbers)
        if len(keys) > self.count:
            best = np.argpartition(-numbers, self.count - 1)[: self.count]
            keys, numbers = keys[best], numbers[best]
            self._floor = float(numbers.min())
        self._keys, self._numbers, self._waiting = [keys], [numbers], len(keys)
