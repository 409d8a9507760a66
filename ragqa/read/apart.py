"""Strangers' files are read in a process of their own, which may hang, crash or grow without harm to this one.

It is started for the first such file, reads one after the other, and is ended when one takes too much. What comes back
is text, checked as it arrives; nothing that could run.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import time
from dataclasses import asdict
from types import TracebackType
from typing import Any, Self

from ragqa.document import Block, Place
from ragqa.errors import BadInput
from ragqa.read.formats import Format
from ragqa.read.reading import Reading

SECONDS = 20.0  # for one file
MEMORY = 1536 * 2**20  # bytes of address space; a parser with its libraries takes about a fifth
ANSWER = 256 * 2**20  # bytes that come back for one file
_SLICE = 2**20
LENGTH = 8  # bytes, big-endian, before each message


class Child:
    """The process, which need not run yet. Used with `with`, it ends with the block.

    Args:
        seconds, memory: What one file may take; bytes.
    """

    def __init__(self, seconds: float = SECONDS, memory: int = MEMORY) -> None:
        self.seconds = seconds
        self.memory = memory
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the process, whatever it is doing."""
        if self._process:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe:
                    pipe.close()
            self._process = None

    def read(self, format: Format, content: bytes, name: str) -> Reading:
        """Read a file's bytes; what the process cannot do, it is ended for.

        Raises:
            BadInput: It cannot be read, or took too much time or memory, or brought the process down.
        """
        head = json.dumps({"format": format.name, "name": name, "size": len(content)}).encode()
        try:
            reply = self._ask(len(head).to_bytes(LENGTH, "big") + head + content)
        except _Failed as error:
            self.close()
            raise BadInput(f"{name}: {error}", str(error)) from error
        except BaseException:
            self.close()  # half a conversation cannot be gone on with
            raise
        if "reason" in reply:
            if reply.get("ended"):
                self.close()
            raise BadInput(str(reply["message"]), str(reply["reason"]))
        try:
            return reading_of(reply)
        except (KeyError, TypeError, ValueError) as error:
            self.close()
            raise BadInput(f"{name}: cannot be read as {format.name}", f"cannot be read as {format.name}") from error

    def _ask(self, message: bytes) -> dict[str, Any]:
        """Write and read side by side: neither may wait for ever for a process that is stopped."""
        process = self._running()
        assert process.stdin
        assert process.stdout
        deadline = time.monotonic() + self.seconds
        left, got = memoryview(message), bytearray()
        with selectors.DefaultSelector() as ready:
            ready.register(process.stdin, selectors.EVENT_WRITE)
            ready.register(process.stdout, selectors.EVENT_READ)
            while len(got) < LENGTH or len(got) < LENGTH + _size(got):
                now = time.monotonic()
                if now > deadline:
                    raise _Failed(f"took over {self.seconds:g} s")
                for key, _events in ready.select(deadline - now):
                    if key.fileobj is process.stdin:
                        left = left[_written(process.stdin.fileno(), left) :]
                        if not left:
                            ready.unregister(process.stdin)
                    else:
                        part = os.read(process.stdout.fileno(), _SLICE)
                        got += part
                        if not part:
                            raise _Failed("its parser died")
                        if len(got) >= LENGTH and _size(got) > ANSWER:
                            raise _Failed(f"expands past {ANSWER // 2**20} MiB")
        reply = json.loads(got[LENGTH:])
        if not isinstance(reply, dict):
            raise _Failed("its parser died")
        return reply

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-B", "-m", "ragqa.read.child", str(self.memory), str(self.seconds)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd="/",
                bufsize=0,
                start_new_session=True,  # Ctrl-C is for this process, which then ends the other
            )
            for pipe in (self._process.stdin, self._process.stdout):
                assert pipe
                os.set_blocking(pipe.fileno(), False)
        return self._process


class _Failed(Exception):
    """What the process did not survive, in a few words."""


def _written(descriptor: int, content: memoryview) -> int:
    try:
        return os.write(descriptor, content[:_SLICE])
    except BrokenPipeError as error:
        raise _Failed("its parser died") from error


def _size(message: bytearray) -> int:
    return int.from_bytes(message[:LENGTH], "big")


def reply_of(reading: Reading) -> dict[str, Any]:
    """A reading as JSON can carry it."""
    return asdict(reading)


def reading_of(reply: dict[str, Any]) -> Reading:
    """The reading that was carried; raises KeyError, TypeError or ValueError where it is none."""
    return Reading(
        text=_text(reply["text"]),
        blocks=tuple(
            Block(one["kind"], int(one["start"]), int(one["end"]), tuple(map(_text, one["heading"])))
            for one in reply["blocks"]
        ),
        places=tuple(
            Place(int(one["start"]), one["kind"], int(one["number"]), _text(one["name"]), int(one["line"]))
            for one in reply["places"]
        ),
        title=_text(reply["title"]),
        tags=tuple(map(_text, reply["tags"])),
        date=_text(reply["date"]),
        notes=tuple(map(_text, reply["notes"])),
        repaired=int(reply["repaired"]),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value
