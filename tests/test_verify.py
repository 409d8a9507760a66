"""The Llama's text + evidence → verdicts."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
    ],
)
def test_evidence_without_its_beginning_or_its_end_is_verbatim(text: str):
    assert verdict(text).verdict == "verbatim"


def test_evidence_with_its_middle_left_out_is_only_supported():
    text = "The iron bridge was opened in 1894, after three years of work by Jane Harper."
    assert verdict(text).verdict == "supported"


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


@pytest.mark.parametrize(
    ("said", "held"),
    [
        ("Three thousand men built it in the nineteenth century.", "3,000 men built it in the 19th century."),
        ("It cost 3.5 million marks to build the bridge.", "The bridge cost 3,500,000 marks to build."),
        ("The bridge was opened on 4 May 1894.", "The bridge was opened on 1894-05-04 by a mayor."),
        ("The bridge carried 20 percent of all carts.", "Of all carts the bridge carried 20%."),
        ("The bridge was built in the 1890s by hand.", "By hand the bridge was built, in the 1890's."),
    ],
)
def test_numbers_are_the_same_in_words_and_in_digits(said: str, held: str):
    assert verdict(said, held).verdict == "supported"


@pytest.mark.parametrize(
    ("said", "held"),
    [
        ("The bridge is shut for 20 minutes at once.", "At once the bridge is shut for 20 hours or 12 minutes."),
        ("The bridge was opened in the 1890s.", "The bridge was opened in 1890 by the mayor."),
        ("The bridge stood from 1894 to 1894.", "The bridge stood from 1894 to 1945."),
        ("The bridge cost 12 million marks.", "The bridge cost 12 thousand marks."),
        ("The bridge was opened on 4 June 1894.", "The bridge was opened on 4 May 1894, not in June."),
    ],
)
def test_a_number_has_its_unit_its_scale_and_its_count(said: str, held: str):
    assert verdict(said, held).verdict == "unsupported"


def test_small_counts_of_the_question_need_not_be_counted_out_in_the_evidence():
    found = verdict(
        "The two towers of the gate are Alba and Brun.",
        "The towers of the gate are Alba and Brun.",
        question="Which two towers has the gate?",
    )
    assert found.verdict == "supported"


@pytest.mark.parametrize(
    ("said", "held"),
    [
        ("The bridge was opened in 1894.", "The bridge was opened in 1894, but not to carts."),
        ("The bridge was opened in 1894.", "Not only was the bridge opened in 1894, it was also paid for."),
        ("The bridge was not painted by Harper.", "The bridge was left unpainted by Harper."),
        ("The bridge is no longer open to carts.", "The bridge is not open to carts."),
    ],
)
def test_a_negation_counts_only_for_what_it_speaks_of(said: str, held: str):
    assert verdict(said, held, question="Is the bridge painted or open?").verdict != "unsupported"


@pytest.mark.parametrize(
    ("said", "held"),
    [
        ("The bridge did not open in 1894.", "The bridge opened in 1894, but it did not carry carts."),
        ("The bridge was opened to carts in 1894.", "In 1894 the bridge was opened, but never to carts."),
        ("Lund did not join the league in 1894.", "Lund joined the league in 1894, though Malmo did not join."),
    ],
)
def test_a_negation_near_by_does_not_excuse_one(said: str, held: str):
    assert verdict(said, held, question="What about the league?").reason == "negated otherwise than the evidence"


def test_an_answer_of_another_sentence_is_unsupported():
    quotes = ("The bridge was opened by Jane Harper.", "The harbour mill was bought by Olaf Strand in the end.")
    one = verdict("The bridge was opened by Olaf Strand.", *quotes, question="Who opened the bridge?")
    assert (one.verdict, one.reason) == ("unsupported", "Olaf is not in the evidence")


def test_an_answer_from_far_behind_in_the_evidence_is_unsupported():
    filler = [f"The bridge was opened by keeper number {n}0 of the Elbe." for n in range(3, 9)]
    one = verdict(
        "The bridge was opened by Olaf Strand.",
        *filler,
        "In the mill, Olaf Strand sold rye and bread to many people.",
        question="Who opened the bridge?",
    )
    assert one.verdict == "unsupported"


def test_a_contrast_is_not_mixed_up():
    held = "While the council alone may name the mayor, the guild may close the harbour."
    assert verdict("The guild alone may name the mayor.", held, question="Who may name the mayor?").reason == (
        "joins what the evidence sets apart"
    )
    assert verdict("The council may name the mayor.", held, question="Who may name the mayor?").verdict == "supported"


def test_a_count_of_something_is_not_the_thing():
    held = "The longest known rope has 22,338 knots."
    question = "How many knots has the longest known rope?"
    assert verdict("The longest known rope is 22,338.", held, question=question).verdict == "unsupported"
    assert verdict("The longest known rope has 22,338 knots.", held, question=question).verdict == "verbatim"


def test_initials_stand_for_a_name_and_a_name_for_its_initials():
    held = "In 1894 the Elbe Bridge Trust opened the bridge."
    assert verdict("The bridge was opened by the EBT in 1894.", held).verdict == "supported"
    assert verdict("The Elbe Bridge Trust (EBT) opened the bridge in 1894.", held).verdict == "supported"
    assert (
        verdict("The bridge was opened in 1894 by the Elbe Bridge Trust.", "In 1894 the EBT opened the bridge.").verdict
        == "supported"
    )


@pytest.mark.parametrize("text", ["1894", "The answer is: 1921.", "Jane Harper", "# Bridges"])
def test_a_fragment_is_too_short_to_be_checked(text: str):
    assert verdict(text).verdict == "unsupported"


def test_the_label_of_an_answer_is_taken_out():
    said = 'The answer to this question is: "The iron bridge over the Elbe was opened in 1894."'
    assert verdict(said) == Sentence("The iron bridge over the Elbe was opened in 1894.", (1,), "verbatim")


def test_irregular_verbs_are_the_same_in_all_tenses():
    assert (
        verdict("Harper wrote and won.", "Harper writes and wins in the end.", question="What of Harper?").verdict
        == "supported"
    )


def test_a_sentence_may_lean_on_the_one_before_it():
    text = "The guild of Lund owns mills. Most of its mills grind rye for bakers."
    start = text.index("Most")
    leaning = evidence(text[start:])
    passage = replace(leaning.hit.passage, text=text)
    found = replace(leaning, hit=replace(leaning.hit, passage=passage), start=start)
    assert (
        verify("Most mills of the guild of Lund grind rye.", [found], "What do most mills of the guild of Lund grind?")[
            0
        ].verdict
        == "supported"
    )


@pytest.mark.parametrize(
    ("held", "said", "false"),
    [
        (
            "Die Brücke über die Elbe wurde 1894 eröffnet.",
            "Die Brücke über die Elbe wurde 1894 eröffnet.",
            "Die Brücke über die Elbe wurde 1895 eröffnet.",
        ),
        ("易北河上的铁桥于1894年建成通车。", "铁桥于1894年建成通车。", "铁桥于1895年建成通车。"),
        (
            "افتتح الجسر الحديدي فوق النهر عام 1894.",
            "افتتح الجسر الحديدي فوق النهر عام 1894.",
            "افتتح الجسر الحديدي فوق النهر عام 1895.",
        ),
    ],
)
def test_other_languages_are_copied_or_refused(held: str, said: str, false: str):
    assert verdict(said, held, question="1894?").verdict == "verbatim"
    assert verdict(false, held, question="1894?").verdict == "unsupported"


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=30))
@settings(max_examples=150)
def test_any_text_gets_a_verdict(text: str, held: str, question: str):
    assert all(
        one.verdict in ("verbatim", "supported", "unsupported") for one in verify(text, [evidence(held)], question)
    )


def test_a_copy_that_begins_in_the_middle_of_a_phrase_is_unsupported():
    one = verdict("The old bridges can lead to long delays.", "Repairs of the old bridges can lead to long delays.")
    assert (one.verdict, one.reason) == ("unsupported", "leaves out what the evidence speaks of")


def test_a_copy_with_another_ending_of_a_word_is_supported_not_verbatim():
    assert verdict("The iron bridges over the Elbe were opened in 1894.").verdict == "supported"


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("It is a myth that the stone bridge was built by monks.", "The stone bridge was built by monks."),
        ("If the disk is full, the log is deleted.", "The log is deleted."),
        ("The council claimed that the tower was sold.", "The tower was sold."),
    ],
)
def test_what_is_only_supposed_or_reported_is_not_said(said: str, written: str):
    (judged,) = verify(written, [evidence(said)], "What happened?")
    assert judged.verdict == "unsupported"


def test_a_copy_with_its_middle_left_out_is_not_verbatim():
    source = evidence("Lund has 94,393 inhabitants, Malmo has 350,000 inhabitants.")
    (judged,) = verify("Lund has 350,000 inhabitants.", [source], "How many inhabitants does Lund have?")
    assert judged.verdict != "verbatim"
