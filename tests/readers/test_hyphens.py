"""Words divided at the end of a line."""

from __future__ import annotations

import pytest

from ragqa.read.hyphens import joined, vocabulary


@pytest.mark.parametrize(
    ("lines", "elsewhere", "whole"),
    [
        (["an exam-", "ple"], "", "an example"),
        (["a long-", "term plan"], "", "a long-term plan"),  # long- keeps its hyphen more often than not
        (["Jean-", "Paul"], "", "Jean-Paul"),
        (["COVID-", "19"], "", "COVID-19"),
        (["an open-", "source tool"], "is open-source", "an open-source tool"),
        (["an open-", "source tool"], "an open door, a source of", "an open-source tool"),
        (["some-", "times"], "it sometimes rains, some more, many times over", "sometimes"),
        (["soft\u00ad", "ware"], "", "software"),
        (["soft\u00adware", "is"], "", "software is"),
        (["from 3 -", "and 4"], "", "from 3 - and 4"),
        (["one", "two", "three-", "fold"], "", "one two threefold"),
    ],
)
def test_a_hyphen_at_the_end_of_a_line_goes_or_stays(lines: list[str], elsewhere: str, whole: str):
    assert joined(lines, vocabulary([elsewhere, *lines])) == whole


def test_a_part_of_a_divided_word_is_no_word_of_the_document():
    assert vocabulary(["we saw an exam-", "ple of it"]) == {"we", "saw", "an", "of", "it"}
