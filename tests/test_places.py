"""How a citation says where text stands."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ragqa.document import Place, locator, stretch_label
from ragqa.turn import turn_of
from ragqa.types import Answer, Citation, Evidence, Listed
from tests.fakes import evidence, passage

PAGE_3, PAGE_4 = Place(0, "page", 3), Place(9, "page", 4)
ROW = Place(0, "row", 4, "Prices")


@pytest.mark.parametrize(
    ("place", "lines", "said"),
    [
        (None, (12, 12), ":12"),
        (None, (12, 14), ":12-14"),
        (Place(0, "line", 7, line=7), (7, 9), ":7-9"),
        (Place(0, "page", 12), (1, 3), ", page 12"),
        (ROW, (1, 1), ", Prices, row 4"),
        (Place(0, "row", 13, line=14), (14, 14), ":14, row 13"),
        (Place(0, "message", 3, line=120), (120, 124), ":120-124, message 3"),
        (Place(0, "time", 65, line=9), (9, 9), ":9, 0:01:05"),
        (Place(0, "paragraph", 14), (1, 1), ", paragraph 14"),
        (Place(0, "chapter", 2, "The Bridge"), (1, 1), ", The Bridge"),
    ],
)
def test_a_citation_says_lines_where_a_file_has_them_and_the_place_where_it_has_one(
    place: Place | None, lines: tuple[int, int], said: str
):
    assert locator(lines, place, stretch_label(place)) == said


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        (PAGE_3, PAGE_3, "page 3"),
        (PAGE_3, PAGE_4, "pages 3-4"),
        (ROW, replace(ROW, number=9), "Prices, rows 4-9"),
        (ROW, replace(ROW, name="Costs"), "Prices, row 4 to Costs, row 4"),
        (Place(0, "time", 65), Place(8, "time", 72), "0:01:05-0:01:12"),
        (Place(0, "line", 1, line=1), Place(8, "line", 5, line=5), ""),
    ],
)
def test_text_that_goes_over_several_places_names_the_first_and_the_last(first: Place, last: Place, said: str):
    assert stretch_label(first, last) == said


def two_pages() -> Evidence:
    """A quote that begins on page 3 and ends on page 4."""
    one = evidence("The bridge\n\nis red.")
    paged = replace(one.hit.passage, places=(PAGE_3, replace(PAGE_4, start=12)))
    return replace(one, hit=replace(one.hit, passage=paged))


def test_a_quote_knows_the_place_of_its_first_and_its_last_character():
    one = two_pages()
    assert [place and place.number for place in (one.place, one.place_end)] == [3, 4]


def test_a_passage_says_all_of_its_places():
    assert two_pages().hit.passage.locator == ", pages 3-4"
    assert passage("one\ntwo", line=4).locator == ":4-5"


def test_a_document_that_was_counted_says_where_it_is_mentioned_first():
    row = Place(0, "row", 13, line=14)
    assert Listed("a.csv", Path("/a.csv"), 1, mentions=2, line=14, place=row).locator == ":14, row 13"
    assert Listed("a.csv", Path("/a.csv"), 1).locator == ""


def test_what_was_shown_is_remembered_with_its_place():
    one = two_pages()
    citation = Citation(1, one, "same", 1, 3, stands=True, place=one.place, place_end=one.place_end)
    answer = Answer("1", "q", "q", "quoted", "a", (), (citation,), (), 0.9, 1, None, 0, 0, {}, {})
    (source,) = turn_of(answer).sources
    assert (source.place, source.locator) == (PAGE_3, ", pages 3-4")
