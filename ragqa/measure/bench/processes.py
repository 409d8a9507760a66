"""A command, run as a person at a terminal runs it → its time, its memory, and when its output came."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ragqa.errors import RagqaError

LAUNCH = Path(__file__).with_name("launch.py")
Arrivals = list[tuple[float, bytes]]
"""When output came, on the monotonic clock, and what of it."""


class CommandFailed(RagqaError):
    """What was to be measured did not do its work, so its time says nothing."""


@dataclass(frozen=True, slots=True)
class Run:
    """What a command took. Seconds are counted from its start.

    Attributes:
        wall: Until it ended.
        cpu: Of all its processes that it waited for, in user mode and in the kernel.
        peak: Bytes of memory that the largest of these processes had in use at a time.
        arrivals: Its standard output, piece by piece, each with the second in which it came.
    """

    code: int
    wall: float
    cpu: float
    peak: int
    arrivals: tuple[tuple[float, bytes], ...]

    @property
    def output(self) -> bytes:
        return b"".join(piece for _second, piece in self.arrivals)

    @property
    def last(self) -> float:
        """When the last of the output came; when it ended, if it wrote nothing."""
        return self.arrivals[-1][0] if self.arrivals else self.wall

    def first(self, mark: str = "") -> float:
        """When `mark` was first in the output, or anything at all; when it ended, if it never was."""
        seen = b""
        for second, piece in self.arrivals:
            seen += piece
            if mark.encode() in seen:
                return second
        return self.wall


def measured(
    command: Sequence[str], *, environment: Mapping[str, str], folder: Path, codes: Collection[int] = (0,)
) -> Run:
    """Run a command in `folder` with its standard output on a terminal, where programs write what they have at once.

    Standard input is empty. Nothing of its output is shown.

    Args:
        codes: Exit codes with which it has done its work.

    Raises:
        CommandFailed: It could not be started, or ended with another code.
    """
    terminal, line = os.openpty()
    reading, report = os.pipe()
    with tempfile.TemporaryFile() as errors, os.fdopen(reading, "rb") as taken:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(LAUNCH), str(report), *command],
            stdin=subprocess.DEVNULL,
            stdout=line,
            stderr=errors,
            pass_fds=[report],
            env=dict(environment),
            cwd=folder,
            start_new_session=True,  # so that a whole pipeline can be ended with it
        )
        os.close(line)
        os.close(report)
        try:
            arrivals = _read(terminal)
            process.wait()
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        finally:
            os.close(terminal)
        return _judged(command, codes, json.loads(taken.read() or b"{}"), arrivals, errors)


def _read(terminal: int) -> Arrivals:
    """All that is written to a terminal, until nothing holds it open any more."""
    arrivals: Arrivals = []
    while True:
        try:
            piece = os.read(terminal, 1 << 16)
        except OSError:  # how Linux says that the other side is closed
            return arrivals
        if not piece:  # how macOS does
            return arrivals
        arrivals.append((time.monotonic(), piece))


def _judged(
    command: Sequence[str],
    codes: Collection[int],
    taken: dict[str, float],
    arrivals: Arrivals,
    errors: IO[bytes],
) -> Run:
    name = Path(command[0]).name
    if "fault" in taken:
        raise CommandFailed(f"{name}: cannot be started: {taken['fault']}")
    if taken.get("code") not in codes:
        errors.seek(0)
        said = errors.read().decode("utf-8", "replace").strip().splitlines()[-3:]
        shown = " ".join([name, *command[1:]])[:200]
        raise CommandFailed(
            f"`{shown}` ended with {taken.get('code')}: {' '.join(said) or 'it said nothing'}",
            "what fails cannot be timed; run it by itself",
        )
    started, wall = taken["started"], taken["wall"]
    return Run(
        code=int(taken["code"]),
        wall=wall,
        cpu=taken["cpu"],
        peak=int(taken["peak"]),
        # What was written just before the end may be read just after it.
        arrivals=tuple((min(second - started, wall), piece) for second, piece in arrivals),
    )
