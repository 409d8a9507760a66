"""Work done in a forked process, so that nothing of it, threads above all, is left in this one."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from ragqa.errors import NotWritable, RagqaError


def done_in_a_fork(work: Callable[[], object]) -> None:
    """Do it there, and return when it is done.

    Raises:
        RagqaError: It failed; with exit code, message and hint as they were there.
    """
    told, tells = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(told)
        leave_with(work, tells)
    os.close(tells)
    with os.fdopen(told, encoding="utf-8") as pipe:
        said = pipe.readline()
    os.waitpid(pid, 0)
    understood(said)


def leave_with(work: Callable[[], object], tells: int) -> NoReturn:
    """Do it and end this process; `tells`, a pipe, is written `done`, or the error as `understood` reads it."""
    code = 1
    try:
        work()
        code = 0
        tell(tells, "done")
    except RagqaError as error:
        _tell_error(tells, error)
    except OSError as error:
        _tell_error(tells, NotWritable(f"{error.filename}: {error.strerror}" if error.filename else str(error)))
    except Exception as error:  # the last door of this process, as that of `ragqa` is
        _tell_error(tells, RagqaError(f"unexpected {type(error).__name__}: {error}"))
    finally:
        os._exit(code)


def tell(pipe: int, line: str) -> None:
    """Write a line; of several, the first is heard, and nobody may be listening any more."""
    with suppress(OSError):
        os.write(pipe, line.encode() + b"\n")


def _tell_error(pipe: int, error: RagqaError) -> None:
    tell(pipe, json.dumps([error.exit_code, error.message, error.hint]))


def understood(line: str) -> str:
    """What a process has told, one word.

    Raises:
        RagqaError: It told an error, or nothing.
    """
    line = line.strip()
    if line and not line.startswith("["):
        return line
    code, message, hint = json.loads(line) if line else (1, "the warm process ended while it was starting", "")
    error = RagqaError(message, hint)
    error.exit_code = code
    raise error


def asked_in_a_fork(question: Callable[[], bool]) -> bool:
    """What a function says, without what it leaves in this process: a driver that it wakes would not survive a fork."""
    pid = os.fork()
    if not pid:
        code = 1
        try:
            code = 0 if question() else 1
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
