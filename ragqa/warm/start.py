"""How a warm process comes to run behind the back of a terminal, and how others learn of it."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress

from ragqa.errors import RagqaError
from ragqa.types import JSON
from ragqa.warm.client import connect
from ragqa.warm.wire import Request, pack

STARTING = 120.0  # seconds that loading and the first rehearsal may take; preparing models is part of it at most once
STOPPING = 10.0
MOMENT = 0.02


def status(environ: Mapping[str, str]) -> JSON | None:
    """What the warm process says of itself; None where none answers."""
    connection = connect(environ)
    if connection is None:
        return None
    said = b""
    try:
        connection.sendall(pack(Request("status")))
        while not said.endswith(b"\n") and (part := connection.recv(1 << 16)):
            said += part
        found: JSON = json.loads(said)
    except (OSError, ValueError):
        return None
    finally:
        connection.close()
    return found


def in_background(run: Callable[[Callable[[], None]], None]) -> None:
    """Run in a process that belongs to no terminal; return when it has called what it is given, or raise its error.

    Raises:
        RagqaError: It could not start; with the exit code, message and hint that it left.
    """
    told, tells = os.pipe()
    if os.fork():
        os.close(tells)
        os.wait()
        with os.fdopen(told, encoding="utf-8") as pipe:
            _raise_what(pipe.readline().strip())  # not to its end: forks of the warm process have it, too
        return
    os.setsid()  # the terminal's Ctrl-C and hang-up are for others
    if os.fork():
        os._exit(0)
    _close_all_but(tells)
    os.chdir("/")
    code = 1
    try:
        run(lambda: _tell(tells, "ready"))
        code = 0
    except RagqaError as error:
        _tell(tells, json.dumps([error.exit_code, error.message, error.hint]))
    finally:
        os._exit(code)


def _close_all_but(kept: int) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    for place in range(3):
        os.dup2(null, place)
    most = min(resource.getrlimit(resource.RLIMIT_NOFILE)[0], 1 << 16)
    os.closerange(3, kept)
    os.closerange(kept + 1, most)


def _tell(pipe: int, what: str) -> None:
    with suppress(OSError):
        os.write(pipe, what.encode() + b"\n")
        os.close(pipe)


def _raise_what(said: str) -> None:
    if said == "ready":
        return
    code, message, hint = json.loads(said) if said else (1, "the warm process ended while it was starting", "")
    error = RagqaError(message, hint)
    error.exit_code = code
    raise error


def tries(seconds: float) -> Iterator[None]:
    """Now, and again a moment after each, for so long."""
    end = time.monotonic() + seconds
    yield
    while time.monotonic() < end:
        time.sleep(MOMENT)
        yield


def start_beside(environ: Mapping[str, str]) -> None:
    """Have a warm process started by another process like this one, and do not wait for it."""
    if connection := connect(environ):
        connection.close()
        return
    itself = [sys.executable, *sys.orig_argv[1 : len(sys.orig_argv) - len(sys.argv) + 1]]
    nowhere = subprocess.DEVNULL
    with suppress(OSError):
        subprocess.Popen(
            [*itself, "serve", "--background"],
            env=dict(environ),
            stdin=nowhere,
            stdout=nowhere,
            stderr=nowhere,
            start_new_session=True,
        )
