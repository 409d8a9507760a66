"""A warm process without models, whose commands do one small thing each. Arguments: idle seconds, a file to watch."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from ragqa.types import JSON
from ragqa.warm.meeting import Meeting
from ragqa.warm.place import socket_path
from ragqa.warm.server import Keeping, serve, threads


def command() -> int:
    what, *rest = sys.argv[2:]
    code: int = globals()[f"do_{what}"](*rest)
    for stream in filter(None, (sys.stdout, sys.stderr)):
        stream.flush()
    return code


def do_echo(*words: str) -> int:
    print(*words)
    print("to stderr", file=sys.stderr)
    return 0


def do_exit(code: str) -> int:
    return int(code)


def do_stdin() -> int:
    print(sys.stdin.buffer.read() if sys.stdin else None)
    return 0


def do_surroundings(variable: str) -> int:
    umask = os.umask(0)
    print(Path.cwd(), os.environ.get(variable), oct(umask), sys.stdout.isatty())
    return 0


def do_open_streams() -> int:
    text = f"{[stream is not None for stream in (sys.stdin, sys.stdout, sys.stderr)]}\n"
    (sys.stdout or sys.stderr).write(text)
    (sys.stdout or sys.stderr).flush()
    return 0


def do_wait(pid_file: str) -> int:
    """Until a signal comes; the file says that it is ready to."""
    Path(pid_file).write_text(str(os.getpid()))
    try:
        while True:
            time.sleep(60)
    except KeyboardInterrupt:
        return 130


def do_die(number: str) -> int:
    os.kill(os.getpid(), int(number))
    return 0


def do_threads() -> int:
    """Of the warm process, as its fork can see."""
    print(len(os.listdir(f"/proc/{os.getppid()}/task")), threads(), os.getppid())
    return 0


def do_ignored() -> int:
    print(signal.getsignal(signal.SIGHUP) == signal.SIG_IGN)
    return 0


def rehearsal() -> Iterator[None]:
    if os.environ.get("SPOILT"):
        os.kill(os.getpid(), signal.SIGSEGV)
    if os.environ.get("SPOILT_LATER"):
        mark = Path(socket_path(os.environ)).with_suffix(".rehearsed")
        if mark.exists():
            os.kill(os.getpid(), signal.SIGSEGV)
        mark.touch()
    os.environ.pop("GONE", None)
    yield


def describe() -> JSON:
    return {"models": ["none"], "memory_bytes": None}


def main(idle: str, watched: str) -> None:
    meeting = Meeting.claim(Path(socket_path(os.environ)))
    if meeting is None:
        print("another", flush=True)
        return
    keeping = Keeping(command, dict(os.environ), rehearsal, Path(watched).exists, describe, float(idle))
    serve(keeping, meeting, lambda: print("ready", flush=True))


if __name__ == "__main__":
    main(*sys.argv[1:])
