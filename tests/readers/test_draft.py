"""A reading in the making."""

from __future__ import annotations

from ragqa.document import Place
from ragqa.read.reading import Draft
from tests.readers.cited import blocks, place_of


def test_items_that_follow_each_other_are_one_list_and_each_has_its_own_place():
    draft = Draft()
    for number, text in enumerate(["one", "two"], start=1):
        draft.at("paragraph", number)
        draft.item(f"- {text}")
    read = draft.reading()
    assert (read.text, blocks(read)) == ("- one\n- two\n\n", [("list", "- one\n- two")])
    assert (place_of(read, "one"), place_of(read, "two")) == ("paragraph 1", "paragraph 2")


def test_an_item_under_another_heading_begins_a_list_of_its_own():
    draft = Draft()
    draft.item("- one")
    draft.section(1, "Next")
    draft.item("- two")
    assert [block.heading for block in draft.reading().blocks] == [(), ("Next",)]


def test_a_place_that_stands_there_already_is_not_said_again():
    draft = Draft()
    for text in ("one", "two"):
        draft.at("page", 1)
        draft.add("paragraph", text)
    draft.add("paragraph", "three four", within=[Place(6, "page", 2)])
    draft.at("page", 2)
    draft.add("paragraph", "five")
    assert draft.reading().places == (Place(0, "page", 1), Place(16, "page", 2))
