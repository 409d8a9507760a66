"""Where sentences begin and end."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragqa.sentences import sentence_spans

texts = (
    st.text("a. \n", max_size=12) | st.text("aB1. !?…\n\t\"')”。！」\u2028#-|*`~", max_size=80) | st.text(max_size=80)
)


def sentences(text: str) -> list[str]:
    return [text[start:end].strip() for start, end in sentence_spans(text)]


@settings(max_examples=200)
@given(texts)
def test_sentences_tile_the_text(text: str):
    assert "".join(text[start:end] for start, end in sentence_spans(text)) == text


@settings(max_examples=200)
@given(texts)
def test_no_sentence_is_empty(text: str):
    assert all(start < end for start, end in sentence_spans(text))


def test_sentences_of_one_paragraph_and_of_two_are_parted():
    assert sentences("It rains. Does it? Yes!") == ["It rains.", "Does it?", "Yes!"]
    assert list(sentence_spans("One.\n\nTwo")) == [(0, 6), (6, 9)]


@pytest.mark.parametrize(
    "text",
    [
        "Dr. Smith came.",
        "See e.g. the map.",
        "Approx. 5 m long.",
        "J. S. Bach wrote it.",
        "(cf. Fig. 3)",
        "Das gilt z.B. hier.",
    ],
)
def test_an_abbreviation_ends_no_sentence(text: str):
    assert sentences(text) == [text]


@pytest.mark.parametrize(
    "text", ["It costs 3.50 euros.", "Use v1.2.3 of it.", "See a.b.c for it", "He said … nothing."]
)
def test_a_full_stop_inside_ends_no_sentence(text: str):
    assert sentences(text) == [text]


def test_a_sentence_ends_after_its_closing_quotation_mark():
    assert sentences("He said “Go.” Then he went. (So did he.) End.") == [
        "He said “Go.”",
        "Then he went.",
        "(So did he.)",
        "End.",
    ]


def test_full_width_marks_end_a_sentence_without_white_space():
    assert sentences("桥是1894年开的。「真的吗？」是！") == ["桥是1894年开的。", "「真的吗？」", "是！"]


def test_marks_of_other_scripts_end_a_sentence():
    assert sentences("هل افتتح الجسر؟ نعم. عاد") == ["هل افتتح الجسر؟", "نعم.", "عاد"]
    assert sentences("पुल खुला। नाव चली।") == ["पुल खुला।", "नाव चली।"]
