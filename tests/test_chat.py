"""Which questions are taken for ones that follow on another."""

from __future__ import annotations

import pytest

from ragqa.chat import followed
from ragqa.interaction import signs_of
from ragqa.store.exact import ExactStore
from ragqa.turn import Turn
from tests.fakes import ORIGIN, WordEmbedder, document, passage

BRIDGE = "The iron bridge was opened in 1894 by the mayor. The iron bridge is painted red because rust shows less."
BREAD = "Bread keeps longest in a wooden box. The wooden box wants holes for the air."


@pytest.fixture
def store() -> ExactStore:
    kept = ExactStore(centre=ORIGIN)
    for name, text in (("bridge.md", BRIDGE), ("bread.md", BREAD)):
        vectors, (tokens,) = WordEmbedder().passage_tokens([text])
        kept.add(document(text, id=name), [passage(text, document=name)], vectors, [signs_of(tokens, ORIGIN)])
    return kept


def query(store: ExactStore, question: str, *before: str) -> str | None:
    turns = [Turn(id=str(n), question=one, query=one, status="quoted", answer="") for n, one in enumerate(before)]
    condensed = followed(question, turns, embedder=WordEmbedder(), store=store)
    return condensed and condensed.query


def test_the_first_question_follows_on_nothing(store: ExactStore):
    assert query(store, "why?") is None


def test_a_bare_question_follows_on_the_last_one(store: ExactStore):
    before = "When does bread keep longest in a box?", "Why is the iron bridge painted red?"
    assert query(store, "since when?", *before) == "since when? (the iron bridge painted red)"


def test_a_question_about_something_else_stands_by_itself(store: ExactStore):
    assert query(store, "Why does bread keep longest in a wooden box?", "When was the iron bridge opened?") is None


def test_a_question_that_counts_stands_by_itself(store: ExactStore):
    assert query(store, "How many documents mention bread?", "When was the iron bridge opened?") is None


def test_an_empty_question_follows_on_nothing(store: ExactStore):
    assert query(store, "  ", "When was the iron bridge opened?") is None


def test_a_question_that_is_too_long_to_be_read_is_not_joined(store: ExactStore):
    assert query(store, "and it " * 200_000, "When was the iron bridge opened?") is None
