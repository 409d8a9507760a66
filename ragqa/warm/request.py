"""One request in a process forked for it: become what the client is, run its command, say how it ended."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn, TextIO

from ragqa.types import JSON
from ragqa.warm.client import FORWARDED
from ragqa.warm.wire import ACCEPTED, GO, MAGIC, MOST, REFUSED, Request, conditions, read_line, unbuffered, unpack

SLOW = 10.0  # seconds that a client may take to say what it wants


@dataclass(frozen=True, slots=True)
class Running:
    """How commands are run here.

    Attributes:
        command: Runs the command line in `sys.argv`; returns its exit code.
        environ: That of the warm process when it was started; its conditions must be the client's, too.
        describe: How the warm process is, for `ragqa serve --status`.
    """

    command: Callable[[], int]
    environ: Mapping[str, str]
    describe: Callable[[], JSON]


def fulfil(connection: socket.socket, running: Running) -> NoReturn:
    """Answer the client and end this process. A client under other conditions is told to run its command itself."""
    connection.settimeout(SLOW)
    with suppress(OSError, ValueError):
        request = receive(connection)
        if request.verb == "status":
            connection.sendall(json.dumps(running.describe()).encode() + b"\n")
        elif request.conditions != conditions(running.environ):
            connection.sendall(REFUSED + b"\n")
        else:
            connection.sendall(ACCEPTED + b"%d\n" % os.getpid())
            word, descriptors, _flags, _address = socket.recv_fds(connection, len(GO), 1 + len(request.streams))
            if word == GO and len(descriptors) == 1 + len(request.streams):
                become(request, descriptors, running.environ)
                _run(connection, running.command)
    os._exit(0)


def _run(connection: socket.socket, command: Callable[[], int]) -> NoReturn:
    code = command()
    with suppress(OSError):  # the client has gone
        connection.sendall(b"exit %d\n" % code)
    os._exit(code)


def receive(connection: socket.socket) -> Request:
    """A whole request.

    Raises:
        ValueError: It is none.
        OSError: The client has gone, or is too slow.
    """
    start = connection.recv(len(MAGIC))
    size = int(read_line(connection)) if start == MAGIC else -1
    if not 0 <= size <= MOST:
        raise ValueError("not a request")
    body = bytearray()
    while len(body) < size:
        part = connection.recv(size - len(body))
        if not part:
            raise ValueError("half a request")
        body += part
    return unpack(bytes(body))


def become(request: Request, descriptors: Sequence[int], inherited: Mapping[str, str]) -> None:
    """Take over the client's working folder, environment, umask, streams, arguments and ignored signals.

    Args:
        descriptors: That of the working folder, then those of the streams that are open.
        inherited: Variables that the warm process was started with. Those that it has set since stay: a process of
            its own would set them, too, when it loads what they are for.
    """
    folder, *streams = descriptors
    os.fchdir(folder)
    os.umask(request.umask)
    for name in set(inherited) - set(request.environ):
        os.environ.pop(name, None)  # a library may have taken it away since
    os.environ.update(request.environ)
    _take_streams(dict(zip(request.streams, streams, strict=True)))
    for descriptor in descriptors:
        os.close(descriptor)
    sys.argv[:] = request.argv
    for number in FORWARDED:
        usual = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
        signal.signal(number, signal.SIG_IGN if number in request.ignored else usual)


_replaced: list[TextIO] = []
"""Kept, because a stream that goes may close its descriptor, which is a new one's by then."""


def _take_streams(streams: Mapping[int, int]) -> None:
    """Put descriptors in the places 0, 1 and 2, leave closed what is closed there, and open Python's streams anew."""
    encoding, errors = sys.stdout.encoding, sys.stdin.errors
    _replaced.extend((sys.stdin, sys.stdout, sys.stderr))
    for place in range(3):
        if place in streams:
            os.dup2(streams[place], place)
        else:
            with suppress(OSError):
                os.close(place)
    sys.stdin = sys.__stdin__ = _reading(streams, encoding, errors)  # type: ignore[misc, assignment]
    sys.stdout = sys.__stdout__ = _writing(1, streams, encoding, errors)  # type: ignore[misc, assignment]
    sys.stderr = sys.__stderr__ = _writing(2, streams, encoding, "backslashreplace")  # type: ignore[misc, assignment]


def _reading(streams: Mapping[int, int], encoding: str, errors: str | None) -> TextIO | None:
    return open(0, encoding=encoding, errors=errors, newline="\n", closefd=False) if 0 in streams else None


def _writing(place: int, streams: Mapping[int, int], encoding: str, errors: str | None) -> TextIO | None:
    """A stream as Python opens it at its start."""
    if place not in streams:
        return None
    raw = io.FileIO(place, "wb", closefd=False)
    if unbuffered():
        return io.TextIOWrapper(raw, encoding, errors, newline="\n", write_through=True)
    by_line = place == 2 or os.isatty(place)
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding, errors, newline="\n", line_buffering=by_line)
