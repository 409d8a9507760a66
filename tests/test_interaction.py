"""A question's tokens against a passage's."""

from __future__ import annotations

import numpy as np
import pytest

from ragqa.interaction import max_sim, measure_centre, signs_of, similarities
from ragqa.types import Matrix
from tests.fakes import WordEmbedder

any_dim = pytest.mark.parametrize("dim", [1, 7, 8, 9, 20, 64, 384])


def rows(count: int, dim: int, seed: int) -> Matrix:
    return np.random.default_rng(seed).standard_normal((count, dim)).astype(np.float32)


@any_dim
def test_a_sign_says_on_which_side_of_the_centre_a_number_lies(dim: int):
    tokens, centre = rows(5, dim, 1), rows(1, dim, 2)[0]
    signs = signs_of(tokens, centre)
    assert (signs.shape, signs.dtype) == ((5, -(-dim // 8)), np.uint8)
    assert np.array_equal(np.unpackbits(signs, axis=1)[:, :dim], (tokens - centre > 0).astype(np.uint8))


@any_dim
def test_similarities_are_the_cosines_between_what_is_left_of_both_without_the_centre(dim: int):
    question, tokens, centre = rows(3, dim, 1), rows(5, dim, 2), rows(1, dim, 3)[0]
    near = similarities(question, signs_of(tokens, centre), centre)
    ones = np.where(tokens > centre, 1.0, -1.0)
    apart = question.astype(np.float64) - centre
    cosines = [[a @ b / np.linalg.norm(a) / np.linalg.norm(b) for b in ones] for a in apart]
    assert near == pytest.approx(np.array(cosines), abs=1e-5)


def test_a_token_on_the_same_sides_is_as_near_as_can_be_and_one_on_the_others_as_far():
    origin = np.zeros(4, np.float32)
    question = np.array([[1, -1, 1, -1]], np.float32)
    tokens = np.array([[2, -3, 0.5, -1], [-2, 3, -0.5, 1], [2, -3, -0.5, 1]], np.float32)
    assert similarities(question, signs_of(tokens, origin), origin).tolist() == [[1, -1, 0]]


def test_a_token_at_the_centre_is_near_nothing():
    centre = np.ones(4, np.float32)
    near = similarities(centre[None], signs_of(rows(2, 4, 1), centre), centre)
    assert near.tolist() == [[0, 0]]


def test_comparing_leaves_the_question_as_it_was():
    question, centre = rows(2, 8, 1), rows(1, 8, 2)[0]
    before = question.copy()
    similarities(question, signs_of(question, centre), centre)
    assert np.array_equal(question, before)


def test_a_passage_without_tokens_has_no_columns():
    origin = np.zeros(20, np.float32)
    signs = signs_of(np.zeros((0, 20), np.float32), origin)
    assert signs.shape == (0, 3)
    assert similarities(rows(2, 20, 1), signs, origin).shape == (2, 0)


def test_max_sim_is_the_mean_of_each_question_tokens_nearest():
    assert max_sim(np.array([[0.2, 0.9], [0.5, 0.1]], np.float32)) == pytest.approx((0.9 + 0.5) / 2)


@pytest.mark.parametrize("shape", [(2, 0), (0, 3), (0, 0)])
def test_max_sim_with_nothing_is_0(shape: tuple[int, int]):
    assert max_sim(np.zeros(shape, np.float32)) == 0


def test_signs_tell_a_word_that_is_there_from_one_that_is_not():
    embedder = WordEmbedder()
    centre = measure_centre(embedder)
    _vector, question = embedder.query_tokens("bridge")
    _vectors, (tokens,) = embedder.passage_tokens(["the bridge opened"])
    near = similarities(question, signs_of(tokens, centre), centre)[0]
    assert int(near.argmax()) == 1
    assert near[1] > 0.6
    assert max(near[0], near[2]) < 0.4


def test_the_centre_is_the_mean_of_all_tokens_of_the_same_texts():
    class Remembering(WordEmbedder):
        def passage_tokens(self, texts):  # type: ignore[no-untyped-def]
            vectors, self.seen = super().passage_tokens(texts)
            return vectors, self.seen

    embedder = Remembering()
    centre = measure_centre(embedder)
    assert (centre.shape, centre.dtype) == ((64,), np.float32)
    assert centre == pytest.approx(np.array([row for one in embedder.seen for row in one]).mean(axis=0), abs=1e-6)
    assert np.array_equal(centre, measure_centre(WordEmbedder()))
