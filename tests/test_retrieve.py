"""Question → hits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from ragqa.retrieve import CANDIDATES, fuse, retrieve, search_words
from ragqa.store.exact import ExactStore
from ragqa.types import Filter, Hit
from tests.fakes import WordEmbedder, document, passage


def found(text: str, dense: float, lexical: float | None = None, ordinal: int = 1) -> Hit:
    scores = {"dense": dense} | ({} if lexical is None else {"lexical": lexical})
    return Hit(passage(text, ordinal=ordinal), Path("/a"), dense, scores)


def filled(texts: Sequence[str], collection: str = "default") -> ExactStore:
    store = ExactStore()
    passages = [passage(text, ordinal=n) for n, text in enumerate(texts, start=1)]
    store.add(document("\n".join(texts), collection=collection), passages, WordEmbedder().embed_passages(texts))
    return store


def test_words_that_carry_no_meaning_are_not_searched_for():
    assert search_words("When was the Bridge opened?") == ("bridge", "opened")


def test_a_question_of_such_words_alone_is_searched_for_as_it_is():
    assert search_words("Who was that?") == ("who", "was", "that")


def test_each_word_is_searched_for_once_and_marks_stay_inside_it():
    assert search_words("sqlite-vec or SQLite-vec, v1.2?") == ("sqlite-vec", "v1.2")


def test_a_question_without_words_has_none():
    assert search_words("?!") == ()


def test_the_best_word_match_adds_the_weight_and_others_a_share_of_it():
    dense = [found("a", 0.9, ordinal=1), found("b", 0.8, ordinal=2), found("c", 0.7, ordinal=3)]
    lexical = [found("c", 0.7, 4.0, ordinal=3), found("b", 0.8, 2.0, ordinal=2)]
    fused = fuse(dense, lexical, weight=0.4)
    assert [(one.passage.text, one.score) for one in fused] == [
        ("c", pytest.approx(1.1)),
        ("b", pytest.approx(1.0)),
        ("a", pytest.approx(0.9)),
    ]
    assert fused[0].scores == {"dense": 0.7, "lexical": 4.0, "fused": fused[0].score}


def test_equal_scores_are_ordered_by_id():
    fused = fuse([found("b", 0.5, ordinal=2), found("a", 0.5, ordinal=1)], [])
    assert [one.passage.ordinal for one in fused] == [1, 2]


def test_fusing_leaves_its_hits_as_they_were():
    one = found("a", 0.9)
    fuse([one], [found("a", 0.9, 2.0)])
    assert one.scores == {"dense": 0.9}


def test_the_passage_that_answers_comes_first():
    store = filled(["The tower is tall.", "The bridge opened in 1894.", "Eggs and flour."])
    retrieved = retrieve("When was the bridge opened?", embedder=WordEmbedder(), store=store, k=2)
    assert retrieved.hits[0].passage.ordinal == 2
    assert len(retrieved.hits) == 2
    assert retrieved.words == ("bridge", "opened")
    assert (retrieved.frequencies, retrieved.passages) == ((1, 1), 3)


def test_a_word_match_beyond_the_dense_candidates_gets_its_cosine():
    texts = [f"the bridge the bridge number {n}" for n in range(CANDIDATES)] + ["zebra " + "unlike " * 3 + "all"]
    embedder, store = WordEmbedder(), filled(texts)
    retrieved = retrieve("the bridge zebra", embedder=embedder, store=store, k=CANDIDATES + 1)
    (zebra,) = [one for one in retrieved.hits if "zebra" in one.passage.text]
    cosine = embedder.embed_passages([texts[-1]])[0] @ embedder.embed_query("the bridge zebra")
    assert zebra.scores["dense"] == pytest.approx(float(cosine), abs=1e-6)


def test_only_the_collections_asked_for_are_searched():
    store = filled(["The bridge."], collection="kitchen")
    retrieved = retrieve("bridge", embedder=WordEmbedder(), store=store, k=3, where=Filter(("office",)))
    assert retrieved.hits == ()
    assert retrieved.passages == 0


def test_nothing_is_found_in_an_empty_store():
    assert retrieve("bridge?", embedder=WordEmbedder(), store=ExactStore(), k=3).hits == ()
