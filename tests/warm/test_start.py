"""How a warm process comes to run, and what is said when it does not."""

from __future__ import annotations

import os
import signal
import socket
import threading
from pathlib import Path

import pytest

from ragqa.cli import serve
from ragqa.errors import ModelError, NotWritable, RagqaError
from ragqa.settings import Settings
from ragqa.warm import start
from ragqa.warm.apart import done_in_a_fork
from ragqa.warm.server import threads
from tests.conftest import Ragqa

NOWHERE = Path("/nowhere")


def test_what_is_done_in_a_fork_leaves_no_thread(tmp_path: Path):
    def work() -> None:
        threading.Thread(target=threading.Event().wait, daemon=True).start()
        (tmp_path / "threads").write_text(str(threads()))

    before = threads()
    done_in_a_fork(work)
    assert int((tmp_path / "threads").read_text()) > 1
    assert threads() == before


def _fail(error: BaseException) -> None:
    raise error


@pytest.mark.parametrize(
    ("error", "code", "message", "hint"),
    [
        (ModelError("e5: damaged", "install it again"), ModelError.exit_code, "e5: damaged", "install it again"),
        (
            OSError(28, "No space left on device", "m.onnx"),
            NotWritable.exit_code,
            "m.onnx: No space left on device",
            "",
        ),
        (ValueError("odd"), 1, "unexpected ValueError: odd", ""),
    ],
)
def test_an_error_in_a_fork_is_that_of_who_wanted_the_work(error: Exception, code: int, message: str, hint: str):
    with pytest.raises(RagqaError) as raised:
        done_in_a_fork(lambda: _fail(error))
    assert (raised.value.exit_code, raised.value.message, raised.value.hint) == (code, message, hint)


def test_a_fork_that_is_killed_is_an_error():
    with pytest.raises(RagqaError, match="ended while it was starting"):
        done_in_a_fork(lambda: os.kill(os.getpid(), signal.SIGKILL))


def test_a_model_that_cannot_be_prepared_is_said(ragqa: Ragqa, tmp_path: Path):
    done = ragqa("serve", "--background", "--embed-model", "none", env={"XDG_RUNTIME_DIR": str(tmp_path)})
    assert (done.code, done.out) == (12, "")
    assert done.err.startswith("ragqa: none: no such model\n")


def _start(word: str, held: dict[str, object] | None, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(start, "in_background", lambda run: word)
    monkeypatch.setattr(start, "status", lambda environ: held)
    monkeypatch.setattr(start, "ANSWERING", 0.0)
    return serve._start(
        Settings(NOWHERE, NOWHERE, NOWHERE), background=True, quotes=False, quiet=False, command=lambda: 0
    )


def test_one_that_ends_as_soon_as_it_was_ready_is_no_success(monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(RagqaError, match="ended as soon as it had started"):
        _start(serve.NEW, None, monkeypatch)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        (serve.NEW, "ragqa: warm, process 7, with e5\n"),
        (serve.OLD, "ragqa: warm already, process 7, with e5; it keeps its own settings\n"),
    ],
)
def test_who_starts_one_hears_whether_it_ran_already(
    word: str, expected: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    assert _start(word, {"pid": 7, "models": ["e5"]}, monkeypatch) == 0
    assert capsys.readouterr().err == expected


def test_what_it_says_is_understood_when_the_fork_s_end_comes_with_it(monkeypatch: pytest.MonkeyPatch):
    ours, its = socket.socketpair()
    monkeypatch.setattr(start, "connect", lambda environ: ours)
    with its:
        its.sendall(b'{"pid": 7}\nexit 0\n')
        assert start.status({}) == {"pid": 7}


def test_an_idle_time_without_a_number_is_for_ever():
    assert [serve._seconds(minutes) for minutes in (2.0, 0.0, 1e308, float("inf"))] == [120.0, 0.0, 0.0, 0.0]
