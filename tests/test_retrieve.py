"""Question → hits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from ragqa.interaction import max_sim, signs_of, similarities
from ragqa.retrieve import CANDIDATES, RERANKED, fuse, rerank, retrieve, without_copies
from ragqa.store.exact import ExactStore
from ragqa.types import Filter, Hit
from tests.fakes import ORIGIN, WordEmbedder, document, hit, passage


def found(text: str, dense: float, lexical: float | None = None, ordinal: int = 1) -> Hit:
    scores = {"dense": dense} | ({} if lexical is None else {"lexical": lexical})
    return Hit(passage(text, ordinal=ordinal), Path("/a"), dense, scores)


def filled(texts: Sequence[str], collection: str = "default", *, signs: bool = True) -> ExactStore:
    store = ExactStore(centre=ORIGIN)
    passages = [passage(text, ordinal=n) for n, text in enumerate(texts, start=1)]
    vectors, tokens = WordEmbedder().passage_tokens(texts)
    kept = [signs_of(one, ORIGIN) for one in tokens] if signs else []
    store.add(document("\n".join(texts), collection=collection), passages, vectors, kept)
    return store


def ordinals(hits: Sequence[Hit]) -> list[int]:
    return [hit.passage.ordinal for hit in hits]


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
    assert retrieve("bridge?", embedder=WordEmbedder(), store=ExactStore(centre=ORIGIN), k=3).hits == ()


# Read closely


def test_of_equals_the_passage_whose_tokens_answer_comes_first():
    texts = ["The tower is tall.", "The bridge opened."]
    _vector, tokens = WordEmbedder().query_tokens("bridge opened")
    hits, near = rerank(tokens, [found(text, 0.9, ordinal=n) for n, text in enumerate(texts, 1)], filled(texts))
    assert ordinals(hits) == [2, 1]
    assert [one.shape for one in near] == [(2, 3), (2, 4)]


def test_a_score_is_what_was_fused_and_the_max_sim_of_the_tokens():
    _vector, tokens = WordEmbedder().query_tokens("bridge")
    signs = signs_of(WordEmbedder().passage_tokens(["The bridge."])[1][0], ORIGIN)
    (hit,), (near,) = rerank(tokens, [found("The bridge.", 0.9)], filled(["The bridge."]))
    assert np.array_equal(near, similarities(tokens, signs, ORIGIN))
    assert hit.scores == {"dense": 0.9, "interaction": max_sim(near)}
    assert hit.score == pytest.approx(0.9 + max_sim(near))


def test_only_the_best_are_read_closely_and_the_others_follow_as_they_were():
    texts = ["The tower is tall."] * RERANKED + ["The sky.", "The bridge opened."]
    fused = [found(text, 0.9 - n / 100, ordinal=n) for n, text in enumerate(texts, 1)]
    _vector, tokens = WordEmbedder().query_tokens("bridge opened tall")
    hits, near = rerank(tokens, fused, filled(texts))
    assert ordinals(hits) == list(range(1, RERANKED + 3))
    assert hits[RERANKED:] == fused[RERANKED:]
    assert ["interaction" in hit.scores for hit in hits] == [True] * RERANKED + [False] * 2
    assert [one.shape[1] for one in near] == [4] * RERANKED + [0, 0]
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_passages_stored_without_signs_are_found_in_the_order_they_were_fused():
    texts = ["The tower is tall.", "The bridge opened."]
    _vector, tokens = WordEmbedder().query_tokens("bridge opened")
    fused = [found(texts[0], 0.9, ordinal=1), found(texts[1], 0.8, ordinal=2)]
    hits, near = rerank(tokens, fused, filled(texts, signs=False))
    assert [(hit.score, hit.scores["interaction"]) for hit in hits] == [(0.9, 0), (0.8, 0)]
    assert [one.shape for one in near] == [(2, 0), (2, 0)]


def test_equal_passages_are_ordered_by_id_after_they_were_read():
    texts = ["The bridge.", "The bridge."]
    _vector, tokens = WordEmbedder().query_tokens("bridge")
    hits, _near = rerank(tokens, [found(texts[0], 0.9, ordinal=n) for n in (2, 1)], filled(texts))
    assert ordinals(hits) == [1, 2]


def test_the_field_is_all_that_was_read_closely_however_few_are_wanted():
    texts = [f"Passage {n} tells of towers." for n in range(RERANKED + 2)] + ["The bridge opened in 1894."]
    retrieved = retrieve("When was the bridge opened?", embedder=WordEmbedder(), store=filled(texts), k=1)
    assert ordinals(retrieved.hits) == [len(texts)]
    assert len(retrieved.near) == 1
    assert len(retrieved.field) == RERANKED
    assert retrieved.field[0] == max(retrieved.field) == retrieved.hits[0].scores["interaction"]


def test_the_best_lexical_score_is_told_even_of_a_passage_that_is_not_wanted():
    texts = ["The bridge.", "Towers.", "Eggs.", "The bridge was opened when the bridge was opened."]
    store = filled(texts)
    retrieved = retrieve("bridge", embedder=WordEmbedder(), store=store, k=1)
    assert retrieved.best_lexical == max(hit.score for hit in store.match(["bridge"], 9))


def test_a_question_without_words_is_still_compared_as_a_whole():
    retrieved = retrieve("?!", embedder=WordEmbedder(), store=filled(["The bridge."]), k=3)
    assert ordinals(retrieved.hits) == [1]
    assert retrieved.field == (0,)


LONG = "The iron bridge over the river was opened in the spring of 1894 by the mayor of the town"


def test_a_copy_is_left_out_and_the_better_one_stays():
    hits = [hit(f"{LONG}."), hit("Bread keeps in a box."), hit(f"{LONG}!", ordinal=2), hit(f"{LONG}, says a note.")]
    assert [hits.index(one) for one in without_copies(hits)] == [0, 1, 3]


def test_only_when_asked_to_does_a_search_leave_out_copies(tmp_path: Path):
    store = ExactStore(centre=ORIGIN)
    embedder = WordEmbedder()
    for name in ("a.md", "b.md"):
        store.add(document(LONG, id=name), [passage(LONG, document=name)], embedder.embed_passages([LONG]))
    both = retrieve("When was the bridge opened?", embedder=embedder, store=store, k=5)
    one = retrieve("When was the bridge opened?", embedder=embedder, store=store, k=5, once=True)
    assert (len(both.hits), len(one.hits), len(one.field)) == (2, 1, 1)
