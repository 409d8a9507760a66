"""Hand this command to the warm process, where there is one; it is as if it ran here.

Every `ragqa` begins here, so nothing is imported that takes milliseconds: `socket` and `signal` are left alone for the
modules in C below them.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]
import _socket
import os
import sys

from ragqa.warm.place import is_private, socket_path
from ragqa.warm.wire import ACCEPTED, GO, Request, conditions, is_own, pack, peer_uid, read_line

TYPE_CHECKING = False  # `typing` takes milliseconds
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import NoReturn

# What reads the index and is soon done. All else, and what is to come, runs in its own process.
COMMANDS = ("ask", "search", "similar", "ls", "get", "status", "path")
ASKING = COMMANDS[:3]
PATIENCE = 3.0  # seconds until the warm process has said whether it will
FORWARDED = (_signal.SIGINT, _signal.SIGTERM, _signal.SIGHUP, _signal.SIGQUIT, _signal.SIGWINCH)
LOST = "ragqa: the warm process ended before this command was done\n  hint: run it again\n"


def hand_over() -> None:
    """Leave with the exit code that the warm process gives; return when it is not there or will not.

    Until it has said that it will, whatever goes wrong only means that the command runs here.
    """
    if os.environ.get("RAGQA_WARM") == "0" or not is_handed_over(sys.argv[1:]):
        return
    streams = [n for n in range(3) if _is_open(n)]  # looked at first: a connection takes the place of one that is not
    connection = connect(os.environ)
    if connection is None:
        return
    before: dict[int, object] = {}
    try:
        if process := _offer(connection, os.environ, streams):
            before = _forward_signals(process)
            _go(connection, streams)
            _leave(_end(connection))
    except OSError:
        pass
    connection.close()
    for signal, handler in before.items():
        _signal.signal(signal, handler)


def is_handed_over(arguments: Sequence[str]) -> bool:
    """Whether a command line is one for the warm process: a question, or a command that only reads.

    A path below /dev or /proc may mean a descriptor or a terminal that only this process has.
    """
    if not arguments or any("/dev/" in one or "/proc/" in one for one in arguments):
        return False
    first = arguments[0]
    return first in COMMANDS or _is_question(arguments)


def is_asking(arguments: Sequence[str]) -> bool:
    """Whether a command line needs the models."""
    return bool(arguments) and (arguments[0] in ASKING or _is_question(arguments))


def _is_question(arguments: Sequence[str]) -> bool:
    """Whether the command line has no command: all names of commands are lower-case words."""
    first = arguments[0]
    if first.startswith("-"):
        return not first.startswith(("-h", "--help", "--version", "--install-comp", "--show-comp"))
    return not first.replace("-", "").islower() or " " in first or first.endswith("?")


def connect(environ: Mapping[str, str]) -> _socket.socket | None:
    """A connection to this user's warm process, or None."""
    path = socket_path(environ)
    if not is_private(path.rpartition("/")[0]):
        return None
    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        connection.connect(path)
        if is_own(peer_uid(connection)):
            connection.settimeout(PATIENCE)
            return connection
    except OSError:
        pass
    connection.close()
    return None


def _offer(connection: _socket.socket, environ: Mapping[str, str], streams: Sequence[int]) -> int:
    """Ask for the command to be run; the process that will, or 0."""
    umask = os.umask(0o077)
    os.umask(umask)
    ignored = [n for n in FORWARDED if _signal.getsignal(n) == _signal.SIG_IGN]
    connection.sendall(pack(Request("run", conditions(environ), umask, streams, ignored, sys.argv, environ)))
    answer = read_line(connection)
    return int(answer[1:]) if answer.startswith(ACCEPTED) else 0


def _go(connection: _socket.socket, streams: Sequence[int]) -> None:
    """Give the descriptors of the working folder and of the open streams, and with them the word.

    Not sooner: those that lie in the queue of a process that does not take them would keep a pipe open for ever.
    """
    here = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
    try:
        passed = b"".join(n.to_bytes(4, sys.byteorder) for n in (here, *streams))
        connection.sendmsg([GO], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, passed)])
    finally:
        os.close(here)
    connection.settimeout(None)


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def _forward_signals(process: int) -> dict[int, object]:
    """Pass on from now on what a terminal or another process signals, and say what was done with it before."""

    def forward(signal: int, _frame: object) -> None:
        _signal_process(process, signal)

    def stop(signal: int, _frame: object) -> None:
        """Ctrl-Z: both stop, and both go on when this one does."""
        _signal_process(process, _signal.SIGSTOP)
        _signal.signal(signal, _signal.SIG_DFL)
        os.kill(os.getpid(), signal)
        _signal.signal(signal, stop)
        _signal_process(process, _signal.SIGCONT)

    handlers = dict.fromkeys(FORWARDED, forward) | {_signal.SIGTSTP: stop}
    heard = {signal: was for signal in handlers if (was := _signal.getsignal(signal)) != _signal.SIG_IGN}
    for signal in heard:
        _signal.signal(signal, handlers[signal])
    return heard


def _signal_process(process: int, signal: int) -> None:
    try:  # noqa: SIM105 (contextlib takes milliseconds)
        os.kill(process, signal)
    except OSError:
        pass  # it has just ended


def _end(connection: _socket.socket) -> str:
    """How the command ended, `exit N` or `signal N`; empty when nobody is left to say."""
    try:
        return read_line(connection).decode().strip()
    except OSError:
        return ""


def _leave(end: str) -> NoReturn:
    """End as the command did, without the time that Python takes to end."""
    how, _, number = end.partition(" ")
    if how == "signal":
        signal = int(number)
        if signal not in (_signal.SIGKILL, _signal.SIGSTOP):
            _signal.signal(signal, _signal.SIG_DFL)
        os.kill(os.getpid(), signal)
        os._exit(128 + signal)
    if not how:
        try:  # noqa: SIM105
            os.write(2, LOST.encode())
        except OSError:
            pass  # nobody is listening; the exit code still says it
    os._exit(int(number or 1))
