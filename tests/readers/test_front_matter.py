"""What Markdown files say of themselves."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragqa.read.front_matter import front_matter
from ragqa.read.markdown import read

GOLDEN = Path(__file__).parents[1] / "golden" / "bicycle.md"


def test_a_note_says_what_it_is():
    reading = read(GOLDEN.read_bytes(), "a.md")
    told = (reading.title, reading.tags, reading.date)
    assert told == ("Looking after a bicycle", ("bicycle", "repair"), "2024-03-05")
    kinds = [(block.kind, block.heading) for block in reading.blocks]
    assert kinds == [("front", ()), ("heading", ("The chain",)), ("paragraph", ("The chain",))]
    assert reading.text.encode() == GOLDEN.read_bytes()


def test_a_heading_without_end_gives_a_title_that_ends():
    assert read(b"# " + b"word " * 5_000 + b"\n\nText.\n", "a.md").title == ("word " * 60).strip()


@pytest.mark.parametrize(
    ("fields", "tags"),
    [
        ("tags: [Bike, repair, bike]", ("bike", "repair")),
        ("tags:\n  - '#Bike'\n  - two  words", ("bike", "two words")),
        ("tags: bike, repair", ("bike", "repair")),
        ("tags: Ka\u0308se, K\u00e4se", ("k\u00e4se",)),
        ("Keywords: bike\ncategories: [tools]", ("bike", "tools")),
        ("tags: [yes, 1984, 2024-01-01, null]", ("1984", "2024-01-01", "yes")),
        ("tags:", ()),
        ("tags: {a: b}", ()),
        ("tags: [[nested], deep]", ("deep",)),
    ],
)
def test_tags_are_lists_or_words_between_commas(fields: str, tags: tuple[str, ...]):
    assert front_matter(f"---\n{fields}\n---\nText").about.tags == tags


@pytest.mark.parametrize(
    ("fields", "date"),
    [
        ("date: 2024-03-05", "2024-03-05"),
        ("date: 2024-03-05T23:59:59-08:00", "2024-03-05"),
        ("date: '2024/3/5'", "2024-03-05"),
        ("date: 05.03.2024", "2024-03-05"),
        ("date: Tue, 5 Mar 2024 10:00:00 +0100", "2024-03-05"),
        ("updated: 2024-03-06\ncreated: 2024-03-05", "2024-03-05"),
        ("date: soon\nupdated: 2024-03-06", "2024-03-06"),
        ("date: 2024-02-30", ""),
        ("date: 20240305123", ""),
        ("date: [2024-03-05]", ""),
    ],
)
def test_a_date_is_the_first_that_tells_a_day(fields: str, date: str):
    assert front_matter(f"---\n{fields}\n---\n").about.date == date


def test_toml_between_lines_of_plus_signs_is_front_matter():
    found = front_matter('+++\ntitle = "A"\ndate = 2024-03-05\ntags = ["b"]\n+++\nText')
    assert (found.about.title, found.about.tags, found.about.date) == ("A", ("b",), "2024-03-05")


def test_line_ends_of_windows_change_nothing():
    found = front_matter("---\r\ntitle: A\r\n---\r\nText")
    assert (found.about.title, found.end) == ("A", 20)
    assert front_matter('+++\r\ntitle = "A"\r\n+++\r\n').about.title == "A"


@pytest.mark.parametrize(
    "text",
    [
        "---\nJust a text between two rules.\n---\n",
        "---\n- a\n- list\n---\n",
        "---\ntitle: [unclosed\n---\n",
        "---\ntitle: A\n",
        "--- \ntitle: A\n----\n",
        "\n---\ntitle: A\n---\n",
        "+++\ntitle\n+++\n",
        "---\na: &a [x, x]\nb: *a\n---\n",
        "---\n" + "a: b\n" * 10_000 + "---\n",
        "---\na: " + "[" * 1000 + "]" * 1000 + "\n---\n",
        "+++\na" + ".a" * 5000 + " = 1\n+++\n",
        "+++\na = " + "[" * 3000 + "\n+++\n",
    ],
    ids=range(12),
)
def test_what_does_not_parse_is_text(text: str):
    assert front_matter(text).end == 0
    reading = read(f"{text}Text".encode(), "a.md")
    assert "front" not in [block.kind for block in reading.blocks]
    assert reading.text == f"{text}Text"


def test_objects_are_not_made():
    assert front_matter("---\ntitle: !!python/object/apply:os.system [x]\n---\n").about.title == ""


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "fields", ["[" * 30_000, "{a: " * 8000, "a: &a " * 5000, "? " * 15_000, "- " * 15_000, "'" * 30_000]
)
def test_hostile_front_matter_takes_no_time(fields: str):
    assert front_matter(f"---\n{fields}\n---\n").end == 0


@given(st.text(max_size=80), st.sampled_from(["---", "+++"]))
def test_no_front_matter_is_an_error(fields: str, fence: str):
    text = f"{fence}\n{fields}\n{fence}\n"
    assert front_matter(text).end in (0, *range(8, len(text) + 1))


def test_without_front_matter_the_title_is_the_first_heading_of_level_1():
    assert read(b"## Under\n\n# *Own* `title`\n\n# Other\n", "a.md").title == "Own title"
    assert read(b"## Under\n\ntext\n", "a.md").title == ""
    assert read(b"---\ntags: [a]\n---\n# Own\n", "a.md").title == "Own"
