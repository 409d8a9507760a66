"""The runs of a sentence's words that could be a short answer."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragqa.runs import read_words


def runs(text: str) -> list[str]:
    words = read_words(text, np.zeros((0, 2), np.intp))
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


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="abcÄß 12.,'’-_/()%$\n", max_size=60))
def test_no_run_cuts_a_word(text: str):
    words = read_words(text, np.zeros((0, 2), np.intp))
    for n in range(len(words.first)):
        for at in words.bounds(n):
            assert not re.fullmatch(r"\w\w", text[max(at - 1, 0) : at + 1])
