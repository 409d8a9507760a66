"""Where sentences begin and end."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragqa.sentences import CODE_LINES, quotable_spans, sentence_spans

texts = (
    st.text("a. \n", max_size=12) | st.text("aB1. !?…\n\t\"')”。！」\u2028#-|*`~", max_size=80) | st.text(max_size=80)
)


def sentences(text: str) -> list[str]:
    return [text[start:end].strip() for start, end in sentence_spans(text)]


def quotes(text: str) -> list[str]:
    return [text[start:end] for start, end, _code in quotable_spans(text)]


@settings(max_examples=200, deadline=None)
@given(texts)
def test_sentences_tile_the_text(text: str):
    assert "".join(text[start:end] for start, end in sentence_spans(text)) == text


@settings(max_examples=200, deadline=None)
@given(texts)
def test_no_sentence_is_empty(text: str):
    assert all(start < end for start, end in sentence_spans(text))


@settings(max_examples=200, deadline=None)
@given(texts)
def test_quotes_are_stripped_and_stand_in_the_text_in_order(text: str):
    spans = [(start, end) for start, end, _code in quotable_spans(text)]
    assert all(0 <= start < end <= len(text) and text[start:end] == text[start:end].strip() for start, end in spans)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))


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


def test_list_items_and_table_rows_are_quoted_one_by_one():
    assert quotes("Buy this.\n\n- two eggs\n- milk\n  and cream\n1. first\n") == [
        "Buy this.",
        "- two eggs",
        "- milk\n  and cream",
        "1. first",
    ]
    assert quotes("| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n") == ["| 1 | 2 |", "| 3 | 4 |"]


def test_a_dash_in_a_table_does_not_hide_the_row_above():
    assert quotes("| a | b |\n|---|---|\n| x | 1 |\n| - | 2 |\n") == ["| x | 1 |", "| - | 2 |"]


def test_only_code_is_marked_as_code():
    text = "It runs so.\n\n```\nrun()\n```\nIt ran.\n"
    assert [(text[a:b], code) for a, b, code in quotable_spans(text)] == [
        ("It runs so.", False),
        ("run()", True),
        ("It ran.", False),
    ]


def test_a_sentence_with_a_colon_brings_what_it_announces():
    assert quotes("Run this:\n\n```\nrun()\n```\nIt ran.\n") == ["Run this:\n\n```\nrun()", "It ran."]
    assert quotes("Buy:\n\n- eggs\n- milk\n\nThen go.\n") == ["Buy:\n\n- eggs\n- milk", "Then go."]


def test_a_colon_announces_no_more_than_can_be_read():
    items = "".join(f"- number {n}\n" for n in range(30))
    found = quotes(f"Buy:\n\n{items}")
    assert len(found[0].splitlines()) <= 18
    assert found[-1] == "- number 29"


def test_headings_rules_and_fences_are_not_quoted():
    assert quotes("# One\n\nText here.\n\n---\n\n```py\nx = 1. \n```\nAfter it.\n") == [
        "Text here.",
        "x = 1.",
        "After it.",
    ]


def test_front_matter_is_not_quoted():
    assert quotes("---\ntitle: A. B.\n---\nText here.\n") == ["Text here."]


def test_a_hash_in_code_is_no_heading():
    assert quotes("```\n# comment\nrun()\n```\n") == ["# comment\nrun()"]


def test_code_of_so_many_lines_is_quoted_whole_and_longer_code_in_parts():
    code = "".join(f"line {n}\n" for n in range(CODE_LINES))
    assert quotes(f"```\n{code}```\n") == [code.strip()]
    assert quotes(f"```\n{code}more\n```\n") == [code.strip(), "more"]


def test_marks_of_other_scripts_end_a_sentence():
    assert sentences("هل افتتح الجسر؟ نعم. عاد") == ["هل افتتح الجسر؟", "نعم.", "عاد"]
    assert sentences("पुल खुला। नाव चली।") == ["पुल खुला।", "नाव चली।"]
