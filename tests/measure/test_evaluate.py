from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ragqa.index import update_index
from ragqa.index.summary import Summary
from ragqa.measure.datasets import Example
from ragqa.measure.evaluate import Asking, evaluate
from ragqa.measure.layout import keep_only, lay_out
from ragqa.prompt import load_template
from ragqa.store.opening import create_index
from ragqa.types import Filter
from ragqa.write import Writing
from tests.fakes import EchoGenerator, WordEmbedder

DOCUMENTS = {
    "light": "The lighthouse was first lit in 1894.",
    "bread": "Bread keeps longest in a wooden box.",
    "tower": "The water tower was painted red in 1901.",
}
LIT = Example("q1", "When was the lighthouse first lit?", {"light": 1}, ("1894",), "light")
ABSENT = Example("q2", "Who won the football match?")


@pytest.fixture
def asking(tmp_path: Path) -> Iterator[Asking]:
    """Three documents and one distractor, everything answered, nobody writing."""
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "lamp.md").write_text("The lighthouse lamp burned oil, and was lit by hand.")
    places = lay_out(DOCUMENTS, tmp_path / "documents")
    store = create_index(tmp_path / "index.db", fingerprint="f", model="words", dim=64)
    roots = [(tmp_path / name).resolve() for name in ("documents", "notes")]
    update_index(roots, store=store, embedder=WordEmbedder(), summary=Summary())
    names = keep_only(store, places, roots[1:])
    yield Asking(WordEmbedder(), store, None, k=2, quotes=1, min_support=0, names=names)
    store.close()


def test_the_documents_are_ranked_by_their_ids_in_the_dataset(asking: Asking):
    (outcome,) = evaluate([LIT], asking).outcomes
    assert outcome.ranking[0] == "light"
    assert set(outcome.ranking) == {*DOCUMENTS, "(distractor) notes/lamp.md"}


def test_only_documents_that_the_filter_allows_are_searched(asking: Asking):
    (outcome,) = evaluate([LIT], replace(asking, where=Filter(paths=("notes",)))).outcomes
    assert outcome.ranking == ("(distractor) notes/lamp.md",)
    assert {hit.passage.document_id for hit in outcome.answer.hits} == {"notes/lamp.md"}


def test_the_answer_is_the_one_that_users_get(asking: Asking):
    (outcome,) = evaluate([LIT], asking).outcomes
    assert [citation.evidence.quote for citation in outcome.answer.citations] == [DOCUMENTS["light"]]
    assert len(outcome.answer.hits) == asking.k
    assert 1 < len(outcome.answer.evidence) <= 3
    assert outcome.cites_relevant


def test_held_out_documents_are_nowhere_to_be_found_and_back_afterwards(asking: Asking):
    before = asking.store.known()
    (outcome,) = evaluate([LIT], asking, holdout=True).outcomes
    assert outcome.held_out
    assert outcome.held_out.of_documents == len(before) - 1
    assert DOCUMENTS["light"] not in [one.quote for one in outcome.held_out.evidence]
    assert asking.store.known() == before
    assert evaluate([LIT], asking).outcomes[0].ranking == outcome.ranking


def test_a_question_is_asked_after_those_before_it(asking: Asking):
    (outcome,) = evaluate([replace(LIT, question="when?", before=("Was the lighthouse lit?",))], asking).outcomes
    assert outcome.answer.query == "when? (the lighthouse lit)"
    assert outcome.ranking[0] == "light"
    assert outcome.finds_answer


def test_a_question_that_stands_by_itself_is_asked_the_same_after_another(asking: Asking):
    (alone,) = evaluate([LIT], asking).outcomes
    (after,) = evaluate([replace(LIT, before=("Does bread keep in a wooden box?",))], asking).outcomes
    assert (after.answer.query, after.ranking) == (LIT.question, alone.ranking)


def test_only_a_passage_of_a_relevant_document_is_found(asking: Asking):
    (outcome,) = evaluate([replace(LIT, relevant={"tower": 1})], asking).outcomes
    assert not outcome.finds_answer


def test_a_question_that_nothing_answers_is_asked_once(asking: Asking):
    (outcome,) = evaluate([ABSENT], asking, holdout=True).outcomes
    assert (outcome.ranking, outcome.held_out, outcome.cites_relevant) == ((), None, False)


def test_a_refused_answer_quotes_no_relevant_document(asking: Asking):
    (outcome,) = evaluate([LIT], replace(asking, min_support=1.1)).outcomes
    assert outcome.answer.status == "abstained"
    assert not outcome.cites_relevant


def test_the_llama_is_not_asked_what_is_held_out(asking: Asking):
    generator = EchoGenerator("In 1894.")
    writing = Writing(generator, load_template("answer"), budget=500, max_tokens=20)
    (outcome,) = evaluate([LIT], replace(asking, writing=writing), holdout=True).outcomes
    assert len(generator.prompts) == 1
    assert [sentence.text for sentence in outcome.answer.written] == ["In 1894."]


def test_a_question_that_is_too_long_stops_nobody(asking: Asking):
    long = replace(LIT, question="when " * 600)
    run = evaluate([long, LIT], asking)
    assert [outcome.example for outcome in run.outcomes] == [LIT]
    ((example, message),) = run.unasked
    assert example is long
    assert "tokens" in message


def test_progress_is_told_from_the_first_question_to_the_last(asking: Asking):
    told: list[Any] = []
    evaluate([LIT, ABSENT], asking, progress=lambda *counts: told.append(counts))
    assert told == [(0, 2), (1, 2), (2, 2)]
