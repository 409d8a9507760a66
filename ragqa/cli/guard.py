"""No connection but the one that was asked for.

The hook sees what Python code does; what C code does past Python is held by the tests, which run ragqa in a
network namespace without any interface and under strace.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache
from types import FrameType

from ragqa.errors import NetworkBlocked

CONNECTING = ("socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg")
LOOKING_UP = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo")
AF_UNIX = 1
BETWEEN = ("socket", "ssl", "http.client", "urllib.request")  # modules of Python that others connect through


def block_network(arguments: Sequence[str]) -> None:
    """From now on, refuse every attempt to use the network, unless the command is `models pull`."""
    if list(arguments[:2]) != ["models", "pull"]:
        _watch()


@cache
def _watch() -> None:
    """Once, since a hook cannot be taken away: a fork of the warm process has the one that was set before it."""
    sys.addaudithook(_refuse)


def _refuse(event: str, details: tuple[object, ...]) -> None:
    if event in CONNECTING:
        if getattr(details[0], "family", None) == AF_UNIX:
            return
        target = details[1]
    elif event in LOOKING_UP:
        target = details[0]
    else:
        return
    raise NetworkBlocked(f"blocked network attempt by {_caller()}: {event} {target!r}", "please report this as a fault")


def _caller() -> str:
    """The module that wanted it."""
    frame: FrameType | None = sys._getframe(2)
    name = "unknown code"
    while frame:
        name = frame.f_globals.get("__name__", name)
        if name not in BETWEEN:
            break
        frame = frame.f_back
    return name
