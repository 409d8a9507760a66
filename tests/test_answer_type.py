"""What kind of thing a question asks for."""

from __future__ import annotations

import pytest

from ragqa.answer_type import ANSWER_TYPES, expected

BY_NAME = {row.name: row for row in ANSWER_TYPES}
ASKED = {
    "How many arches has it?": "number",
    "What percentage is left?": "number",
    "How old was she in that year?": "number",
    "WHEN was it opened?": "date",
    "In what year was it opened?": "date",
    "On which day do boats pass?": "date",
    "Who built the bridge?": "person",
    "Whose house is it?": "person",
    "Where does it stand?": "place",
    "Why is it red?": "reason",
    "What is it made of?": None,
    "Which whole wheat bread is best?": None,
    "Wann wurde die Brücke eröffnet?": None,
    "桥是什么时候建的？": None,
    "": None,
}


@pytest.mark.parametrize(("question", "name"), ASKED.items())
def test_a_question_asks_for_a_kind_of_thing(question: str, name: str | None):
    row = expected(question)
    assert (row.name if row else None) == name


HELD = [
    ("number", "It has 12 arches.", True),
    ("number", "It has twelve arches.", True),
    ("number", "It has often been painted.", False),
    ("date", "It opened in 1894.", True),
    ("date", "It opens on Sundays, in may.", True),
    ("date", "It opened long ago.", False),
    ("person", "It was built by Ada Lovelace.", True),
    ("person", "The tower is tall. It is red.", False),
    ("place", "It stands near Lund.", True),
    ("place", "It stands by the river.", False),
    ("reason", "BECAUSE of the rust.", True),
    ("reason", "It is red.", False),
]


@pytest.mark.parametrize(("name", "text", "held"), HELD)
def test_a_text_holds_such_a_thing_or_not(name: str, text: str, held: bool):
    assert BY_NAME[name].holds(text) is held
