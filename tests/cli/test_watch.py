"""`ragqa watch` as a real process on the real E5."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import threading
from collections.abc import Iterator
from queue import Queue

import pytest

from tests.conftest import BREAD, LIGHTHOUSE, RAGQA, Ragqa

pytestmark = [pytest.mark.model, pytest.mark.timeout(120)]


class Watching:
    """A process that watches, and the lines it says."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: Queue[str] = Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.put(line.partition(" ")[2].rstrip())  # without the time

    def says(self) -> str:
        return self.lines.get(timeout=60)

    def ended_by(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=60)


@contextlib.contextmanager
def watching(ragqa: Ragqa, *arguments: str) -> Iterator[Watching]:
    process = subprocess.Popen(
        [RAGQA, "watch", *arguments],
        cwd=ragqa.cwd,
        env=ragqa.environment(RAGQA_THREADS="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        yield Watching(process)
    finally:
        process.kill()
        process.wait()


def test_the_index_keeps_up_while_files_change(prepared: Ragqa):
    prepared.write("notes/light.md", LIGHTHOUSE)
    with watching(prepared, "notes", "-c", "notes", "--verbose") as watch:
        assert watch.says() == "indexed 1, unchanged 0, removed 0, skipped 0"
        prepared.write("notes/bread.md", BREAD)
        assert watch.says() == "indexed 1, unchanged 1, removed 0, skipped 0"
        (prepared.cwd / "notes" / "bread.md").rename(prepared.cwd / "notes" / "loaf.md")
        assert watch.says() == "indexed 0, unchanged 1, moved 1, removed 0, skipped 0"
        # Between two updates it holds no lock.
        assert prepared("index", "notes", "--json").json["unchanged"] == 2
        prepared.write("notes/broken.md", bytes(range(256)) * 20)
        assert watch.says() == "indexed 0, unchanged 2, removed 0, skipped 1 (binary×1); notes/broken.md: binary"
        (prepared.cwd / "notes").rename(prepared.cwd / "away")
        (prepared.cwd / "notes").mkdir()
        prepared.write("notes/new.md", "Something else was mounted here.")
        watch.says()
        assert watch.ended_by(signal.SIGTERM) == 143
    assert prepared("check").code == 0


def test_a_folder_that_vanishes_is_told_and_waited_for_and_loses_nothing(prepared: Ragqa):
    prepared.write("notes/light.md", LIGHTHOUSE)
    with watching(prepared, "notes", "-v") as watch:
        watch.says()
        (prepared.cwd / "notes").rename(prepared.cwd / "away")
        assert watch.says() == "notes is not there; its documents stay as they are"
        prepared.write("away/bread.md", BREAD)
        (prepared.cwd / "away").rename(prepared.cwd / "notes")
        assert watch.says() == "notes is there again"
        assert watch.says() == "indexed 1, unchanged 1, removed 0, skipped 0"
        assert watch.ended_by(signal.SIGINT) == 130


def test_what_was_named_beside_others_and_cannot_be_looked_at_is_told_once(prepared: Ragqa):
    prepared.write("notes/light.md", LIGHTHOUSE)
    (prepared.cwd / "notes" / "link.md").symlink_to("nowhere")
    with watching(prepared, "notes/link.md", "notes/light.md", "-v") as watch:
        assert (
            watch.says() == "indexed 1, unchanged 0, removed 0, skipped 1 (broken link×1); notes/link.md: broken link"
        )
        prepared.write("notes/light.md", BREAD)
        assert watch.says() == "indexed 1, unchanged 0, removed 0, skipped 0"
        assert watch.ended_by(signal.SIGTERM) == 143


def test_in_a_pipe_it_says_nothing(prepared: Ragqa):
    prepared.write("notes/light.md", LIGHTHOUSE)
    with watching(prepared, "notes") as watch:
        while not prepared("search", "lighthouse", "--nl").lines:
            pass
        assert watch.ended_by(signal.SIGTERM) == 143
        assert watch.process.stderr
        assert watch.process.stderr.read() == ""
        assert watch.lines.empty()


def test_what_is_not_there_cannot_be_watched(prepared: Ragqa):
    done = prepared("watch", "nowhere")
    assert (done.code, "No such file" in done.err) == (2, True)
