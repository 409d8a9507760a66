"""Strangers' files are read in a process of their own, which may hang, crash or grow without harm to this one.

It is started for the first such file, reads one after the other, and is ended when one takes too much. What comes back
is text, checked as it arrives; nothing that could run.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import IO, Self, TypeVar

from ragqa.errors import BadInput
from ragqa.files import READ_SECONDS
from ragqa.read.formats import Format
from ragqa.read.reading import Reading
from ragqa.read.wire import HELD, LENGTH, TOO_MUCH, Garbled, framed, unpacked, words

MEMORY = 1536 * 2**20  # bytes of address space; a parser with its libraries takes about a fifth
ANSWER = 256 * 2**20  # bytes that come back for one file
_SLICE = 2**20
_DIED = "its parser died"
TOOK_OVER = "took over"
_ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1")  # more would take room, and do nothing

Told = TypeVar("Told")


class Child:
    """The process, which need not run yet. Used with `with`, it ends with the block.

    Args:
        seconds, memory, answer: What one file may take, and how much may come back for it; bytes.
        program: The module that is run, `child` or one that ends up there.
    """

    def __init__(
        self,
        seconds: float = READ_SECONDS,
        memory: int = MEMORY,
        *,
        answer: int = ANSWER,
        program: str = "ragqa.read.child",
    ) -> None:
        self.seconds = seconds
        self.memory = memory
        self.answer = answer
        self.program = program
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the process, whatever it is doing."""
        process, self._process = self._process, None
        if process:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # it leads a group of its own
            process.wait()
            for pipe in _pipes(process):
                pipe.close()

    def read(self, format: Format, content: bytes, name: str) -> Reading:
        """Read a file's bytes; what the process cannot do, it is ended for.

        Raises:
            BadInput: It cannot be read, or took too much time or memory, or brought the process down.
        """
        return self._told(format.name, content, name, unpacked)

    def held(self) -> frozenset[str]:
        """What this system keeps the process from, whatever code asks: of `confine`'s words those that hold here.

        Raises:
            BadInput: The process does not start.
        """
        return self._told(HELD, b"", "what reads files", words)

    def _told(self, format: str, content: bytes, name: str, understood: Callable[[memoryview], Told]) -> Told:
        head = json.dumps({"format": format, "name": name, "size": len(content)}).encode()
        try:
            return understood(self._ask(framed(head) + content))
        except BadInput as error:  # said in good order
            if error.reason == TOO_MUCH:
                self.close()
            raise
        except (_Failed, Garbled) as error:
            self.close()
            reason = str(error) if isinstance(error, _Failed) else _DIED
            raise BadInput(f"{name}: {reason}", reason) from error
        except BaseException:
            self.close()  # half a conversation cannot be gone on with
            raise

    def _ask(self, message: bytes) -> memoryview:
        """Write and read side by side: neither may wait for ever for a process that is stopped."""
        requests, replies = self._running()
        deadline = time.monotonic() + self.seconds
        left, got = memoryview(message), bytearray()
        with selectors.DefaultSelector() as ready:
            ready.register(requests, selectors.EVENT_WRITE)
            ready.register(replies, selectors.EVENT_READ)
            while not self._whole(got):
                if (patience := deadline - time.monotonic()) <= 0:
                    raise _Failed(f"{TOOK_OVER} {self.seconds:g} s")
                for key, _events in ready.select(patience):
                    if key.fileobj is replies:
                        got += _received(replies)
                    else:
                        left = left[_written(requests, left) :]
                        if not left:
                            ready.unregister(requests)
        if left or len(got) > LENGTH + _size(got):  # it answers what it was not asked
            raise _Failed(_DIED)
        return memoryview(got)[LENGTH:]

    def _whole(self, got: bytearray) -> bool:
        """Whether a reply has come to its end."""
        if len(got) >= LENGTH and _size(got) > self.answer:
            raise _Failed(f"expands past {self.answer // 2**20} MiB")
        return len(got) >= LENGTH and len(got) >= LENGTH + _size(got)

    def _running(self) -> tuple[IO[bytes], IO[bytes]]:
        """Where to write to the process and where to read from it; it is started where none runs."""
        if self._process and self._process.poll() is not None:  # it ended itself, or someone did
            self.close()
        if not self._process:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-B", "-m", self.program, str(self.memory), str(self.seconds)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env=os.environ | {"PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))} | _ONE_THREAD,
                bufsize=0,
                start_new_session=True,  # Ctrl-C is for this process, which then ends the other
            )
            for pipe in _pipes(self._process):
                os.set_blocking(pipe.fileno(), False)
        requests, replies = _pipes(self._process)
        return requests, replies


class _Failed(Exception):
    """What the process did not survive, in a few words."""


def _pipes(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    assert process.stdin
    assert process.stdout
    return process.stdin, process.stdout


def _written(pipe: IO[bytes], content: memoryview) -> int:
    try:
        return os.write(pipe.fileno(), content[:_SLICE])
    except BrokenPipeError as error:
        raise _Failed(_DIED) from error


def _received(pipe: IO[bytes]) -> bytes:
    part = os.read(pipe.fileno(), _SLICE)
    if not part:
        raise _Failed(_DIED)
    return part


def _size(message: bytearray) -> int:
    return int.from_bytes(message[:LENGTH], "big")
