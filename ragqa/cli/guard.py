"""No connection but the one that was asked for.

The hook sees what Python code does; what C code does past Python is held by the tests, which run ragqa in a
network namespace without any interface and under strace.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import cache
from types import FrameType

from ragqa.errors import NetworkBlocked

OPENING = "socket.__new__"
CONNECTING = ("socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg")
LOOKING_UP = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo")
AF_UNIX, AF_NETLINK = 1, 16  # by the latter Linux asks its own kernel; elsewhere the number is another family's
LOCAL = (AF_UNIX, AF_NETLINK) if sys.platform == "linux" else (AF_UNIX,)
BETWEEN = ("socket", "ssl", "http.client", "urllib.request")  # modules of Python that others connect through

Tell = Callable[[str, object, str], None]


def block_network(arguments: Sequence[str]) -> None:
    """From now on, refuse every attempt to use the network, unless the command is `models pull`."""
    if list(arguments[:2]) != ["models", "pull"]:
        _block()


@cache
def _block() -> None:
    """Once, since a hook cannot be taken away: a fork of the warm process has the one that was set before it."""
    watch_network(_refuse)


def _refuse(event: str, target: object, module: str) -> None:
    if event != OPENING:  # a socket that nothing is done with reaches nobody
        said = f"blocked network attempt by {module}: {event} {target!r}"
        raise NetworkBlocked(said, "please report this as a fault")


def watch_network(tell: Tell) -> None:
    """From now on, tell of every step of Python code towards a network before it is done; for good.

    Args:
        tell: Called with the event of the audit hook, with what it is about (the family of a new socket, else an
            address or a name) and with the module that wants it. What it raises stops the step.
    """

    def hook(event: str, details: tuple[object, ...]) -> None:
        if event == OPENING:
            target, local = details[1], details[1] in LOCAL
        elif event in CONNECTING:
            target, local = details[1], getattr(details[0], "family", None) in LOCAL
        elif event in LOOKING_UP:
            target, local = details[0], False
        else:
            return
        if not local:
            tell(event, target, _module(sys._getframe(1)))

    sys.addaudithook(hook)


def _module(frame: FrameType | None) -> str:
    """The module that wanted it: the innermost that is not one that others connect through."""
    name = "unknown code"
    while frame:
        name = frame.f_globals.get("__name__", name)
        if name not in BETWEEN:
            break
        frame = frame.f_back
    return name
