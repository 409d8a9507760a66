"""The Llama's text + evidence → verdicts."""

from __future__ import annotations

import pytest

from ragqa.types import Sentence
from ragqa.verify import verify
from tests.fakes import evidence

BRIDGE = "The iron bridge over the Elbe was opened in 1894, after three years of work by Jane Harper."
QUESTION = "When was the bridge opened?"


def verdict(text: str, *quotes: str, question: str = QUESTION) -> Sentence:
    (sentence,) = verify(text, [evidence(quote) for quote in quotes or (BRIDGE,)], question)
    return sentence


def test_the_evidences_own_words_are_verbatim():
    assert verdict(BRIDGE) == Sentence(BRIDGE, (1,), "verbatim")


@pytest.mark.parametrize(
    "text",
    [
        "The iron bridge over the Elbe was opened in 1894.",
        "the iron bridge over the Elbe was opened",
        "Opened in 1894, after three years of work.",
        "The iron bridge was opened in 1894, after three years of work by Jane Harper.",
    ],
)
def test_evidence_with_one_stretch_left_out_is_verbatim(text: str):
    assert verdict(text).verdict == "verbatim"


def test_few_words_are_copied_by_accident():
    assert verdict("The iron bridge.").verdict != "verbatim"


def test_other_words_for_the_same_are_supported():
    assert verdict("In 1894 the bridge over the Elbe opened.").verdict == "supported"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("The iron bridge over the Elbe was opened in 1895.", "1895 is not in the evidence"),
        ("The iron bridge over the Elbe opened in 1894, after 4 years.", "4 is not in the evidence"),
        ("The iron bridge over the Rhine was opened in 1894.", "Rhine is not in the evidence"),
        ("The iron bridge was opened in 1894 after work by John Harper.", "John is not in the evidence"),
        ("The iron bridge over the Elbe was not opened in 1894.", "negated otherwise than the evidence"),
        ("The iron bridge over the Elbe wasn't opened in 1894.", "negated otherwise than the evidence"),
        ("The bridge was opened.", "adds nothing to the question"),
        ("The iron bridge was opened in 1894 and painted green twice.", "says more than the evidence"),
    ],
)
def test_what_the_evidence_does_not_carry_is_unsupported(text: str, reason: str):
    assert verdict(text) == Sentence(text, (), "unsupported", reason)


def test_a_negation_taken_out_is_unsupported():
    assert (
        verdict("The old bridge was opened in 1894.", "The old bridge was never opened in 1894.").verdict
        == "unsupported"
    )


def test_numbers_are_the_same_with_and_without_thousands_marks():
    assert (
        verdict("It cost 12000 marks in all.", "In all it cost 12,000 marks.", question="How much?").verdict
        == "supported"
    )


def test_a_number_of_the_question_may_stand_in_the_heading_but_must_stand_somewhere():
    text, quote, question = "In 1894 the high tolls were raised.", "High tolls were raised.", "What happened in 1894?"
    assert verify(text, [evidence(quote, heading=("Year 1894",))], question)[0].verdict == "supported"
    assert verify(text, [evidence(quote)], question)[0].reason == "1894 is not in the evidence"


def test_a_citation_is_the_evidence_that_carries_it_whatever_was_said():
    sentence = verdict("The iron bridge over the Elbe was opened in 1894 [1].", "The tower is tall and red.", BRIDGE)
    assert sentence == Sentence("The iron bridge over the Elbe was opened in 1894.", (2,), "verbatim")


def test_marks_of_lists_and_several_citations_are_taken_out():
    assert verdict("- The iron bridge over the Elbe [1, 2][3] was opened.").text == (
        "The iron bridge over the Elbe was opened."
    )


def test_every_sentence_is_judged_by_itself_and_once():
    text = "The iron bridge over the Elbe was opened in 1894. Bananas are yellow fruit.\n\nBananas are yellow fruit."
    assert [one.verdict for one in verify(text, [evidence(BRIDGE)], QUESTION)] == ["verbatim", "unsupported"]


def test_no_evidence_supports_nothing():
    assert verify(BRIDGE, [], QUESTION)[0].verdict == "unsupported"


@pytest.mark.parametrize("text", ["", "  \n", "...", "[1]", "1. "])
def test_text_without_words_has_no_sentences(text: str):
    assert verify(text, [evidence(BRIDGE)], QUESTION) == []


def test_words_in_circles_are_unsupported():
    one = verdict("The bridge opened in 1894, the bridge opened in 1894, the bridge opened in 1894.")
    assert (one.verdict, one.reason) == ("unsupported", "repeats itself")


def test_a_heading_gives_no_word_that_was_not_asked_about():
    found = [evidence("The walrus eats clams.", heading=("Red notes",))]
    assert verify("The walrus eats red clams.", found, "What does the walrus eat?")[0].verdict == "unsupported"


def test_a_sentence_that_only_announces_is_unsupported():
    assert verdict("The iron bridge was opened:").verdict == "unsupported"


def test_two_quotes_are_not_mixed_into_one_sentence():
    quotes = ("The bridge was opened in 1894.", "The tower was opened in 1921.")
    assert verdict("The bridge was opened in 1921.", *quotes).verdict == "unsupported"
