"""SIGTERM and a closed terminal end a long command as Ctrl-C does: what is kept is said, the terminal tidied."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType

ENDING = (signal.SIGTERM, signal.SIGHUP)
HEARD = (signal.SIGINT, *ENDING)
FEW = 1024  # as many signals as anybody sends while one answer is stopped


class Stopped(BaseException):
    """The command is to end; a conversation goes on after one Ctrl-C, and not after this.

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

    A signal that is ignored stays so. Within `insistent` a second Ctrl-C lets what was begun be tidied, and a third
    one ends the process.

    Args:
        heard: The signals.
        then: Is given the exception where it cannot be raised wherever the process happens to be.
    """

    def stop(number: int, _frame: FrameType | None) -> None:
        for one, was in before.items():
            signal.signal(one, _note if was is _press else signal.SIG_DFL)
        then(KeyboardInterrupt() if number == signal.SIGINT else Stopped(number))

    before = {one: was for one in heard if (was := signal.getsignal(one)) != signal.SIG_IGN}
    for one in before:
        signal.signal(one, stop)
    try:
        yield
    finally:
        for one, was in before.items():
            signal.signal(one, was)


@contextmanager
def going_on(done: Callable[[], str]) -> Iterator[None]:
    """Meanwhile a signal ends the command; then it is said what is done, and that the same command goes on from there.

    Args:
        done: Asked when it ends.
    """
    try:
        with stoppable():
            yield
    except (KeyboardInterrupt, Stopped):
        with suppress(OSError):  # the terminal may be gone
            print(f"stopped; {done()}; run again to continue", file=sys.stderr)
        raise


def _press(number: int, frame: FrameType | None) -> None:
    signal.default_int_handler(number, frame)


def _note(number: int, _frame: FrameType | None) -> None:
    """It is counted already."""
    signal.signal(number, signal.SIG_DFL)


@contextmanager
def insistent() -> Iterator[None]:
    """Meanwhile one Ctrl-C raises KeyboardInterrupt, and two raise Stopped, however soon one follows on the other.

    Python raises one exception for all that come while C code runs; each leaves a byte of its own in a pipe.
    """
    read, write = os.pipe()
    os.set_blocking(read, False)
    os.set_blocking(write, False)
    before = signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if usual:
        signal.signal(signal.SIGINT, _press)
    try:
        yield
    except KeyboardInterrupt:
        if os.read(read, FEW).count(signal.SIGINT) > 1:
            raise Stopped(signal.SIGINT) from None
        raise
    finally:
        if usual:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.set_wakeup_fd(before)
        os.close(read)
        os.close(write)


def exit_code(stop: BaseException) -> int:
    """What a shell reports of a command that a signal ended: 130 for Ctrl-C, 143 for SIGTERM, 129 for SIGHUP."""
    return 128 + (stop.number if isinstance(stop, Stopped) else signal.SIGINT)
