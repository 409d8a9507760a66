"""What is typed → questions and commands, and the file of what was typed."""

from __future__ import annotations

import os
import signal
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ragqa.cli.chat.lines import Lines, lines
from ragqa.cli.chat.reading import Read, from_pipe, plainly, typed
from ragqa.cli.opening import edited
from ragqa.cli.stopping import Stopped, stoppable
from ragqa.errors import RagqaError, UsageError


def reading(*said: str) -> Read:
    """A terminal at which these lines are typed, then Ctrl-D."""
    left: Iterator[str] = iter(said)

    def read(prompt: str) -> str:
        line = next(left, None)
        if line is None:
            raise EOFError
        return line

    return read


def unedited(text: str) -> str:
    raise AssertionError("no editor is wanted")


def test_a_line_is_a_question():
    assert typed(reading("  who?  ", "why?"), unedited) == "who?"


def test_several_lines_are_one_question():
    assert typed(reading("!multi", "who", "  was it?", "!end"), unedited) == "who\n  was it?"


def test_several_lines_may_hold_the_word_that_ends_them_where_it_has_a_mark():
    assert typed(reading("!multi 7", "what does", "!end", "do?", "!end 7"), unedited) == "what does\n!end\ndo?"


def test_lines_that_are_not_ended_end_with_the_input():
    read = reading("!multi", "who", "was it?")
    assert typed(read, unedited) == "who\nwas it?"
    with pytest.raises(EOFError):
        typed(read, unedited)


def test_within_several_lines_nothing_is_a_command():
    assert typed(reading("!multi", "/quit", "!edit", "!end"), unedited) == "/quit\n!edit"


def test_only_the_words_themselves_mean_something():
    assert typed(reading("!multiply 2 by 3?"), unedited) == "!multiply 2 by 3?"


def test_several_lines_are_asked_for_with_another_prompt():
    prompts = []

    def read(prompt: str) -> str:
        prompts.append(prompt)
        return "!multi" if len(prompts) == 1 else "!end"

    assert typed(read, unedited) == ""
    assert prompts == ["> ", ". "]


def test_a_pipe_is_read_line_by_line_whatever_its_bytes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    file = tmp_path / "questions"
    file.write_bytes(b"who?\r\n\xff?\nlast")
    with file.open() as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        assert [from_pipe("> ") for _ in range(3)] == ["who?", "\ufffd?", "last"]
        with pytest.raises(EOFError):
            from_pipe("> ")


def test_a_plain_terminal_begins_a_new_line_when_there_is_no_more(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "empty").write_text("")
    with (tmp_path / "empty").open() as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        with pytest.raises(EOFError):
            plainly("> ")
    assert capsys.readouterr().out == "> \n"


# The editor


@pytest.fixture
def editor(tmp_path: Path) -> Callable[[str], dict[str, str]]:
    """The environment in which a script is the editor."""

    def make(script: str) -> dict[str, str]:
        program = tmp_path / "my editor"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        return {"RAGQA_EDITOR": f"'{program}' --wait", "PATH": os.environ["PATH"], "TOLD": str(tmp_path / "told")}

    return make


def test_a_question_is_written_in_an_editor_with_its_options(editor: Callable[[str], dict[str, str]], tmp_path: Path):
    environ = editor('cat "$2" >"$TOLD"; printf "%s\\n" "$1" >>"$TOLD"; printf "who\\nwas it?\\n" >"$2"')
    assert typed(reading("!edit who was"), lambda text: edited(text, environ)) == "who\nwas it?"
    assert (tmp_path / "told").read_text() == "who was--wait\n"


def test_an_editor_that_is_left_without_saving_changes_nothing(editor: Callable[[str], dict[str, str]]):
    environ = editor("true")
    assert typed(reading("!edit who was it?"), lambda text: edited(text, environ)) == "who was it?"
    assert typed(reading("!edit"), lambda text: edited(text, environ)) == ""


def test_what_is_edited_is_nobody_elses_and_gone_afterwards(editor: Callable[[str], dict[str, str]], tmp_path: Path):
    edited("who?", editor('printf "%s" "$2" >"$TOLD"; stat -c %a "${2%/*}" >"$2"'))
    assert not Path((tmp_path / "told").read_text()).parent.exists()
    assert edited("who?", editor('stat -c %a "${2%/*}" >"$2"')) == "700\n"


def test_an_editor_that_fails_or_is_not_there_is_said(editor: Callable[[str], dict[str, str]]):
    with pytest.raises(RagqaError, match="exit code 3"):
        edited("", editor("exit 3"))
    with pytest.raises(RagqaError, match="no-such-editor"):
        edited("", {"EDITOR": "no-such-editor"})
    with pytest.raises(UsageError, match="no editor"):
        edited("", {"PATH": "/nowhere"})


# What was typed


def test_lines_come_back_in_another_conversation_the_newest_first(tmp_path: Path):
    kept = lines(tmp_path / "home" / "chat-lines")
    for line in ("one?", "two\nthree?"):
        kept.append_string(line)
    assert list(Lines(tmp_path / "home" / "chat-lines").load_history_strings()) == ["two\nthree?", "one?"]


def test_the_file_of_lines_is_private_from_the_first_byte_and_again_after_it_was_removed(tmp_path: Path):
    path = tmp_path / "home" / "chat-lines"
    kept = lines(path)
    assert not path.exists()
    for _ in range(2):
        kept.append_string("who?")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        path.unlink()
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_lines_that_cannot_be_kept_are_no_error(tmp_path: Path):
    (tmp_path / "home").write_text("a file where the folder should be")
    kept = lines(tmp_path / "home" / "chat-lines")
    kept.append_string("who?")
    assert kept.get_strings() == ["who?"]
    assert list(kept.load_history_strings()) == []


def test_where_nothing_is_kept_the_arrows_know_this_conversation_alone(tmp_path: Path):
    kept = lines(None)
    kept.append_string("who?")
    assert kept.get_strings() == ["who?"]
    assert list(tmp_path.iterdir()) == []


def test_half_a_character_can_be_kept(tmp_path: Path):
    kept = lines(tmp_path / "chat-lines")
    kept.append_string("what is \ud800?")
    assert list(kept.load_history_strings()) == ["what is ??"]


# Signals


def test_a_signal_can_be_given_to_what_would_lose_an_exception():
    given: list[BaseException] = []
    with stoppable((signal.SIGTERM,), given.append):
        os.kill(os.getpid(), signal.SIGTERM)
    (stop,) = given
    assert isinstance(stop, Stopped)
    assert stop.number == signal.SIGTERM
