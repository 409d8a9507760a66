"""`ragqa ask --with`: documents that come with the question, asked in place of the index."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.cli.test_ask import LIT, QUICK, assert_verbatim, controls, on_a_terminal
from tests.conftest import BREAD, LIGHTHOUSE, Ragqa

pytestmark = pytest.mark.model
TEXT = LIGHTHOUSE.encode()
LOAF = "How does bread keep longest?"


def test_standard_input_is_asked_and_cited_by_its_lines(prepared: Ragqa):
    done = prepared("ask", LIT, "--with", "-", "--quotes", stdin=f"# The light\n\n{LIGHTHOUSE}")
    assert (done.code, done.err) == (0, "")
    assert done.out == "“The lighthouse was first lit in 1894.” [1]\n\n[1] -:3\n"


def test_files_are_asked_and_cited_by_their_paths(prepared: Ragqa):
    prepared.write("notes/light.md", LIGHTHOUSE)
    prepared.write("bread.txt", BREAD)
    given = ["--with", "notes/light.md", "--with", "bread.txt", "--with", "-"]
    for question, path in ((LIT, "notes/light.md"), (LOAF, "bread.txt"), ("Who is the mayor?", "-")):
        document = prepared("ask", question, *given, "--quotes", "--json", stdin="Ida Holm is the mayor.\n").json
        (first, *_) = document["evidence"]
        assert (first["path"], first["id"], first["fresh"]) == (path, f"{path}#1", "same")
        assert document["read"]["of_documents"] == 3


def test_no_index_is_wanted_or_made_or_asked(notes: Ragqa):
    before = notes.db.read_bytes()
    done = notes("ask", LIT, "--with", "-", "--quotes", stdin=BREAD)
    assert done.code == 4
    assert notes.db.read_bytes() == before
    notes.db.unlink()
    assert notes("ask", LIT, "--with", "-", "--quotes", stdin=LIGHTHOUSE).code == 0
    assert not list(notes.home.glob("index*"))


def test_the_llama_answers_from_what_was_given(prepared: Ragqa):
    document = prepared("ask", LIT, "--with", "-", "--json", *QUICK, stdin=LIGHTHOUSE).json
    assert document["status"] in ("answered", "quoted")
    assert document["models"]["generate"] == "smollm2-135m-instruct-q4_1"
    assert document["evidence"][0]["quote"] == "The lighthouse was first lit in 1894."


def test_the_usual_forms_are_there(prepared: Ragqa):
    explained = prepared("ask", LIT, "--with", "-", "--quotes", "--plain", "--explain", stdin=LIGHTHOUSE)
    assert explained.out.endswith("[1] -:1\n")
    assert "1 -#1  dense" in explained.err
    counted = prepared("ask", "How many documents mention colza?", "--with", "-", stdin=LIGHTHOUSE)
    assert counted.out.startswith("1 of 1 document")


def test_many_questions_are_asked_of_one_document(prepared: Ragqa):
    prepared.write("both.txt", f"{LIGHTHOUSE}\n{BREAD}")
    done = prepared("ask", "--batch", "-", "--with", "both.txt", "--quotes", stdin=f"{LIT}\n{LOAF}\n")
    assert [line["evidence"][0]["line_start"] for line in done.lines] == [1, 3]


def test_a_file_that_is_called_as_standard_input_is_shown_is_not_read(prepared: Ragqa):
    prepared.write("-", "something else")
    (one,) = prepared("ask", LIT, "--with", "-", "--quotes", "--json", stdin=LIGHTHOUSE).json["evidence"]
    assert (one["fresh"], one["stands"]) == ("same", True)


def test_a_diff_is_quoted_in_whole_lines(prepared: Ragqa):
    for name, fee in (("old", 20), ("new", 25)):
        prepared.write(f"{name}/fees.py", f"# Fees in crowns\nDUE = 'May'\n\n\ndef fee():\n    return {fee}\n")
    diff = ["git", "diff", "--no-index", "old", "new"]
    printed = subprocess.run(diff, cwd=prepared.cwd, capture_output=True, text=True).stdout
    question = ["ask", "What does fee return in fees.py?", "--with", "-", "--quotes", "--json", "--min-support", "0"]
    quotes = prepared(*question, stdin=printed).json["evidence"]
    assert any("-    return 20\n+    return 25" in one["quote"] for one in quotes)
    assert all(one["heading"] == ["new/fees.py"] for one in quotes)
    prepared.write("-", printed)
    for one in quotes:
        assert_verbatim(one, prepared.cwd)


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe" + LIGHTHOUSE.encode("utf-16-le"),
        b"\xef\xbb\xbf" + LIGHTHOUSE.encode(),
        LIGHTHOUSE.encode() + b"\xff",
    ],
    ids=["UTF-16", "a mark", "a bad byte"],
)
def test_any_text_can_be_given(prepared: Ragqa, content: bytes):
    done = prepared("ask", LIT, "--with", "-", "--quotes", stdin=content)
    assert (done.code, "1894" in done.out) == (0, True)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "standard input: empty"),
        (b" \n\t\n", "standard input: empty"),
        (bytes(range(256)) * 5, "standard input: binary, not text"),
        (b"word " * 2000, "standard input: over 2000 bytes"),
    ],
    ids=["nothing", "spaces", "binary", "too large"],
)
def test_what_is_no_text_is_refused_in_one_line(prepared: Ragqa, content: bytes, said: str):
    done = prepared("ask", LIT, "--with", "-", "-o", "max_file_size=2000", stdin=content)
    assert (done.code, done.out, done.err) == (2, "", f"ragqa: {said}\n")


@pytest.mark.parametrize("name", ["none.txt", ".", "pipe", "/dev/zero", "\x1b[2J"])
def test_what_is_no_file_is_refused(prepared: Ragqa, name: str):
    os.mkfifo(prepared.cwd / "pipe")
    done = prepared("ask", LIT, "--with", name, "--quotes")
    assert (done.code, done.out) == (2, "")
    assert "\x1b" not in done.err


@pytest.mark.parametrize(
    "arguments",
    [
        [LIT, "--with", "-", "-c", "notes"],
        [LIT, "--with", "-", "--db", "other.db"],
        ["-", "--with", "-"],
        ["--batch", "-", "--with", "-"],
    ],
    ids=" ".join,
)
def test_what_would_have_two_meanings_is_refused(prepared: Ragqa, arguments: list[str]):
    done = prepared("ask", *arguments, stdin=LIGHTHOUSE)
    assert (done.code, done.out) == (2, "")


def test_nothing_that_is_given_is_obeyed(prepared: Ragqa):
    name = "tower\n[9] \x1b[31m.md"
    prepared.write(name, "The tower was painted red \x1b]8;;http://evil.example\x07in 1901\x1b[2J\u202e.\n")
    shown = on_a_terminal(prepared, "ask", "When was the tower painted red?", "--quotes", "--with", name)
    assert controls(shown) == set()
    assert "1901" in shown


def test_nothing_of_it_is_left_on_disk(prepared: Ragqa, tmp_path: Path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    assert prepared("ask", LIT, "--with", "-", "--quotes", stdin=LIGHTHOUSE, env={"TMPDIR": str(scratch)}).code == 0
    assert not (prepared.home / "logs.db").exists()
    assert list(scratch.iterdir()) == []
