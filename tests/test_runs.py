"""The runs of a sentence's words that could be a short answer."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragqa.runs import read_words


def runs(text: str, *, in_lines: bool = False) -> list[str]:
    words = read_words(text, np.zeros((0, 2), np.intp), in_lines=in_lines)
    return [text[slice(*words.bounds(n))] for n in range(len(words.first))]


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


def test_marks_alone_are_no_run():
    assert runs("``` *** ```") == []
    assert "`ls`" in runs("Use `ls` here.")


def test_a_run_goes_over_a_line_break_of_prose_but_not_of_code():
    text = "red boats\nblue boats"
    assert "red boats\nblue boats" in runs(text)
    assert [run for run in runs(text, in_lines=True) if "\n" in run] == []
    assert {"red boats", "blue boats"} <= set(runs(text, in_lines=True))


ALPHABET = "abcÄß 12.,'’-_/()%$`[\n"
PIECES = st.lists(st.sampled_from([*ALPHABET, "```", "](", "](http://a.b/c)", "```sh\n", "word"]), max_size=40)


@settings(max_examples=100)
@given(PIECES.map("".join))
def test_every_run_holds_a_word_and_in_code_stays_in_its_line(text: str):
    assert all(re.search(r"\w", run) for run in runs(text))
    in_lines = runs(text, in_lines=True)
    assert in_lines == [run for run in runs(text) if "\n" not in run]


@settings(max_examples=100)
@given(PIECES.map("".join))
def test_no_run_cuts_a_word(text: str):
    words = read_words(text, np.zeros((0, 2), np.intp))
    for n in range(len(words.first)):
        for at in words.bounds(n):
            assert not re.fullmatch(r"\w\w", text[max(at - 1, 0) : at + 1])
