"""Readers that do what a stranger's file can make a parser do: `python -m tests.readers.faulty`, in place of the child.

Each is a format of its own name. Those that try what is forbidden give back as text what came of it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import BinaryIO

from ragqa.document import Block
from ragqa.read import child
from ragqa.read.formats import BY_NAME, Format
from ragqa.read.reading import Reading

Fault = Callable[[bytes], object]
LIBC = ctypes.CDLL(None, use_errno=True)
CHANNELS: list[BinaryIO] = []


def says(content: bytes) -> str:
    return content.decode()


def loops(content: bytes) -> None:
    while True:
        pass


def sleeps(content: bytes) -> None:
    time.sleep(600)


def stops(content: bytes) -> None:
    signal.raise_signal(signal.SIGSTOP)


def forks_and_sleeps(content: bytes) -> None:
    LIBC.fork()
    time.sleep(600)


def crashes(content: bytes) -> None:
    signal.raise_signal(signal.SIGSEGV)


def leaves(content: bytes) -> None:
    os._exit(0)


def exits(content: bytes) -> None:
    sys.exit("enough")


def grows(content: bytes) -> None:
    held = []
    while True:
        held.append(bytes(2**24))


def recurses(content: bytes) -> None:
    recurses(content)


def prints_and_asks(content: bytes) -> str:
    os.write(1, b"\0" * 100)
    os.write(2, b"\0" * 100)
    print("a warning", file=sys.stderr)
    print("text", flush=True)
    return repr(sys.stdin.read())


def replies(content: bytes) -> None:
    """What is in the file, and then no more."""
    CHANNELS[1].write(content)
    CHANNELS[1].flush()
    os._exit(0)


def floods(content: bytes) -> None:
    while True:
        CHANNELS[1].write(b"\0\0\0\0\x40\0\0\0" + bytes(2**20))


def replies_twice(content: bytes) -> str:
    CHANNELS[1].write(child.framed(child.packed(reading("first"))))
    return "second"


def sees_devices(content: bytes) -> str:
    return Path("/proc/net/dev").read_text()


def connects(content: bytes) -> str:
    """To the port of this machine that the file names, past Python."""
    address = b"\x02\0" + int(content).to_bytes(2, "big") + socket.inet_aton("127.0.0.1") + bytes(8)
    found = LIBC.socket(socket.AF_INET, socket.SOCK_STREAM, 0)
    return f"{LIBC.connect(found, address, len(address))}"


def writes(content: bytes) -> str:
    """Into the folder that the file names, past Python: a new file, an old one, a folder, one away."""
    folder = content.decode()
    new, old = os.fsencode(f"{folder}/new"), os.fsencode(f"{folder}/old")
    tried = LIBC.creat(new, 0o600), LIBC.open(old, os.O_RDWR), LIBC.mkdir(new, 0o700), LIBC.unlink(old)
    return f"{tried} {LIBC.rename(old, new)} {LIBC.truncate(old, ctypes.c_long(0))}"


def runs(content: bytes) -> str:
    arguments = (ctypes.c_char_p * 2)(b"true", None)
    return f"{LIBC.execv(b'/bin/true', arguments)}"


def signals(content: bytes) -> str:
    return f"{LIBC.kill(os.getppid(), 0)}"


TRIED: dict[str, Callable[[str], object]] = {
    "socket": lambda path: socket.socket(),
    "look-up": lambda path: socket.getaddrinfo("localhost", 80),
    "program": lambda path: subprocess.run(["true"], check=False),
    "shell": lambda path: os.system("true"),
    "fork": lambda path: os.fork(),
    "write": lambda path: Path(path, "new").write_text("x"),
    "append": lambda path: os.open(Path(path, "old"), os.O_WRONLY | os.O_APPEND),
    "descriptor": lambda path: os.open(Path(path, "old"), os.O_RDWR),
    "remove": lambda path: Path(path, "old").unlink(),
    "folder": lambda path: Path(path, "new").mkdir(),
    "rename": lambda path: Path(path, "old").rename(Path(path, "new")),
    "kill": lambda path: os.kill(os.getppid(), 0),
}


def tries(content: bytes) -> str:
    """What Python's hook says to each thing that is tried in a folder."""
    what, path = content.decode().split(" ")
    try:
        return f"done: {TRIED[what](path)}"
    except PermissionError as error:
        return str(error)


FAULTS: list[Fault] = [
    *(says, loops, sleeps, stops, forks_and_sleeps, crashes, leaves, exits, grows, recurses, prints_and_asks),
    *(replies, floods, replies_twice, sees_devices, connects, writes, runs, signals, tries),
]
FORMATS = {fault.__name__: Format(fault.__name__, (f".{fault.__name__}",), fault.__name__) for fault in FAULTS}


def reading(text: object) -> Reading:
    return Reading(str(text), (Block("paragraph", 0, len(str(text))),))


def main() -> None:
    for fault in FAULTS:
        module = ModuleType(fault.__name__)
        module.read = lambda content, name, fault=fault: reading(fault(content))
        sys.modules[f"ragqa.read.{fault.__name__}"] = module
    BY_NAME.update(FORMATS)
    CHANNELS.extend(child._channels())
    child._channels = lambda: (CHANNELS[0], CHANNELS[1])
    child.main(int(sys.argv[1]), float(sys.argv[2]))


if __name__ == "__main__":
    main()
