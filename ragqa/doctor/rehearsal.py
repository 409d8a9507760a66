"""The program that asks the watched question: `python -m ragqa.doctor.rehearsal FOLDER WITNESS [alone]`.

It indexes a text of its own, asks about it with both models, and writes to WITNESS what tried to use a network on the
way: a list of texts, in JSON. Its exit code is that of the question.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

ABSTAINED = 4
LEAVING = ("socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo")
LOCAL = (1, 16)  # AF_UNIX, and AF_NETLINK, by which Linux asks its own kernel
TEXT = "# The light\n\nThe lighthouse was first lit in 1894. It burned colza oil.\n"
QUESTION = "When was the lighthouse first lit?"


def main(folder: Path, witness: Path, *, alone: bool) -> int:
    """Watch, index, ask, and write down what was seen.

    Args:
        alone: No other process is in this network, so all that its kernel counts was done here.
    """
    attempts: list[str] = []
    sys.addaudithook(lambda event, details: _watch(event, details, attempts))
    code = _ask(folder)
    if alone and not attempts and (count := _found_no_way()):
        attempts.append(f"code in C tried {count} times to reach a network")
    witness.write_text(json.dumps(list(dict.fromkeys(attempts))), encoding="utf-8")
    return code


def _ask(folder: Path) -> int:
    from ragqa.cli.app import run_command

    document, db = folder / "light.md", str(folder / "index.db")
    document.write_text(TEXT, encoding="utf-8")
    for arguments in (["index", str(document)], ["ask", QUESTION]):
        sys.argv = ["ragqa", *arguments, "--db", db, "--quiet"]
        if code := run_command():
            return 0 if code == ABSTAINED else code
    return 0


def _watch(event: str, details: tuple[object, ...], attempts: list[str]) -> None:
    """Note a socket that is not local, and whatever such a socket is told to do; nothing is refused here."""
    if event == "socket.__new__":
        if details[1] not in LOCAL:
            attempts.append(f"{_caller()} opened a socket ({_name(details[1])})")
    elif event in LEAVING and getattr(details[0], "family", None) not in LOCAL:
        target = details[0] if event == "socket.getaddrinfo" else details[-1]
        attempts.append(f"{_caller()}: {event} {target!r}")


def _name(family: object) -> str:
    import socket

    return next((one.name for one in socket.AddressFamily if one == family), str(family))


def _caller() -> str:
    """The module that is at it: the innermost that is neither this one nor Python's own `socket`."""
    frame = sys._getframe(1)
    while frame.f_back and frame.f_globals.get("__name__") in (__name__, "__main__", "socket"):
        frame = frame.f_back
    return str(frame.f_globals.get("__name__"))


def _found_no_way() -> int:
    """Packets and connections over IPv4 that found no way out, as the kernel counts them for this network."""
    try:
        names, values = [line.split()[1:] for line in Path("/proc/self/net/snmp").read_text().splitlines()[:2]]
        return int(dict(zip(names, values, strict=True))["OutNoRoutes"])
    except (OSError, ValueError, KeyError):
        return 0


if __name__ == "__main__":
    status = main(Path(sys.argv[1]), Path(sys.argv[2]), alone=sys.argv[3:] == ["alone"])
    sys.stdout.flush()
    os._exit(status)
