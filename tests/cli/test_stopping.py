"""Signals: what was done is kept, what is being done ends, and a shell hears which one it was."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pexpect
import pytest

from ragqa.cli import watch
from ragqa.cli.progress import Waiting
from ragqa.cli.stopping import Stopped, exit_code, insistent, stoppable
from ragqa.cli.watch import Watcher
from ragqa.index.run import Run
from ragqa.settings import Settings
from tests.cli.test_ask import E5
from tests.cli.test_index import counts, ids, running, stored
from tests.conftest import CORPUS, RAGQA, Ragqa

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
model = pytest.mark.model


# fault 52
@pytest.mark.parametrize(("number", "code"), CODES.items())
def test_each_signal_has_the_exit_code_that_a_shell_would_report(number: signal.Signals, code: int):
    with pytest.raises((KeyboardInterrupt, Stopped)) as caught, stoppable():
        os.kill(os.getpid(), number)
    assert exit_code(caught.value) == code


def test_a_signal_between_two_updates_ends_watch_as_one_within(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(watch, "fill_once", lambda *_: None)
    monkeypatch.setattr(Watcher, "_say", lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    settings = Settings(home=tmp_path, config=tmp_path, db=tmp_path / "index.db")
    with pytest.raises(Stopped):
        Watcher(settings, Run(), verbose=True, quiet=False).run([tmp_path])


def test_after_the_first_signal_the_next_one_is_not_held_up():
    heard: list[object] = []

    def work() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            heard.extend(signal.getsignal(number) for number in CODES)

    with pytest.raises(Stopped), stoppable():
        work()
    assert heard == [signal.SIG_DFL] * 3


def test_signals_are_heard_as_before_afterwards_and_what_is_ignored_stays_so():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stoppable():
            os.kill(os.getpid(), signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
        assert signal.getsignal(signal.SIGINT) == signal.default_int_handler
    finally:
        signal.signal(signal.SIGHUP, before)


# faults 52 and 53
@pytest.mark.parametrize(("times", "raised"), [(1, KeyboardInterrupt), (2, Stopped), (3, Stopped)])
def test_each_ctrl_c_counts_also_while_c_code_runs(times: int, raised: type[BaseException]):
    before = signal.set_wakeup_fd(-1)
    press = getattr(ctypes.CDLL(None), "raise")
    with pytest.raises((KeyboardInterrupt, Stopped)) as caught, insistent():
        list(map(press, [signal.SIGINT] * times))  # no line of Python runs in between
    assert type(caught.value) is raised
    assert exit_code(caught.value) == CODES[signal.SIGINT]
    assert signal.set_wakeup_fd(before) == -1


def test_a_second_ctrl_c_counts_while_the_first_one_is_tidied_up():
    def work() -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        finally:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(Stopped), insistent():
        work()
    with pytest.raises(Stopped), insistent(), stoppable():  # which would end the process
        work()
    assert signal.getsignal(signal.SIGINT) == signal.default_int_handler


MOMENTS: dict[str, Callable[[Ragqa], object]] = {
    "opening": lambda ragqa: ragqa.db.exists(),
    "storing": stored,
}


# fault 52
@model
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize(("number", "code"), CODES.items())
def test_a_signal_keeps_what_was_indexed_and_says_so(prepared: Ragqa, number: signal.Signals, code: int, moment: str):
    shutil.copytree(CORPUS, prepared.cwd / "corpus")
    with running(prepared, "corpus") as process:
        while process.poll() is None and not MOMENTS[moment](prepared):
            time.sleep(0.002)
        process.send_signal(number)
        out, err = process.communicate()
    assert (process.returncode, out) == (code, b"")
    kept = stored(prepared)
    # The signal may fall between a document's commit and its count.
    assert err.decode() in {f"stopped; {n} new documents kept; run again to continue\n" for n in (kept, kept - 1)}
    done = counts(prepared, "corpus")
    assert done.get("unchanged", 0) == kept
    assert prepared("check").code == 0
    assert len(ids(prepared)) == kept + done["indexed"]


# fault 52
@model
def test_a_second_ctrl_c_ends_it_and_the_index_is_whole(prepared: Ragqa):
    shutil.copytree(CORPUS, prepared.cwd / "corpus")
    with running(prepared, "corpus") as process:
        while process.poll() is None and not stored(prepared):
            time.sleep(0.002)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        process.communicate()
    assert process.returncode in (130, -signal.SIGINT)
    assert prepared("check").code == 0


# fault 53
@model
@pytest.mark.parametrize("stage", ["searching", "marking", "writing"])
@pytest.mark.parametrize(("number", "code"), CODES.items())
def test_a_question_ends_at_any_stage_and_leaves_the_terminal_tidy(
    library: Ragqa, stage: str, number: signal.Signals, code: int
):
    environment = library.environment(TERM="xterm-256color")
    command = ["ask", E5, "-t", "paragraph"]
    child = pexpect.spawn(str(RAGQA), command, env=environment, encoding="utf-8", cwd=str(library.cwd), timeout=120)
    child.expect_exact(stage)
    child.kill(number)
    rest = child.read()
    child.close()
    assert (child.exitstatus, child.signalstatus) == (code, None)
    assert "Traceback" not in rest
    assert rest.rindex("\x1b[?25h") > rest.rfind("\x1b[?25l")  # the cursor is there again


@model
@pytest.mark.parametrize(("number", "code"), CODES.items())
def test_between_two_questions_of_a_batch_what_was_answered_stays(library: Ragqa, number: signal.Signals, code: int):
    batch = [RAGQA, "ask", "--batch", "-", "--quotes"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen(batch, env=library.environment(), cwd=library.cwd, **pipes)
    assert process.stdin
    assert process.stdout
    process.stdin.write(f"{E5}\n".encode())
    process.stdin.flush()
    assert json.loads(process.stdout.readline())["question"] == E5
    process.send_signal(number)
    _out, err = process.communicate()
    assert process.returncode in (code, -number)
    assert err == b""


def test_ctrl_c_waits_until_a_line_is_drawn():
    class Live:
        drawn = 0

        def update(self, renderable: object, refresh: bool = False) -> None:
            os.kill(os.getpid(), signal.SIGINT)
            self.drawn += 1

    live = Live()
    waiting = Waiting(live)  # type: ignore[arg-type]
    with stoppable(then=waiting.stop), pytest.raises(KeyboardInterrupt):
        waiting.stage("marking")
    assert live.drawn == 1
