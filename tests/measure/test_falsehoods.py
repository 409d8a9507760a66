"""Questions with known answers → statements, true and false."""

from __future__ import annotations

import re

import pytest

from ragqa.measure.checker import judge
from ragqa.measure.declare import declare
from ragqa.measure.falsehoods import Case, Statement, plant
from ragqa.types import Sentence

HARBOUR = "The harbour of Lund was dug in 1644 by Dutch engineers. Its crane was built by Anna Berg for Olaf Strand."
MILL = "Ida Falk bought the mill in 1702. It ground 40 tonnes of rye a year for the bakers of Malmo."
CASES = [
    Case("When was the harbour of Lund dug?", ("1644",), HARBOUR, "a.md", "harbour"),
    Case("Who built the crane?", ("Anna Berg",), HARBOUR, "a.md", "harbour"),
    Case("Who was the crane built for?", ("Olaf Strand",), HARBOUR, "a.md", "harbour"),
    Case("Who bought the mill in 1702?", ("Ida Falk",), MILL, "b.md", "mill"),
    Case("When did Ida Falk buy the mill?", ("1702",), MILL, "b.md", "mill"),
]


@pytest.mark.parametrize(
    ("question", "answer", "text"),
    [
        ("Who built the crane?", "Anna Berg", "Anna Berg built the crane."),
        ("When did the mill open?", "1702", "The mill opened in 1702."),
        ("When did the mill open?", "12 May 1702", "The mill opened on 12 May 1702."),
        ("In what year did Ida carry the stone?", "1702", "Ida carried the stone in 1702."),
        ("What year was the harbour dug?", "1644", "The harbour was dug in 1644."),
        ("Where is the tower located?", "the old town", "The tower is located in the old town."),
        ("How many tonnes did the cart carry?", "40", "The cart carried 40 tonnes."),
        ("How much does a page hold?", "4,096 bytes", "A page holds 4,096 bytes."),
        ("Why was the tower closed?", "lightning", "The tower was closed because of lightning."),
        ("How was the bridge paid for?", "a toll", "The bridge was paid for by a toll."),
        ("Which king ruled Norway?", "Olaf", "Olaf ruled Norway."),
        ("Whose boat sank in the storm?", "Olaf", "Olaf's boat sank in the storm."),
        ("What is the capital of Norway?", "Oslo", "The capital of Norway is Oslo."),
        ("What are the bells in the tower called?", "the Five", "The bells in the tower are called the Five."),
        ("The crane was a gift from which town?", "Malmo", "The crane was a gift from Malmo."),
        ("What did Ida win in 1702?", "a prize", "Ida won a prize in 1702."),
        ("In Sweden, who built the crane?", "Anna Berg", "In Sweden, Anna Berg built the crane."),
    ],
)
def test_a_question_and_its_answer_become_a_statement(question: str, answer: str, text: str):
    clause = declare(question, answer)
    assert clause is not None
    assert clause.text == text


@pytest.mark.parametrize("question", ["Name a bridge.", "Is the mill open?", "How do I grind rye?", "What happened?"])
def test_what_makes_no_decent_statement_is_left_out(question: str):
    assert declare(question, "yes") is None


@pytest.mark.parametrize(
    ("question", "negated"),
    [
        ("When did the mill open?", "The mill did not open in 1702."),
        ("When was the mill opened?", "The mill was not opened in 1702."),
        ("Who won the cup?", "1702 did not win the cup."),
    ],
)
def test_a_negation_stands_where_it_belongs(question: str, negated: str):
    clause = declare(question, "1702")
    assert clause is not None
    assert clause.negated == negated


def test_every_falsehood_differs_from_its_truth_in_one_thing():
    dug = {statement.kind: statement.text for statement in plant(CASES) if statement.question == CASES[0].question}
    assert dug["true"] == "The harbour of Lund was dug in 1644."
    assert dug["negation"] == "The harbour of Lund was not dug in 1644."
    assert dug["other_passage"] == "The harbour of Lund was dug in 1702."
    assert re.fullmatch(r"The harbour of Lund was dug in \d{4}\.", dug["number"])
    assert "1644" not in dug["number"]


def test_a_wrong_answer_has_the_form_of_the_right_one():
    built = {statement.kind: statement.text for statement in plant(CASES) if statement.question == CASES[1].question}
    assert built["same_passage"] == "Olaf Strand built the crane."
    assert built["other_passage"] == "Ida Falk built the crane."


def test_the_same_seed_gives_the_same_statements():
    assert plant(CASES, seed=3) == plant(CASES, seed=3)


def test_units_months_and_number_words_are_changed_like_digits():
    case = Case("When did it open?", ("two years after the May of the flood",), "", "a.md", "a")
    numbers = {s.text for seed in range(9) for s in plant([case], seed=seed) if s.kind == "number"}
    assert len(numbers) > 2
    assert all(text != "It opened in two years after the May of the flood." for text in numbers)


def test_a_statement_is_unsupported_when_any_of_its_sentences_is_or_when_it_has_none():
    statements = [Statement(text, "true", "a", "?") for text in ("Yes.", "Yes. No.", "")]

    def checker(text: str, evidence: object, question: str) -> list[Sentence]:
        return [Sentence(word, (), "unsupported" if word == "No." else "supported") for word in text.split()]

    assert [one.unsupported for one in judge(statements, {}, checker)] == [False, True, True]
