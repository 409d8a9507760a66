"""What drawn questions say of support in one index."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ragqa.calibrate import CHANGED, PASSAGES, QUESTIONS, calibrate, fit, is_due
from ragqa.embed import Embedder
from ragqa.interaction import signs_of
from ragqa.store.exact import ExactStore
from ragqa.support import FITTED
from ragqa.types import Calibration
from tests.fakes import ORIGIN, WordEmbedder, document, passage

SUBJECTS = "bridge river lantern harbour kettle garden engine violin glacier pigeon".split()
SENTENCE = "The {0} that Ada kept beside the {1} was painted {2} green in {3}."


def library(documents: int = 30, embedder: Embedder | None = None) -> ExactStore:
    """Documents of one sentence each, no two of the same."""
    embedder, store = embedder or WordEmbedder(), ExactStore("words", ORIGIN)
    for n in range(documents):
        text = SENTENCE.format(SUBJECTS[n % 10] + str(n), SUBJECTS[n // 10] + "s", f"shade{n}", 1800 + n)
        vectors, tokens = embedder.passage_tokens([text])
        id = f"n/{n}.md"
        store.add(document(text, id=id), [passage(text, document=id)], vectors, [signs_of(tokens[0], ORIGIN)])
    return store


def logits(mean: float, n: int = 37) -> list[float]:
    """`n` of them spread evenly, four to each side of the mean."""
    return [float(value) for value in np.linspace(mean - 4, mean + 4, n)]


# When


def test_an_index_is_calibrated_once_it_is_large_enough():
    assert is_due(library(PASSAGES))
    assert not is_due(library(PASSAGES - 1))


@pytest.mark.parametrize(("then", "due"), [(30, False), (26, False), (24, True), (36, False), (38, True)])
def test_it_is_calibrated_again_when_a_fifth_of_it_has_changed(then: int, due: bool):
    store = library(30)
    store.calibrate(Calibration(weights=FITTED, passages=then))
    assert is_due(store) is due
    assert due is (abs(30 - then) > CHANGED * then)


def test_a_calibration_of_other_weights_is_made_anew():
    store = library(30)
    store.calibrate(Calibration(weights="others", passages=30))
    assert is_due(store)


# Whether, and by how much


def test_where_the_weights_fit_nothing_is_changed():
    assert fit(logits(5.6), logits(-2.1)) == (1, 0)


def test_a_few_questions_change_nothing_even_where_they_speak_against_the_weights():
    assert fit([-1.0, 1.0], [-6.0, -4.0]) == (1, 0)


def test_without_questions_of_both_kinds_nothing_is_changed():
    assert fit([], logits(-2.0)) == fit(logits(5.0), []) == (1, 0)


@pytest.mark.parametrize("off", [-6.0, 5.0])
def test_logits_that_are_all_off_are_shifted_back(off: float):
    slope, shift = fit(logits(5.6 + off), logits(-2.1 + off))
    assert 0.5 < slope < 1.5
    assert slope * (3.0 + off) + shift > 0 > slope * (-2.1 + off) + shift


def test_logits_that_say_too_little_are_spread():
    slope, _shift = fit([0.1 * one for one in logits(5.6)], [0.1 * one for one in logits(-2.1)])
    assert slope > 1.5


def test_logits_the_wrong_way_round_are_never_turned():
    assert fit(logits(-8.0), logits(8.0)) == (1, 0)


@pytest.mark.parametrize("far", [-1e4, 1e4])
def test_logits_however_far_off_give_numbers(far: float):
    assert np.isfinite(fit(logits(far + 5), logits(far))).all()


# The whole


def test_what_was_measured_is_kept_in_the_index():
    store = library(30)
    found = calibrate(store, embedder=WordEmbedder(), k=5)
    assert store.calibration == found
    assert (found.weights, found.passages) == (FITTED, 30)
    assert 0 < found.questions <= QUESTIONS
    assert not is_due(store)


def test_the_same_index_is_calibrated_alike():
    first, second = (calibrate(library(30), embedder=WordEmbedder(), k=5) for _ in range(2))
    assert first == second


def test_stopped_on_the_way_the_index_and_its_last_calibration_stay():
    def stop(done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    store = library(30)
    last = Calibration(2.0, 1.0, "old", 9, 9)
    store.calibrate(last)
    with pytest.raises(KeyboardInterrupt):
        calibrate(store, embedder=WordEmbedder(), k=5, progress=stop)
    assert store.calibration == last
    assert len(store.known()) == 30


def test_an_index_of_which_nothing_can_be_asked_is_left_as_it_is():
    store = ExactStore("words", ORIGIN)
    found = calibrate(store, embedder=WordEmbedder(), k=5)
    assert replace(found, weights="") == Calibration()
