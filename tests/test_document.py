"""Where stretches of extracted text stand: what holds of a document's places holds of its passages'."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from ragqa.document import Place, place_at, places_within

LENGTH = 30
starts = st.sets(st.integers(1, LENGTH - 1), max_size=6).map(lambda some: [0, *sorted(some)])
divided = starts.map(lambda some: tuple(Place(start, "page", n) for n, start in enumerate(some, start=1)))
stretches = st.tuples(st.integers(0, LENGTH - 1), st.integers(1, LENGTH)).filter(lambda ends: ends[0] < ends[1])


@given(divided, st.integers(0, LENGTH - 1))
def test_a_character_stands_in_the_last_place_that_begins_before_it(places: tuple[Place, ...], offset: int):
    assert place_at(places, offset) == [place for place in places if place.start <= offset][-1]


@given(divided, stretches)
def test_each_character_of_a_stretch_stands_where_it_stood_in_the_whole(
    places: tuple[Place, ...], stretch: tuple[int, int]
):
    start, end = stretch
    own = places_within(places, start, end)
    for offset in range(start, end):
        here, there = place_at(own, offset - start), place_at(places, offset)
        assert here
        assert there
        assert replace(here, start=0) == replace(there, start=0)


@given(divided, stretches)
def test_the_places_of_a_stretch_begin_at_its_beginning_and_end_before_its_end(
    places: tuple[Place, ...], stretch: tuple[int, int]
):
    start, end = stretch
    begun = [place.start for place in places_within(places, start, end)]
    assert begun[0] == 0
    assert begun == sorted(set(begun))
    assert begun[-1] < end - start


@given(divided, stretches, st.data())
def test_a_stretch_of_a_stretch_is_a_stretch_of_the_whole(
    places: tuple[Place, ...], stretch: tuple[int, int], data: st.DataObject
):
    start, end = stretch
    inner = data.draw(st.integers(start, end - 1))
    once = places_within(places, inner, end)
    assert places_within(places_within(places, start, end), inner - start, end - start) == once


def test_text_that_is_the_files_own_has_no_places():
    assert places_within((), 3, 9) == ()
    assert place_at((), 3) is None
