"""Subtitles: what is said, and when."""

from __future__ import annotations

from pathlib import Path

import pytest

from ragqa.document import Place, place_at
from ragqa.errors import BadInput
from ragqa.read.apart import Child
from ragqa.read.formats import BY_NAME
from ragqa.read.reading import Reading
from ragqa.read.subtitles import read

GOLDEN = Path(__file__).parents[1] / "golden" / "talk.srt"

VTT = """WEBVTT - A talk

STYLE
::cue { color: red }

NOTE written by hand

intro
00:01.000 --> 00:03.000 align:start
<v.loud Ada Lovelace>Numbers <c.big>&amp;</c> <00:00:02.000>letters.</v>

NOTE a remark
of two lines

01:00:05.000 --> 01:00:06.000
<v Ada Lovelace>The end.
"""
ASS = """[Script Info]
Title: A film
[V4+ Styles]
[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Comment: 0,0:00:00.00,0:00:01.00,Default,,0,0,0,,a remark
Dialogue: 0,0:00:01.00,0:00:02.00,Default,Ada,0,0,0,,{\\i1}Come in,\\Nplease.
Dialogue: 0,0:00:02.00,0:00:03.00,Default,Ada,0,0,0,,{\\p1}m 0 0 l 1 1{\\p0}
Dialogue: 0,0:00:03.00,0:00:04.00,Default,Eve,0,0,0,,Gladly, thanks.
"""


def places(reading: Reading) -> list[tuple[str, str, int]]:
    ends = [*(place.start for place in reading.places[1:]), len(reading.text)]
    return [
        (reading.text[place.start : end].strip(), place.label, place.line)
        for place, end in zip(reading.places, ends, strict=True)
    ]


def test_cues_are_joined_to_paragraphs_and_each_keeps_its_time_and_line():
    reading = read(GOLDEN.read_bytes(), "a.srt")
    assert reading.text == "The bridge was opened in the year 1894.\n\n- Who built it?\n- Nobody knows.\n\n"
    assert places(reading) == [
        ("The bridge was opened", "0:00:01", 3),
        ("in the year 1894.", "0:00:03", 7),
        ("- Who built it?\n- Nobody knows.", "0:01:05", 12),
    ]
    assert place_at(reading.places, reading.text.index("Who")) == Place(41, "time", 65, line=12)


def test_web_captions_lose_their_marks_and_keep_who_speaks():
    assert places(read(VTT.encode(), "a.vtt")) == [
        ("Ada Lovelace: Numbers & letters.", "0:00:01", 10),
        ("Ada Lovelace: The end.", "1:00:05", 16),
    ]


def test_scripts_lose_their_styles_remarks_and_drawings():
    reading = read(ASS.encode("utf-16"), "a.ass")
    assert reading.title == "A film"
    assert places(reading) == [("Ada: Come in, please.", "0:00:01", 7), ("Eve: Gladly, thanks.", "0:00:03", 9)]


@pytest.mark.parametrize(("rate", "time"), [("{1}{1}50\n", "0:00:01"), ("", "0:00:02")])
def test_frames_are_told_in_seconds(rate: str, time: str):
    reading = read(f"{rate}{{50}}{{100}}Good|morning\n".encode(), "a.sub")
    assert places(reading) == [("Good morning", time, 1 + rate.count("\n"))]


def test_captions_that_roll_upwards_say_everything_once():
    lines = ["one", "one\ntwo", "two\nthree", "three"]
    content = "".join(f"00:00:0{n},000 --> 00:00:0{n + 1},000\n{text}\n\n" for n, text in enumerate(lines))
    assert read(content.encode(), "a.srt").text.split() == ["one", "two", "three"]


def test_a_blank_line_within_a_cue_of_subrip_loses_nothing():
    content = "1\n00:00:01,000 --> 00:00:02,000\nfirst\n\nsecond 7\n\n2\n00:00:02,000 --> 00:00:03,000\n1984\n"
    assert read(content.encode(), "a.srt").text.strip() == "first second 7 1984"


def test_comparisons_are_no_tags():
    content = b"1\n00:00:01,000 --> 00:00:02,000\n1 < 2 and 3 > 2\n"
    assert read(content, "a.srt").text.strip() == "1 < 2 and 3 > 2"


def test_a_long_speech_is_divided_at_the_end_of_a_sentence():
    cues = [
        f"00:00:{n:02},000 --> 00:00:{n + 1:02},000\n{'word ' * 25}{'end.' if n % 3 == 2 else ''}\n" for n in range(12)
    ]
    reading = read("\n".join(cues).encode(), "a.srt")
    assert len(reading.blocks) == 2
    assert all(reading.text[block.start : block.end].rstrip().endswith("end.") for block in reading.blocks)


@pytest.mark.parametrize("content", [b"", b"nothing of the kind", b"[Events]\nDialogue: a", b"00:00:01 --> soon\ntext"])
def test_what_holds_no_cues_is_refused(content: bytes):
    with pytest.raises(BadInput) as refused:
        read(content, "a.srt")
    assert refused.value.reason == "no subtitles"


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "shown",
    [
        "<i" * 200_000,
        "{\\" * 200_000,
        "<v " * 100_000,
        "&" * 200_000,
        "\n" * 200_000,
        "a\n1\n" * 50_000,
        "<v a" * 90_000,
    ],
)
def test_hostile_cues_take_no_time(shown: str):
    read(f"1\n00:00:01,000 --> 00:00:02,000\nx\n{shown}".encode(), "a.srt")


def test_subtitles_are_read_in_a_process_of_their_own():
    with Child() as child:
        assert child.read(BY_NAME["subtitles"], ASS.encode(), "a.ass") == read(ASS.encode(), "a.ass")
