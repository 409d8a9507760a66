"""A warm process whose commands are small, and a client that says when it ran its command itself."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.conftest import ROOT

CLIENT = [sys.executable, "-c", "from ragqa.warm.client import hand_over; hand_over(); print('by itself')", "ask"]


def eventually(happens: Callable[[], object], seconds: float = 60) -> None:
    """Wait until something has come true; the limit is only there so that a failing test ends."""
    end = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def is_running(pid: int) -> bool:
    return state(pid) not in ("", "Z")


def state(pid: int) -> str:
    """The letter that the kernel gives it, or nothing when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


@dataclass
class Small:
    """A folder for sockets of its own, with whatever was started for it."""

    folder: Path
    env: dict[str, str]
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def watched(self) -> Path:
        """As long as it exists, the warm process is up to date."""
        return self.folder / "program"

    @property
    def sockets(self) -> list[Path]:
        return list((self.folder / "ragqa").glob("*.sock"))

    def serve(self, idle: float = 0, said: str = "ready\n", **env: str) -> subprocess.Popen[str]:
        self.watched.touch()
        command = [sys.executable, "-m", "tests.warm.small_server", str(idle), str(self.watched)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=self.env | env)
        self.started.append(process)
        assert process.stdout
        assert process.stdout.readline() == said
        return process

    def spare(self, server: subprocess.Popen[str]) -> int:
        """Where no command runs, the fork that waits for its client."""

        def found() -> list[int]:
            return [int(pid) for pid in Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()]

        eventually(lambda: [state(pid) for pid in found()] == ["S"])
        return found()[0]

    def client(self, *arguments: object, env: Mapping[str, str] = {}, **options: object) -> subprocess.Popen[str]:
        command = [*CLIENT, *map(str, arguments)]
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
        process = subprocess.Popen(command, text=True, env=self.env | dict(env), **pipes)  # type: ignore[call-overload]
        self.started.append(process)
        return process

    def ask(self, *arguments: object, **options: object) -> tuple[int, str, str]:
        """Exit code and what was printed on both streams."""
        process = self.client(*arguments, **options)  # type: ignore[arg-type]
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    def shell(self, script: str) -> tuple[int, str, str]:
        """A line of bash in which $ASK asks."""
        quoted = " ".join(f'"{word}"' for word in CLIENT)
        command = ["bash", "-c", script.replace("$ASK", quoted)]
        done = subprocess.run(command, capture_output=True, text=True, env=self.env, timeout=60)
        return done.returncode, done.stdout, done.stderr

    def waiting(self, **options: object) -> tuple[subprocess.Popen[str], int]:
        """A client whose command waits for a signal, and the process that runs it."""
        file = self.folder / f"waits-{len(self.started)}"
        client = self.client("wait", file, **options)  # type: ignore[arg-type]
        eventually(lambda: file.exists() and file.read_text())
        return client, int(file.read_text())


@pytest.fixture
def small() -> Iterator[Small]:
    """In a folder with a short path: a socket's may have a hundred bytes."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    env = {k: v for k, v in os.environ.items() if not k.startswith(("RAGQA_", "PYTHONUNBUFFERED"))}
    paths = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    small = Small(folder, env | {"XDG_RUNTIME_DIR": str(folder), "RAGQA_HOME": str(folder), "PYTHONPATH": paths})
    yield small
    for process in small.started:
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.kill()
        process.wait()
    shutil.rmtree(folder)
