"""SIGTERM and a closed terminal end a long command as Ctrl-C does: it says what it has kept."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

HEARD = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(KeyboardInterrupt):
    """A signal asked the command to end.

    Attributes:
        number: Which one.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


@contextmanager
def stoppable() -> Iterator[None]:
    """Meanwhile the first signal raises Stopped; a second one ends the process at once. What is ignored stays so."""

    def stop(number: int, _frame: FrameType | None) -> None:
        for one in before:
            signal.signal(one, signal.SIG_DFL)
        raise Stopped(number)

    before = {one: was for one in HEARD if (was := signal.getsignal(one)) != signal.SIG_IGN}
    for one in before:
        signal.signal(one, stop)
    try:
        yield
    finally:
        for one, was in before.items():
            signal.signal(one, was)


def exit_code(stop: BaseException) -> int:
    """What a shell reports of a command that a signal ended: 130 for Ctrl-C, 143 for SIGTERM, 129 for SIGHUP."""
    return 128 + (stop.number if isinstance(stop, Stopped) else signal.SIGINT)
