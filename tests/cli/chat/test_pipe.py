"""`ragqa chat` in a pipe: a plain conversation, without anything that is for people alone."""

from __future__ import annotations

import pytest

from tests.conftest import Ragqa

pytestmark = pytest.mark.model

FTS5, SINCE = "Which FTS5 tokenizer can find parts of words?", "since when?"
LONG = "why " * 3000


def test_answers_are_printed_as_ask_prints_them_and_nothing_else(library: Ragqa):
    done = library("chat", "--no-log", stdin=f"{FTS5}\n\n{SINCE}\n")
    first = library("ask", FTS5, "--no-log").out
    assert done.out.startswith(f"{first}\n")
    assert "3.34.0" in done.out.removeprefix(first)
    assert (done.code, done.err) == (0, "")
    assert not [word for word in ("\x1b", "> ", "searched", "documents;") if word in done.out]


def test_a_question_that_is_refused_costs_itself_alone_and_is_told_by_the_exit_code(library: Ragqa):
    done = library("chat", "--no-log", "--quotes", stdin=f"{LONG}\n/nonsense\n{FTS5}\n{LONG}\n")
    assert done.code == 2
    assert "parts of words" in done.out
    first, second, third = [line for line in done.err.splitlines() if line.startswith("ragqa: ")]
    assert first == third  # after a question, too
    assert second == "ragqa: no command /nonsense"


def test_where_nothing_is_asked_nothing_is_said(library: Ragqa):
    done = library("chat", stdin="")
    assert (done.code, done.out, done.err) == (0, "", "")


def test_a_reader_that_takes_one_line_ends_the_conversation(library: Ragqa):
    script = f"yes '{FTS5}' | head -200 | ragqa chat --quotes --no-log | head -1; echo ${{PIPESTATUS[2]}}"
    done = library.shell(script)
    assert done.out.splitlines()[-1] == "141"
    assert done.err == ""


@pytest.mark.parametrize("joined", [">/dev/full", ">&-"])
def test_an_output_that_takes_nothing_is_said(library: Ragqa, joined: str):
    done = library.shell(f"echo '{FTS5}' | ragqa chat --quotes --no-log {joined}")
    assert done.code == 14
    assert len(done.err.splitlines()) == 1


def test_without_an_input_there_is_no_question(library: Ragqa):
    assert library.shell("ragqa chat --quotes --no-log <&-").code == 0


def test_a_question_that_follows_and_is_not_answered_gets_no_old_answer(library: Ragqa):
    e5 = "What does E5 want in front of a passage?"
    done = library("chat", "--no-log", "--quotes", stdin=f"{e5}\nand the Eiffel Tower?\nthanks\n")
    assert "\n\nThese documents do not answer that." in done.out
    assert (done.code, done.err.splitlines()[0]) == (2, "ragqa: “thanks” asks nothing")


def test_words_to_look_for_are_not_taken_for_what_follows(library: Ragqa):
    done = library("chat", "--no-log", "--quotes", stdin="When was the first public release of SQLite?\nHNSW\n")
    assert library("ask", "HNSW", "--no-log", "--quotes").out in done.out
