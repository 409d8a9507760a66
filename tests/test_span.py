"""Evidence → evidence with its short answer marked."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragqa import span
from ragqa.evidence import select
from ragqa.retrieve import Retrieved
from ragqa.runs import read_words
from ragqa.span import mark
from ragqa.types import Evidence
from tests.fakes import WordEmbedder, hit, retrieved


def read(question: str, *texts: str, quotes: int = 2) -> tuple[list[Evidence], Retrieved]:
    found = retrieved(question, *(hit(text, ordinal=n) for n, text in enumerate(texts, start=1)))
    chosen = select(found, embedder=WordEmbedder(), question=question, k=9)
    return mark(question, chosen, retrieved=found, embedder=WordEmbedder(), quotes=quotes), found


def marked(question: str, *texts: str, quotes: int = 2) -> list[str]:
    return [one.quote[slice(*one.span)] for one in read(question, *texts, quotes=quotes)[0] if one.span]


def runs(text: str) -> list[str]:
    words = read_words(text, np.zeros((0, 2), np.intp))
    return [text[slice(*words.bounds(n))] for n in range(len(words.first))]


def test_a_year_answers_when():
    assert marked("When was the bridge opened?", "The bridge was opened in 1894 by the mayor.") == ["1894"]


def test_a_number_answers_how_many():
    (found,) = marked("How many boats pass the bridge?", "Each day 37 boats pass the bridge at noon.")
    assert "37" in found


def test_no_more_than_one_sentence_is_marked():
    assert len(marked("Who built it?", "Anna Lind built it in May.", "Karl Berg built it in June.")) == 1


def test_only_what_is_shown_is_marked():
    assert marked("Who built it?", "Anna Lind built it in May.", quotes=0) == []


def test_where_nothing_stands_out_nothing_is_marked(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(span, "MIN_SHARE", 1.1)
    assert marked("When was it opened?", "It was opened in 1894.") == []


def test_nothing_but_the_span_changes():
    after, found = read("When was it opened?", "It was opened in 1894.")
    before = select(found, embedder=WordEmbedder(), question="When was it opened?", k=9)
    assert [replace(one, span=None) for one in after] == before


def test_no_evidence_is_no_evidence():
    nothing = retrieved("Who?", hit("Anna Lind built it."))
    assert mark("Who?", [], retrieved=nothing, embedder=WordEmbedder()) == []


def test_an_initial_and_a_range_stay_whole():
    assert "Anna B. Lind" in runs("Anna B. Lind won.")
    assert "27-30%" in runs("It reaches 27-30% there.")


def test_a_run_neither_begins_with_a_conjunction_nor_ends_with_an_article():
    assert not [run for run in runs("bread and the milk") if run.startswith("and") or run.endswith("the")]


@pytest.mark.parametrize(
    "text",
    ["", " ", "| attic | 4711 |", "def mean(x):\n    return x", "这座桥建于一九三四年。", "بني الجسر عام 1934.", "***"],
)
def test_texts_of_all_kinds_are_read(text: str):
    assert all(run.strip() for run in runs(text))


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=40), st.text(max_size=120))
def test_a_span_lies_in_its_quote_on_the_boundaries_of_words(question: str, text: str):
    quoted = [one for one in read(question or "?", text or "x")[0] if one.span]
    for one in quoted:
        start, end = one.span or (0, 0)
        assert 0 <= start < end <= len(one.quote)
        assert re.search(r"\w", one.quote[start:end])


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="abcÄß 12.,'’-_/()%$\n", max_size=60))
def test_no_run_cuts_a_word(text: str):
    words = read_words(text, np.zeros((0, 2), np.intp))
    for n in range(len(words.first)):
        for at in words.bounds(n):
            assert not re.fullmatch(r"\w\w", text[max(at - 1, 0) : at + 1])
