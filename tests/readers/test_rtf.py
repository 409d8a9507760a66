"""Rich Text Format, written as Word writes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.readers.cited import blocks, citation, place_of, reading, refusal

HEAD = (
    rb"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\froman\fcharset0 Times New Roman;}{\f1\fswiss\fcharset204 Arial;}}"
    rb"{\colortbl;\red0\green0\blue0;}"
    rb"{\stylesheet{\ql Normal;}{\s1\ql\outlinelevel0 heading 1;}{\s2\ql\outlinelevel1 rubrik 2;}}"
    rb"{\info{\title The beekeeper\'92s handbook}{\keywords Bees; honey}{\author A}{\creatim\yr2024\mo5\dy7\hr9}}"
)
LETTER = HEAD + (
    rb"\pard\plain\s1\ql\outlinelevel0 {Spring\par}" + b"\r\n"
    rb"\pard\plain\ql {Open the {\b hives} on the first warm day.\par}" + b"\r\n"
    rb"\pard\plain\s2\ql {Tools\par}\pard\plain "
    rb"{\listtext\'b7\tab}a smoker\par {\listtext 2.\tab}a veil\par" + b"\r\n"
    rb"\trowd\intbl Month\cell Honey\cell\row\trowd\intbl July\cell 12 kg\cell\row\pard "
    rb"{\pict\wmetafile8 " + b"0a1b2c3d" * 100 + rb"}Reduce the entrance against wasps.\par}"
)


def texts(content: bytes) -> list[str]:
    return [text for _kind, text in blocks(reading("rtf", content))]


def test_a_quote_from_rtf_is_cited_by_its_paragraph(tmp_path: Path):
    place = citation(tmp_path, "bees.rtf", LETTER, "How is the entrance reduced against wasps?", "wasps")
    assert place == "paragraph 7"


def test_headings_lists_and_tables_are_blocks_under_their_headings():
    read = reading("rtf", LETTER)
    assert blocks(read) == [
        ("heading", "Spring"),
        ("paragraph", "Open the hives on the first warm day."),
        ("heading", "Tools"),
        ("list", "- a smoker\n2. a veil"),
        ("table", "Month | Honey\n--- | ---\nJuly | 12 kg"),
        ("paragraph", "Reduce the entrance against wasps."),
    ]
    assert read.blocks[5].heading == ("Spring", "Tools")
    assert place_of(read, "July") == "paragraph 6"
    assert (read.title, read.tags, read.date) == ("The beekeeper’s handbook", ("bees", "honey"), "2024-05-07")


@pytest.mark.parametrize(
    ("codepage", "body", "text"),
    [
        (1252, rb"caf\'e9", "café"),
        (1251, rb"\'cf\'f0\'e8\'e2\'e5\'f2", "Привет"),
        (932, rb"\'93\'fa\'96\'7b", "日本"),
        (1252, b"caf\xe9", "café"),
        (1252, rb"\u8364?5", "€5"),
        (1252, rb"\u-10179?\u-8704?", "😀"),
        (99999, rb"caf\'e9", "caf\ufffd"),
    ],
)
def test_characters_are_read_by_the_codepage_that_is_named(codepage: int, body: bytes, text: str):
    assert texts(rb"{\rtf1\ansi\ansicpg%d %b\par}" % (codepage, body)) == [text]


def test_binary_stretches_are_cut_out_whatever_they_hold():
    assert texts(HEAD + rb"Before {\pict\bin12 }}}{{{\bin99\x} and after.\par}") == ["Before  and after."]


def test_braces_that_are_written_are_no_groups():
    assert texts(HEAD + rb"A \{set\} of {nested {groups}}.\par}") == ["A {set} of nested groups."]


@pytest.mark.parametrize("mark", [rb"\u-8192?", rb"\u57344?"])
def test_the_marks_of_headings_cannot_be_forged(mark: bytes):
    assert blocks(reading("rtf", HEAD + b"plain " + mark + b" text\\par}")) == [("paragraph", "plain \ufffd text")]


def test_a_large_picture_in_hexadecimal_costs_nothing():
    picture = rb"{\pict\pngblip" + b"\n" + b"89504e470d0a1a0a" * 500_000 + b"}"
    assert texts(HEAD + picture + rb"After it.\par}") == ["After it."]


def test_what_is_no_rtf_is_refused():
    assert refusal("rtf", b"{\\not rtf}") == "no RTF"


@pytest.mark.parametrize("word", [rb"\v", rb"\deleted", rb"\deleted\revauthdel1", rb"\v1", rb"\mvf"])
def test_what_is_hidden_or_was_deleted_is_not_read(word: bytes):  # fault 21
    groups = HEAD + b"Pay {" + word + rb" ten \u8364?\'80\emdash {now}\par}{\revised twenty}.\par}"
    runs = HEAD + b"Pay " + word + rb" ten\v0\deleted0\mvf0 twenty" + word + rb"  at once\plain .\par}"
    assert texts(groups) == ["Pay", "twenty."]
    assert texts(runs) == ["Pay twenty."]


def test_a_note_stands_after_its_paragraph_with_its_own_notes_and_paragraphs():
    note = rb"{\super\chftn{\footnote\ftnalt\pard\plain\s15 {\super\chftn} See below.\par And {\v not} above.}}"
    assert texts(HEAD + rb"It rained" + note + rb" all day.\par\pard\plain\s1 Spring\par Last" + note + b"}") == [
        "It rained all day.",
        "See below.",
        "And  above.",
        "Spring",
        "Last",
        "See below.",
        "And  above.",
    ]


def test_notes_of_a_table_stand_after_it_and_before_the_heading_that_follows():
    note = rb"{\footnote\pard\plain Rebuilt.}"
    rows = rb"\trowd\pard\intbl Year\cell Cost\cell\row\trowd\pard\intbl 1894" + note + rb"\cell 5 m\cell\row" + b"\r\n"
    assert blocks(reading("rtf", HEAD + rows + rows + rb"\pard\plain\s1 Spring\par}")) == [
        ("table", "Year | Cost\n--- | ---\n1894 | 5 m\nYear | Cost\n1894 | 5 m"),
        ("paragraph", "Rebuilt."),
        ("paragraph", "Rebuilt."),
        ("heading", "Spring"),
    ]


SHAPE = rb"{\shp{\*\shpinst\shpleft1{\sp{\sn %b}{\sv 1}}{\shptxt \pard\plain In a box.\par}}{\shprslt{\*\do\dptxbx%b}}}"
OLD = rb"{\dptxbxtext\pard In a box.\par}"


def test_the_text_of_a_shape_is_read_once_after_its_paragraph():
    body = rb"See " + SHAPE % (b"fLine", OLD) + rb"the box.\par And {\*\do\dobxpage" + OLD + rb"}below.\par}"
    assert texts(HEAD + body) == ["See the box.", "In a box.", "And below.", "In a box."]


def test_hidden_shapes_and_those_of_hidden_text_or_of_a_page_s_head_are_not_read():  # fault 21
    shown = SHAPE % (b"fLine", OLD)
    hidden = SHAPE % (b"fHidden", OLD) + rb"{\v " + shown + rb"{\footnote\plain No.}}"
    head = rb"{\header\pard DRAFT " + shown + rb"{\footnote No.}\par}{\*\unknown " + shown + rb"}"
    assert texts(HEAD + head + hidden + rb"Text.\par}") == ["Text."]


def test_a_file_that_breaks_off_in_a_note_keeps_what_it_says():
    assert texts(HEAD + rb"It rained{\footnote See {\b below") == ["It rained", "See below"]
