"""The loop from one question to the next: what ends it, and what costs one line only."""

from __future__ import annotations

import ctypes
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ragqa.cli.chat.door import converse
from ragqa.cli.chat.reading import from_pipe
from ragqa.cli.chat.talk import Talk
from ragqa.cli.stopping import Stopped, exit_code
from ragqa.errors import NotWritable, UsageError
from tests.cli.chat.conftest import BREAD, OPENED, no_room

Begin = Callable[..., Talk]


@pytest.fixture
def piped(talk: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, Talk]]:
    """Gives a conversation these lines through a standard input that an editor would read, too; its exit code."""

    def converse_with(*lines: str) -> tuple[int, Talk]:
        one = talk(decorated=False)
        (tmp_path / "lines").write_text("".join(f"{line}\n" for line in lines))
        with (tmp_path / "lines").open(buffering=1) as stdin:
            monkeypatch.setattr("sys.stdin", stdin)
            return converse(one, from_pipe, person=False), one

    return converse_with


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What an editor that reads its standard input found there; no such file where it was not run."""
    program = tmp_path / "nano"
    program.write_text(f"#!/bin/sh\ncat >{tmp_path}/told\n")
    program.chmod(0o755)
    monkeypatch.setenv("RAGQA_EDITOR", str(program))
    return tmp_path / "told"


@pytest.mark.parametrize("line", ["/open 1", "!edit who was it?"])
def test_no_editor_is_opened_on_a_pipe(
    piped: Callable[..., tuple[int, Talk]], told: Path, line: str, capsys: pytest.CaptureFixture[str]
):
    code, one = piped(OPENED, line, BREAD)
    assert [turn.question for turn in one.turns] == [OPENED, BREAD]
    assert not told.exists()
    assert code == UsageError.exit_code
    assert f"{line.split()[0]} opens an editor, which wants a terminal" in capsys.readouterr().err


def test_a_conversation_that_cannot_be_saved_goes_on(talk: Begin, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    one = talk()
    one.ask(OPENED)
    lines: Iterator[str] = iter([f"/save {tmp_path}/talk.md", "/sources"])

    def read(prompt: str) -> str:
        line = next(lines, None)
        if line is None:
            raise EOFError
        return line

    capsys.readouterr()
    with no_room():
        code = converse(one, read, person=False)
    said = capsys.readouterr()
    assert code == NotWritable.exit_code
    assert said.err.startswith(f"ragqa: {tmp_path}/talk.md: File too large")
    assert "[1]" in said.out


@pytest.mark.parametrize("times", [1, 2])
def test_one_ctrl_c_stops_an_answer_and_two_at_once_the_conversation(
    talk: Begin, monkeypatch: pytest.MonkeyPatch, times: int
):
    one = talk()
    lines = iter([OPENED, "/quit"])
    press = getattr(ctypes.CDLL(None), "raise")
    monkeypatch.setattr(one, "ask", lambda question: list(map(press, [signal.SIGINT] * times)))
    if times == 1:
        assert converse(one, lambda prompt: next(lines), person=True) == 0
    else:
        with pytest.raises(Stopped) as stopped:
            converse(one, lambda prompt: next(lines), person=True)
        assert exit_code(stopped.value) == 130
