"""A command, run as a person at a terminal runs it → its time, its memory, and when its output came."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ragqa.errors import RagqaError

LAUNCH = Path(__file__).with_name("launch.py")
Arrivals = Sequence[tuple[float, bytes]]
"""When output came, and what of it."""


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
        shown: The same of standard error, where it shows those who wait what it has so far.
    """

    code: int
    wall: float
    cpu: float
    peak: int
    arrivals: Arrivals
    shown: Arrivals = ()

    @property
    def output(self) -> bytes:
        return b"".join(piece for _second, piece in self.arrivals)

    @property
    def last(self) -> float:
        """When the last of the output came; when it ended, if it wrote nothing."""
        return self.arrivals[-1][0] if self.arrivals else self.wall

    @property
    def first(self) -> float:
        """When the first of the output came; when it ended, if it wrote nothing."""
        return self.arrivals[0][0] if self.arrivals else self.wall

    def first_of(self, mark: str) -> float:
        """When a person first saw `mark`, on either stream; when it ended, if that was never."""
        return min(_first_of(mark.encode(), stream, self.wall) for stream in (self.arrivals, self.shown))


def measured(
    command: Sequence[str], *, environment: Mapping[str, str], folder: Path, codes: Collection[int] = (0,)
) -> Run:
    """Run a command in `folder` as at a terminal, where programs write what they have at once.

    Standard output and standard error have a terminal each, so that they can be told apart. Standard input is empty,
    and nothing of what is written is shown.

    Args:
        codes: Exit codes with which it has done its work.

    Raises:
        CommandFailed: It could not be started, or ended with another code.
    """
    terminals, lines = zip(os.openpty(), os.openpty(), strict=True)
    reading, report = os.pipe()
    with os.fdopen(reading, "rb") as taken:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(LAUNCH), str(report), *command],
            stdin=subprocess.DEVNULL,
            stdout=lines[0],
            stderr=lines[1],
            pass_fds=[report],
            env={"TERM": "xterm-256color", **environment},
            cwd=folder,
            start_new_session=True,  # so that a whole pipeline can be ended with it
        )
        for descriptor in (*lines, report):
            os.close(descriptor)
        try:
            output, shown = _read(terminals)
            process.wait()
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        finally:
            for terminal in terminals:
                os.close(terminal)
        return _judged(command, codes, json.loads(taken.read() or b"{}"), output, shown)


def _read(terminals: Sequence[int]) -> list[Arrivals]:
    """All that is written to each terminal, on the monotonic clock, until nothing holds any of them open."""
    arrivals: dict[int, list[tuple[float, bytes]]] = {terminal: [] for terminal in terminals}
    with selectors.SelectSelector() as waiting:
        for terminal in terminals:
            waiting.register(terminal, selectors.EVENT_READ)
        while waiting.get_map():
            for key, _events in waiting.select():
                piece = _piece(key.fd)
                if piece:
                    arrivals[key.fd].append((time.monotonic(), piece))
                else:
                    waiting.unregister(key.fd)
    return list(arrivals.values())


def _piece(terminal: int) -> bytes:
    """What can be read now; nothing when the other side is closed, which Linux calls an error."""
    try:
        return os.read(terminal, 1 << 16)
    except OSError:
        return b""


def _first_of(mark: bytes, stream: Arrivals, otherwise: float) -> float:
    seen = b""
    for second, piece in stream:
        seen += piece
        if mark in seen:
            return second
    return otherwise


def _judged(
    command: Sequence[str],
    codes: Collection[int],
    taken: dict[str, float],
    output: Arrivals,
    shown: Arrivals,
) -> Run:
    name = Path(command[0]).name
    if "fault" in taken:
        raise CommandFailed(f"{name}: cannot be started: {taken['fault']}")
    if taken.get("code") not in codes:
        said = b"".join(piece for _second, piece in shown).decode("utf-8", "replace").strip().splitlines()[-3:]
        called = " ".join([name, *command[1:]])[:200]
        raise CommandFailed(
            f"`{called}` ended with {taken.get('code')}: {' '.join(said) or 'it said nothing'}",
            "what fails cannot be timed; run it by itself",
        )
    started, wall = taken["started"], taken["wall"]
    # What was written just before the end may be read just after it.
    since = [[(min(second - started, wall), piece) for second, piece in stream] for stream in (output, shown)]
    return Run(int(taken["code"]), wall, taken["cpu"], int(taken["peak"]), *since)
