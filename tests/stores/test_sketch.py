"""Sketches, against the same sums done plainly."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from ragqa.store.sketch import GROUP, Best, Sketches, as_query, estimate, packed, rounded, sketch, unlike
from ragqa.types import Matrix, Vector


def crowded(rows: int, dim: int, seed: int = 0) -> Matrix:
    """Vectors whose cosines run from about 0.7 to 1, in clusters, as E5's do; the same clusters for every seed."""
    shared, random = np.random.default_rng(dim), np.random.default_rng(seed)
    common, clusters = shared.standard_normal(dim), shared.standard_normal((40, dim))
    own = clusters[random.integers(0, 40, rows)] + random.standard_normal((rows, dim))
    vectors = 2.5 * common + own * random.uniform(0.7, 1, (rows, 1))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def unpacked(made: Sketches, dim: int) -> NDArray[np.float64]:
    """What the sketches say their vectors are."""
    octets = made.bits.transpose(0, 2, 1).copy().view(np.uint8)
    high, low = np.unpackbits(octets, axis=2)[:, :, :dim].astype(float)
    return made.mean + made.weights[:, None] * (2 * high + low - 1.5)


def plain_query(vector: Vector) -> NDArray[np.float64]:
    """The odd multiples of a fifteenth of the largest number that are nearest."""
    step = np.abs(vector).max() / 15
    return np.clip(2 * np.round((vector / step - 1) / 2) + 1, -15, 15) * step


def test_four_steps_of_equal_width():
    rest = np.array([[-2.1, -1.9, -1, -0.1, 0, 0.9, 1, 7]], np.float32)
    assert rounded(rest, np.array([1], np.float32)).tolist() == [[0, 0, 1, 1, 2, 2, 3, 3]]
    assert rounded(rest, np.array([2], np.float32)).tolist() == [[0, 1, 1, 1, 2, 2, 2, 3]]


def test_high_bits_stand_before_low_bits_and_bits_left_over_are_0():
    bits = packed(np.array([[3, 2, 1, 0], [0, 0, 0, 1]], np.uint8))
    assert bits.shape == (2, 1, 2)
    octets = bits.transpose(0, 2, 1).copy().view(np.uint8)
    assert octets[..., 0].tolist() == [[0b11000000, 0], [0b10100000, 0b00010000]]
    assert not octets[..., 1:].any()


@pytest.mark.parametrize("dim", [4, 8, 12, 70, 384])
def test_counting_unequal_bits_gives_the_dot_product_of_what_was_rounded(dim: int):
    vectors, question = crowded(40, dim), crowded(1, dim, seed=9)[0]
    made = sketch(vectors)
    left = unpacked(made, dim) - made.mean
    assert estimate(as_query(question), made.weights, made.bits) == pytest.approx(
        left @ plain_query(question), abs=1e-5
    )


def test_a_sketch_is_as_long_along_its_vector_as_the_vector_is():
    vectors = crowded(GROUP, 384)
    made = sketch(vectors)
    rest = vectors - made.mean
    along = np.einsum("nd,nd->n", unpacked(made, 384) - made.mean, rest)
    assert along == pytest.approx(np.einsum("nd,nd->n", rest, rest), rel=1e-4)


def test_sketches_rank_almost_as_their_vectors_do():
    vectors, question = crowded(GROUP, 384), crowded(1, 384, seed=9)[0]
    made, exact = sketch(vectors), vectors @ question
    near = made.mean @ question + estimate(as_query(question), made.weights, made.bits)
    assert np.corrcoef(near, exact)[0, 1] > 0.93


def test_vectors_that_are_all_the_same_are_their_mean():
    vectors = np.repeat(crowded(1, 8), 3, axis=0)
    made = sketch(vectors)
    assert made.mean == pytest.approx(vectors[0])
    assert made.weights == pytest.approx(np.zeros(3), abs=1e-6)
    assert not unlike(vectors, made).any()


def test_a_sketch_of_another_vector_is_told():
    vectors = crowded(20, 384)
    made = sketch(vectors)
    assert not unlike(vectors, made).any()
    changed = vectors.copy()
    changed[7] = vectors[8]
    assert np.flatnonzero(unlike(changed, made)).tolist() == [7]


@pytest.mark.parametrize("portion", [1, 3, 100])
def test_the_best_of_many_portions_are_the_best_of_all(portion: int):
    numbers = np.random.default_rng(0).permutation(100).astype(np.float32)
    best = Best(7)
    for start in range(0, 100, portion):
        best.add(np.arange(100)[start : start + portion] + 1000, numbers[start : start + portion])
    assert sorted(best.keys().tolist()) == sorted((1000 + np.argsort(-numbers)[:7]).tolist())


def test_the_best_of_too_few_are_all():
    best = Best(7)
    assert best.keys().tolist() == []
    best.add(np.array([5, 6]), np.array([0.1, 0.2], np.float32))
    assert sorted(best.keys().tolist()) == [5, 6]
