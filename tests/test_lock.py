"""One writer at a time, however the one before ended."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ragqa.errors import IndexLocked, NotWritable
from ragqa.lock import holder, lock_of, writing_alone

ROOT = Path(__file__).parents[1]
HOLDER = """
import sys
from pathlib import Path
from ragqa.lock import writing_alone
with writing_alone(Path(sys.argv[1]), "ragqa index ~/notes"):
    print("locked", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "index.db"


@contextmanager
def another_process(path: Path) -> Iterator[subprocess.Popen[str]]:
    """One that holds the lock until it reads a line or is killed."""
    command = [sys.executable, "-c", HOLDER, str(path)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "locked\n"
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_second_writer_is_told_who_the_first_is(path: Path):  # fault 64
    with another_process(path) as first:
        with pytest.raises(IndexLocked) as refused, writing_alone(path, "ragqa forget a.md", patience=0.1):
            pass
        assert refused.value.message == f"{path}: locked by process {first.pid} (ragqa index ~/notes)"
        assert holder(path) == f"process {first.pid} (ragqa index ~/notes)"


def test_a_second_writer_goes_on_when_the_first_is_done(path: Path):  # fault 64
    said: list[str] = []
    with another_process(path) as first:
        assert first.stdin

        def done(message: str) -> None:
            said.append(message)
            first.stdin.write("\n")
            first.stdin.flush()

        with writing_alone(path, "ragqa forget a.md", patience=60, say=done):
            assert holder(path) == f"process {os.getpid()} (ragqa forget a.md)"
    assert said == [f"waiting for process {first.pid} (ragqa index ~/notes), which writes index.db"]


def test_a_killed_writer_holds_nothing(path: Path):  # fault 64
    with another_process(path) as first:
        first.send_signal(signal.SIGKILL)
        first.wait()
        assert "locked" not in holder(path)
        with writing_alone(path, "ragqa index", patience=0):
            assert f"process {os.getpid()} " in holder(path)


def test_nobody_holds_what_nobody_writes(path: Path):
    assert holder(path) == ""
    with writing_alone(path, "ragqa index"):
        pass
    assert holder(path) == ""
    assert lock_of(path).read_bytes() == b""


def test_a_process_does_not_wait_for_itself(path: Path):
    with writing_alone(path, "ragqa index"):
        with writing_alone(path, "bringing it up to date", patience=0):
            pass
        assert f"process {os.getpid()} (ragqa index)" == holder(path)


def test_two_files_are_written_at_once(path: Path):
    with another_process(path), writing_alone(path.with_name("other.db"), "ragqa index", patience=0):
        pass


def test_a_lock_that_is_removed_while_it_is_held_is_made_anew(path: Path):
    with another_process(path):
        lock_of(path).unlink()
        with writing_alone(path, "ragqa index", patience=0):
            assert f"process {os.getpid()} " in holder(path)


def test_the_lock_is_its_owner_s_alone_under_any_umask(path: Path):  # fault 58
    before = os.umask(0)
    try:
        with writing_alone(path, "ragqa index"):
            pass
    finally:
        os.umask(before)
    assert stat.S_IMODE(lock_of(path).stat().st_mode) == 0o600


def test_where_nothing_can_be_written_nobody_waits(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(NotWritable), writing_alone(tmp_path / "file" / "index.db", "ragqa index"):
        pass
