"""SIGTERM and a closed terminal end a long command as Ctrl-C does: what is kept is said, the terminal tidied."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

ENDING = (signal.SIGTERM, signal.SIGHUP)
HEARD = (signal.SIGINT, *ENDING)


class Stopped(BaseException):
    """Something other than Ctrl-C asked the command to end; a conversation goes on after Ctrl-C, and not after this.

    Attributes:
        number: Which one.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def _raise(stop: BaseException) -> None:
    raise stop


@contextmanager
def stoppable(
    heard: Sequence[signal.Signals] = HEARD, then: Callable[[BaseException], None] = _raise
) -> Iterator[None]:
    """Meanwhile the first signal raises KeyboardInterrupt or Stopped, and a second one ends the process at once.

    A signal that is ignored stays so.

    Args:
        heard: The signals.
        then: Is given the exception where it cannot be raised wherever the process happens to be.
    """

    def stop(number: int, _frame: FrameType | None) -> None:
        for one in before:
            signal.signal(one, signal.SIG_DFL)
        then(KeyboardInterrupt() if number == signal.SIGINT else Stopped(number))

    before = {one: was for one in heard if (was := signal.getsignal(one)) != signal.SIG_IGN}
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
