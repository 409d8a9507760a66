from __future__ import annotations

from dataclasses import replace

import pytest

from ragqa.measure import inspection
from ragqa.measure.evaluate import Outcome, Run
from ragqa.measure.inspection import inspect, reason_of
from ragqa.types import Sentence
from tests.measure.made import ABSENT, GOLD, answer, outcome

RIGHT, WRONG = "It was lit in 1894.", "It burned oil."
SAID = [Sentence("In 1894.", (1,), "supported")]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (outcome(answer(RIGHT)), ""),
        (outcome(answer(WRONG, status="abstained"), ABSENT), ""),
        (outcome(answer(RIGHT), ABSENT), inspection.NO_ANSWER_HERE),
        (outcome(answer(RIGHT, status="abstained")), inspection.REFUSED),
        (outcome(answer(WRONG), ranking=["x"]), inspection.NOT_FOUND),
        (outcome(answer(WRONG)), inspection.OTHER_SENTENCES),
        (outcome(answer(WRONG, WRONG, RIGHT)), inspection.NOT_SHOWN),
        (outcome(answer(WRONG), replace(GOLD, answers=())), inspection.OTHER_DOCUMENT),
    ],
)
def test_a_failure_has_a_reason(given: Outcome, reason: str):
    assert reason_of(given) == reason


def test_a_line_says_what_was_asked_wanted_and_shown():
    (line,) = inspect(Run((outcome(answer(WRONG), ranking=["x", "light"]),)), {"notes/a.md": "light"})
    assert line == {
        "id": "q",
        "reason": inspection.OTHER_SENTENCES,
        "question": "When was it lit?",
        "answers": ["1894"],
        "documents": ["light"],
        "rank": 2,
        "status": "quoted",
        "support": 0.9,
        "marked": None,
        "quotes": [{"document": "light", "passage": 1, "quote": WRONG}],
    }


def test_what_the_llama_said_is_there_to_be_read_even_when_it_is_right():
    given = outcome(answer(RIGHT, status="answered", said=SAID))
    (line,) = inspect(Run((replace(given, answer=replace(given.answer, text="In 1894.")),)), {})
    assert line["reason"] == inspection.TO_READ
    assert line["llama"] == [{"text": "In 1894.", "verdict": "supported", "rests_on": [RIGHT]}]
    assert line["quotes"][0]["document"] == "(distractor) notes/a.md"


def test_a_held_out_question_that_was_answered_is_a_failure_of_its_own():
    given = outcome(answer(RIGHT), held_out=answer(RIGHT))
    (line,) = inspect(Run((given,)), {})
    assert (line["reason"], line["answer_stands_elsewhere"]) == (inspection.HELD_OUT, True)
    assert list(inspect(Run((outcome(answer(RIGHT), held_out=answer(WRONG, status="abstained")),)), {})) == []


def test_a_question_that_could_not_be_asked_is_named_with_the_cause():
    (line,) = inspect(Run((), ((GOLD, "the question is too long"),)), {})
    assert (line["reason"], line["message"]) == (inspection.UNASKED, "the question is too long")
