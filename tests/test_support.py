"""How well the documents support an answer at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from ragqa.evidence import select
from ragqa.interaction import signs_of
from ragqa.retrieve import RERANKED, Retrieved
from ragqa.store.exact import ExactStore
from ragqa.support import FITTED, FOLLOWING, UNRELATED, WEIGHTS, asked_near, logit, signals, support
from ragqa.types import Calibration, Evidence, Hit
from tests.fakes import ORIGIN, WordEmbedder, document, evidence, hit, passage, retrieved

QUESTION = "When was the bridge opened?"


def found(
    *hits: Hit, words: tuple[str, ...] = ("bridge", "opened"), field: Sequence[float] = (), best_lexical: float = 0.0
) -> Retrieved:
    """Hits for a question whose words are all equally rare."""
    near = (np.zeros((1, 0), np.float32),) * len(hits)
    return Retrieved(hits, near, ORIGIN, words, (1,) * len(words), 10, tuple(field), best_lexical)


def quoted(text: str, max_sim: float = 0.9, heading: tuple[str, ...] = ()) -> list[Evidence]:
    return [replace(evidence(text, heading=heading), scores={"max_sim": max_sim, "least_matched": 0.5})]


def scored(dense: float = 0.9, lexical: float = 0.0) -> Hit:
    return replace(hit("x"), scores={"dense": dense, "lexical": lexical})


def field_signal(*field: float) -> float:
    return signals(found(scored(), field=field), quoted("x"), QUESTION)["stands_out"]


# Signals


def test_nothing_found_gives_no_signal_and_no_support():
    for judged in (signals(found(), [], QUESTION), signals(found(scored()), [], QUESTION)):
        assert judged == dict.fromkeys(WEIGHTS, 0)
        assert support(judged) == 0


def test_the_signals_are_those_that_have_weights():
    assert list(signals(found(scored()), quoted("x"), QUESTION)) == list(WEIGHTS)


def test_matched_is_the_share_of_the_words_there_times_the_max_sim_of_the_sentence():
    assert signals(found(scored()), quoted("A bridge.", 0.6), QUESTION)["matched"] == pytest.approx(0.5 * 0.6)
    assert signals(found(scored()), quoted("It opens bridges.", 0.6), QUESTION)["matched"] == pytest.approx(0.6)
    assert signals(found(scored()), quoted("Boats.", 0.6), QUESTION)["matched"] == 0


def test_the_words_of_a_heading_count_for_the_passage_under_it():
    judged = signals(found(scored()), quoted("It was opened.", 0.6, heading=("The bridge",)), QUESTION)
    assert judged["matched"] == pytest.approx(0.6)


def test_the_cosine_is_that_of_the_nearest_passage_wherever_it_stands():
    assert signals(found(scored(0.7), scored(0.9), scored(0.8)), quoted("x"), QUESTION)["cosine"] == 0.9


def test_the_best_passage_stands_out_by_standard_deviations_of_the_next_nine():
    others = [0.3, 0.5] * 4 + [0.4]  # mean 0.4, deviation 0.1 · √(8/9)
    assert field_signal(0.8, *others) == pytest.approx(0.4 / (0.1 * (8 / 9) ** 0.5 + 0.01))


def test_among_equals_none_stands_out():
    assert field_signal(*[0.5] * RERANKED) == 0


def test_few_passages_are_joined_by_unrelated_ones():
    assert field_signal(UNRELATED + 0.3) == pytest.approx(0.3 / 0.01)
    assert field_signal(0.6, UNRELATED) == field_signal(0.6)
    assert field_signal(0.6, 0.6) < field_signal(0.6)


def test_where_nothing_was_read_closely_nothing_stands_out():
    assert field_signal() == 0


def test_lexical_agreement_is_the_first_hits_share_of_the_best_bm25():
    judged = signals(found(scored(lexical=3), scored(lexical=6), best_lexical=6), quoted("x"), QUESTION)
    assert judged["lexical_agreement"] == 0.5


def test_hardly_matching_words_do_not_agree_even_where_they_match_best():
    judged = signals(found(scored(lexical=0.2), best_lexical=0.2), quoted("x"), QUESTION)
    assert judged["lexical_agreement"] == 0.2


def test_without_lexical_hits_there_is_no_agreement():
    assert signals(found(scored()), quoted("x"), QUESTION)["lexical_agreement"] == 0


@pytest.mark.parametrize(
    ("question", "missing"),
    [
        ("When did Ada meet Bob in 1843?", 1 / 3),
        ("When did Ada meet him in 1843?", 0),
        ("When did Eve meet Bob?", 1),
        ("What is the bridge?", 0),
        ("Where is Ada-Bob-Square?", 1),
        ("?", 0),
    ],
)
def test_missing_names_are_the_share_of_names_and_numbers_that_are_not_there(question: str, missing: float):
    judged = signals(found(scored()), quoted("Ada wrote in 1843."), question)
    assert judged["missing_names"] == pytest.approx(missing)


def test_what_stands_around_the_sentence_counts_as_well_as_the_sentence():
    text = "The bridge is old. It was opened in 1894."
    kept = retrieved(QUESTION, hit(text))
    best = select(kept, embedder=WordEmbedder(), question=QUESTION, k=1)
    assert signals(kept, best, QUESTION)["matched"] == pytest.approx(best[0].scores["max_sim"])


# Support


def test_support_is_a_logistic_of_the_weighted_sum():
    even = dict.fromkeys(WEIGHTS, 0.0) | {"bias": 1.0, "cosine": -WEIGHTS["bias"] / WEIGHTS["cosine"]}
    assert logit(even) == pytest.approx(0)
    assert support(even) == pytest.approx(0.5)


def test_support_grows_with_each_signal_but_the_names_that_are_missing():
    judged = dict.fromkeys(WEIGHTS, 0.5) | {"bias": 1.0}
    grows = {name: support(judged | {name: 0.9}) > support(judged) for name in WEIGHTS if name != "bias"}
    assert grows == {name: name != "missing_names" for name in grows}


def test_a_calibration_shifts_and_spreads_the_logit():
    even = dict.fromkeys(WEIGHTS, 0.0) | {"bias": 1.0, "cosine": (1 - WEIGHTS["bias"]) / WEIGHTS["cosine"]}
    assert logit(even) == pytest.approx(1)
    assert support(even, Calibration(3.0, -3.0, FITTED)) == pytest.approx(0.5)
    assert support(even, Calibration(3.0, -3.0, "others")) == support(even) == support(even, Calibration())
    assert 0 <= support(even, Calibration(1e6, 0.0, FITTED)) <= 1


def test_what_found_nothing_has_no_support_however_calibrated():
    assert support(dict.fromkeys(WEIGHTS, 0.0), Calibration(1.0, 9.0, FITTED)) == 0


@pytest.mark.parametrize("stands_out", [-200.0, 200.0])  # one MaxSim is -1, all the others are 1; and the reverse
@pytest.mark.parametrize("each", [-1.0, 0.0, 1.0])
def test_support_stays_between_0_and_1(each: float, stands_out: float):
    assert 0 <= support(dict.fromkeys(WEIGHTS, each) | {"bias": 1.0, "stands_out": stands_out}) <= 1


def test_a_passage_that_answers_is_supported_and_one_of_something_else_is_not():
    judged = {}
    for text in ("The bridge was opened in 1894.", "Mix the flour with eggs and milk."):
        kept = replace(retrieved(QUESTION, hit(text)), best_lexical=4.0)
        kept = replace(kept, hits=(replace(kept.hits[0], scores=kept.hits[0].scores | {"lexical": 4.0}),))
        best = select(kept, embedder=WordEmbedder(), question=QUESTION, k=1)
        judged[text] = support(signals(kept, best, QUESTION))
    answering, other = judged.values()
    assert other < 0.5 < answering


# Questions that follow on another


def near(question: str) -> dict[str, float]:
    """How near a passage about a bridge comes to a question."""
    text = "The iron bridge was opened in 1894."
    store = ExactStore(centre=ORIGIN)
    vectors, (tokens,) = WordEmbedder().passage_tokens([text])
    store.add(document(text), [passage(text)], vectors, [signs_of(tokens, ORIGIN)])
    return asked_near(question, [evidence(text)], embedder=WordEmbedder(), store=store)


def test_a_passage_comes_near_to_the_words_it_holds_and_not_to_others():
    assert near("and the bridge?")["asked_near"] > 2 * near("and Kubernetes?")["asked_near"]


def test_a_question_without_words_of_its_own_is_near_to_nothing_in_particular():
    assert near("why?") == {}


def test_what_follows_is_supported_by_its_own_words_too():
    found = dict.fromkeys(WEIGHTS, 1.0)
    supports = [support(found | {"asked_near": value}) for value in (0.0, 0.2, 0.4)]
    assert supports == sorted(supports)
    expected = FOLLOWING["bias"] + FOLLOWING["logit"] * logit(found) + FOLLOWING["asked_near"] * 0.2
    assert supports[1] == pytest.approx(1 / (1 + np.exp(-expected)))
