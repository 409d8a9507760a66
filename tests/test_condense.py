"""A question and the one before → what is searched for."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragqa.condense import LONGEST, MOST_BEFORE, MOST_TIMES, condense, leaning, says_nothing

INSTALL = "How do I install ragqa on Linux?"


@pytest.mark.parametrize(
    "question",
    [
        "why?",
        "And on a Mac?",
        "what about the large one",
        "How do I turn that off again?",
        "since when?",
        "for example?",
    ],
)
def test_a_question_with_little_of_its_own_or_a_pronoun_leans_on_what_came_before(question: str):
    assert leaning(question) > 0


@pytest.mark.parametrize(
    "question",
    [
        "What does E5 want in front of a passage?",
        "How long does it take to copy a database of ten gigabytes?",
        "Is there a tool that resizes images on the command line?",
        "国际象棋比赛的第一届世界冠军是谁在哪一年获得的？",
        "Which word2vec variant fills in the missing word from the words around it?",
    ],
)
def test_a_question_that_names_what_it_is_about_does_not(question: str):
    assert leaning(question) <= 0


@pytest.mark.parametrize("words", ["HNSW", "tokenizer", "write-ahead log", "log rotation nginx"])
def test_words_to_look_for_stand_by_themselves(words: str):
    assert leaning(words) == -math.inf


@pytest.mark.parametrize("line", ["thanks", "ok, got it!", "👍", "/", "...", "Thank you very much"])
def test_a_line_that_asks_nothing_is_told_from_a_question(line: str):
    assert says_nothing(line)


@pytest.mark.parametrize("line", ["why?", "since when?", "and on a Mac?", "HNSW", "为什么？"])
def test_a_bare_question_asks_something(line: str):
    assert not says_nothing(line)


def test_what_it_follows_on_is_said_without_the_words_that_only_ask():
    assert condense("And on a Mac?", "How do I install ragqa?").query == "And on a Mac? (install ragqa)"


def test_the_question_weighs_more_than_what_it_follows_on():
    searched = condense("and on a Mac?", "How do I install ragqa from a wheel?").searched
    assert searched == "and on a Mac and on a Mac (install ragqa from a wheel)?"


def test_the_only_name_takes_the_place_of_a_pronoun():
    both = condense("how long a text can it read?", "What was CLIP trained on?")
    assert both.query == both.searched == "how long a text can CLIP read?"
    assert condense("why are its scores negative?", "who developed BM25?").query == "why are BM25's scores negative?"


def test_of_two_names_neither_is_taken_for_the_pronoun():
    assert "it" in condense("Is it fast?", "How does BM25 differ from E5?").query.split()


def test_what_it_follows_on_is_carried_along_and_the_first_of_it_goes_first():
    query = condense("And on a Mac?", INSTALL).query
    query = condense("why?", query).query
    assert query == "why? (on a Mac, install ragqa on Linux)"
    for _turn in range(20):
        query = condense("And on a small machine?", query).query
    assert query.startswith("And on a small machine? (on a small machine, on a small machine")
    assert len(query.split()) <= MOST_BEFORE + 5


def test_without_spaces_what_it_follows_on_does_not_grow_for_ever_either():
    query = "国际象棋比赛的第一届世界冠军是谁在哪一年获得的" * 8
    for _turn in range(5):
        query = condense("那么第二届呢？", query).query
    assert len(query) <= LONGEST + 20


def test_a_long_question_without_spaces_is_not_said_several_times():
    asked = "国际象棋比赛的第一届世界冠军是谁在哪一年获得的？"
    assert condense(asked, "谁发明了国际象棋？").searched.count(asked[:8]) == 1


def test_a_count_is_counted_of_something_else():
    before = "How many documents mention Docker?"
    assert condense("and Podman?", before).query == "How many documents mention Podman?"
    assert condense("which ones?", before).query == "List all documents that mention Docker"


def test_what_cannot_be_counted_is_asked_as_ever():
    assert condense("why?", "How many documents mention Docker?").query.startswith("why? (")


@given(st.text(max_size=200), st.text(max_size=200))
def test_whatever_is_typed_can_be_condensed(question: str, before: str):
    condensed = condense(question, before)
    assert len(condensed.searched.split()) <= MOST_TIMES * max(len(question.split()), 1) + MOST_BEFORE + 1
    leaning(question)
