"""No connection but the one that was asked for.

The hook sees what Python code does; what C code does past Python is held by the tests, which run ragqa in a
network namespace without any interface and under strace.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache

from ragqa.errors import NetworkBlocked

WATCHED = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto")
AF_UNIX = 1


def block_network(arguments: Sequence[str]) -> None:
    """From now on, refuse every attempt to use the network, unless the command is `models pull`."""
    if list(arguments[:2]) != ["models", "pull"]:
        _watch()


@cache
def _watch() -> None:
    """Once, since a hook cannot be taken away: a fork of the warm process has the one that was set before it."""
    sys.addaudithook(_refuse)


def _refuse(event: str, details: tuple[object, ...]) -> None:
    if event not in WATCHED:
        return
    target = details[1] if event.startswith(("socket.connect", "socket.sendto")) else details[0]
    if isinstance(target, str | bytes) and getattr(details[0], "family", None) == AF_UNIX:
        return
    caller = sys._getframe(1).f_globals.get("__name__", "unknown code")
    raise NetworkBlocked(f"blocked network attempt by {caller}: {event} {target!r}", "please report this as a fault")
