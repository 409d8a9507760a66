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
from functools import partial
from typing import NoReturn

from ragqa.types import JSON
from ragqa.warm.apart import leave_with, tell, understood
from ragqa.warm.client import connect
from ragqa.warm.wire import Request, pack

STARTING = 120.0  # seconds that loading and the first rehearsal may take; preparing models is part of it at most once
STOPPING = 10.0
ANSWERING = 3.0  # seconds until one that is ready has said what it holds
MOMENT = 0.02


def status(environ: Mapping[str, str]) -> JSON | None:
    """What the warm process says of itself; None where none answers."""
    connection = connect(environ)
    if connection is None:
        return None
    said = b""
    try:
        connection.sendall(pack(Request("status")))
        while b"\n" not in said and (part := connection.recv(1 << 16)):
            said += part
        found: JSON = json.loads(said.partition(b"\n")[0])  # behind it may stand how the fork ended
    except (OSError, ValueError):
        return None
    finally:
        connection.close()
    return found


def in_background(run: Callable[[Callable[[str], None]], None]) -> str:
    """Run in a process that belongs to no terminal; return the word with which it has called what it is given.

    Raises:
        RagqaError: It could not start; with the exit code, message and hint that it left.
    """
    told, tells = os.pipe()
    if not os.fork():
        _be_in_background(run, tells)
    os.close(tells)
    os.wait()
    with os.fdopen(told, encoding="utf-8") as pipe:
        return understood(pipe.readline())  # not to its end: forks of the warm process have it, too


def _be_in_background(run: Callable[[Callable[[str], None]], None], tells: int) -> NoReturn:
    os.setsid()  # the terminal's Ctrl-C and hang-up are for others
    if os.fork():
        os._exit(0)
    _close_all_but(tells)
    os.chdir("/")
    leave_with(lambda: run(partial(tell, tells)), tells)


def _close_all_but(kept: int) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    for place in range(3):
        os.dup2(null, place)
    most = min(resource.getrlimit(resource.RLIMIT_NOFILE)[0], 1 << 16)
    os.closerange(3, kept)
    os.closerange(kept + 1, most)


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
