"""The warm process: one that holds the models and never computes, and forks another for every command.

So a command has a process of its own, in which it runs as it always does; a crash costs one question, and several run
side by side. A fork copies one thread only, so nothing here may start another: a lock that one of those held would
stay locked in the copy. That is why models compute in forks alone.

One fork is always made in advance, the spare. It rehearses: it does once what a question will do, so that the question
finds memory, threads and files ready. The first rehearsal also shows that forks can compute on this machine at all.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NoReturn

from ragqa.errors import RagqaError
from ragqa.types import JSON
from ragqa.warm.meeting import Meeting
from ragqa.warm.request import Running, fulfil
from ragqa.warm.wire import is_own, peer_uid

READY, RUNS = b".", b"!"
LONGEST_WAIT = 3600.0  # seconds; poll counts milliseconds in 31 bits
MOST_LOST = 3  # spares that may die one after the other
Rehearsal = Callable[[], Iterator[None]]


@dataclass(frozen=True, slots=True)
class Keeping:
    """What a warm process is there for.

    Attributes:
        command: Runs the command line in `sys.argv`; returns its exit code.
        environ: What it was started with.
        rehearsal: The steps of doing once what a question will do.
        is_current: Whether program and models are still those that were loaded.
        describe: What it holds, for `ragqa serve --status`.
        idle: Seconds without a command after which it ends; 0: it does not.
    """

    command: Callable[[], int]
    environ: Mapping[str, str]
    rehearsal: Rehearsal
    is_current: Callable[[], bool]
    describe: Callable[[], JSON]
    idle: float


@dataclass(slots=True)
class Fork:
    """A process forked from the warm one.

    Attributes:
        channel: Over which a spare is given its client.
        client: Kept open, to notice when the client has gone, and to say how the fork ended if it cannot.
    """

    pid: int
    channel: socket.socket
    client: socket.socket | None = None

    def said(self) -> bytes:
        """What it has said since it was last heard."""
        try:
            return self.channel.recv(10, socket.MSG_DONTWAIT)
        except OSError:
            return b""


@dataclass(slots=True)
class Warm:
    """The warm process while it runs.

    Attributes:
        served: Commands that were run.
        lost: Spares that have died since a command last ended.
        used: When it last had something to do; monotonic seconds.
        since: Seconds since the epoch.
    """

    keeping: Keeping
    meeting: Meeting
    spare: Fork | None = None
    running: dict[int, Fork] = field(default_factory=dict)
    served: int = 0
    lost: int = 0
    used: float = field(default_factory=time.monotonic)
    since: float = field(default_factory=time.time)
    ends: bool = False

    def fork(self) -> Fork:
        """A process that rehearses and waits for its client.

        Raises:
            RagqaError: There is more than one thread.
        """
        if (count := threads()) != 1:
            raise RagqaError(f"the warm process has {count} threads, and a fork would have one", "please report this")
        mine, its = socket.socketpair()
        pid = os.fork()
        if not pid:
            self._be_forked(mine, its)
        its.close()
        return Fork(pid, mine)

    def _be_forked(self, mine: socket.socket, its: socket.socket) -> NoReturn:
        """Nothing raised here may come back to where the warm process goes on."""
        try:
            os.setsid()  # Ctrl-C at the terminal of `ragqa serve` is not meant for the commands
            _forget_signals()
            self.meeting.leave()
            mine.close()
            self._forget_others()
            client = _rehearse(its, self.keeping.rehearsal)

            def command() -> int:
                its.send(RUNS)
                return self.keeping.command()

            fulfil(client, Running(command, self.keeping.environ, self._describe))
        finally:
            os._exit(1)

    def _forget_others(self) -> None:
        """Their clients must notice when they end."""
        for fork in self.running.values():
            fork.channel.close()
            if fork.client:
                fork.client.close()

    def _describe(self) -> JSON:
        """In a fork, whose memory says how the warm process was when it was forked."""
        own = {"pid": os.getppid(), "since": self.since, "served": self.served, "idle_minutes": self.keeping.idle / 60}
        return own | self.keeping.describe()

    def take(self, client: socket.socket) -> None:
        """Give a client to the spare, or to a fork made now."""
        fork, self.spare = self.spare or self.fork(), None
        self.running[fork.pid] = fork
        fork.client = client
        with suppress(OSError):  # it has died; the client is told when it is buried
            socket.send_fds(fork.channel, [READY], [client.fileno()])

    def accept(self) -> None:
        """Take a client of this user; at the first that comes after program or models have changed, end instead."""
        assert self.meeting.listener
        try:
            client, _address = self.meeting.listener.accept()
        except OSError:
            return
        if not is_own(peer_uid(client)):
            client.close()
        elif self.keeping.is_current():
            self.take(client)
        else:
            client.close()
            self.ends = True

    def bury(self) -> None:
        """Say how forks ended to clients that were not told, and forget them."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            if self.spare and pid == self.spare.pid:
                self._lose_spare()
            if fork := self.running.pop(pid, None):
                self._tell_end(fork, status)
                self.used, self.lost = time.monotonic(), 0

    def _lose_spare(self) -> None:
        """One that dies in its rehearsal says that commands would die, too; one that is killed later is replaced."""
        assert self.spare
        self.lost += 1
        self.ends |= READY not in self.spare.said() or self.lost == MOST_LOST
        self.spare.channel.close()
        self.spare = None

    def _tell_end(self, fork: Fork, status: int) -> None:
        how = b"signal %d\n" % os.WTERMSIG(status) if os.WIFSIGNALED(status) else b"exit %d\n" % os.WEXITSTATUS(status)
        self.served += RUNS in fork.said()
        fork.channel.close()
        if fork.client:
            with suppress(OSError):
                fork.client.send(how, socket.MSG_DONTWAIT)
            fork.client.close()

    def leave_alone(self, client: socket.socket) -> None:
        """A client has gone, so its command ends at once."""
        for fork in self.running.values():
            if fork.client is client:
                with suppress(ProcessLookupError):
                    os.kill(fork.pid, signal.SIGKILL)
                client.close()
                fork.client = None


def serve(keeping: Keeping, meeting: Meeting, announce: Callable[[], None]) -> None:
    """Serve until nobody has asked for long, SIGTERM comes, or program or models change; running commands finish.

    Args:
        announce: Called when the socket is open, which it is after the first rehearsal.

    Raises:
        RagqaError: A fork cannot compute, or there is more than one thread.
    """
    warm = Warm(keeping, meeting)
    woken, wakes = socket.socketpair()
    for end in (woken, wakes):
        end.setblocking(False)
    signal.set_wakeup_fd(wakes.fileno(), warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda number, frame: _hear(warm, number))
    warm.spare = warm.fork()
    if warm.spare.channel.recv(1, socket.MSG_PEEK) != READY:  # what it has said stays, for when it dies
        raise RagqaError("a fork of the warm process could not answer a question", "commands run without it")
    meeting.listen()
    try:
        announce()
        while not warm.ends:
            _wait(warm, woken)
    finally:
        meeting.close()
    if warm.spare:
        warm.spare.channel.close()
    while warm.running:
        _wait(warm, woken)


def _hear(warm: Warm, number: int) -> None:
    if number != signal.SIGCHLD:
        warm.ends = True


def _forget_signals() -> None:
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _wait(warm: Warm, woken: socket.socket) -> None:
    """Wait for what comes next, and do it."""
    poll = select.poll()
    poll.register(woken, select.POLLIN)
    listener = warm.meeting.listener
    if listener:
        poll.register(listener, select.POLLIN)
    clients = {fork.client.fileno(): fork.client for fork in warm.running.values() if fork.client}
    for descriptor in clients:
        poll.register(descriptor, 0)  # only whether it has been closed at the other end
    happened = [descriptor for descriptor, _events in poll.poll(_patience_ms(warm))]
    with suppress(OSError):
        woken.recv(1000)
    warm.bury()
    for descriptor in happened:
        if descriptor in clients:
            warm.leave_alone(clients[descriptor])
    if listener and listener.fileno() in happened:
        warm.accept()
    if not warm.ends and not warm.spare and not warm.running:
        warm.spare = warm.fork()


def _patience_ms(warm: Warm) -> float | None:
    """Milliseconds until it may have been idle for too long; None while a command runs. Sets `ends` when it has."""
    idle = warm.keeping.idle
    if not idle or warm.running:
        return None
    left = warm.used + idle - time.monotonic()
    warm.ends |= left <= 0
    return max(0.0, min(left, LONGEST_WAIT) * 1000)


def _rehearse(its: socket.socket, rehearsal: Rehearsal) -> socket.socket:
    """Rehearse until a client comes, and wait for one; if the warm process goes first, end."""
    for _step in rehearsal():
        if select.select([its], [], [], 0)[0]:
            break
    with suppress(OSError):
        its.send(READY)
    try:
        _message, descriptors, _flags, _address = socket.recv_fds(its, 1, 1)
        return socket.socket(fileno=descriptors[0])
    except (OSError, IndexError):
        os._exit(0)


def threads() -> int:
    """How many threads this process has."""
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:  # not Linux: at least those of Python
        return threading.active_count()
