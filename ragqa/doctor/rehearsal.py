"""The program that asks the watched question: `python -m ragqa.doctor.rehearsal FOLDER WITNESS [alone]`.

It indexes a text of its own, asks about it with both models, and writes to WITNESS what tried to use a network on the
way: a list of texts, in JSON. Its exit code is that of the question.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from ragqa.cli.guard import OPENING, watch_network

ABSTAINED = 4
TEXT = "# The light\n\nThe lighthouse was first lit in 1894. It burned colza oil.\n"
QUESTION = "When was the lighthouse first lit?"


def main(folder: Path, witness: Path, *, alone: bool) -> int:
    """Watch, index, ask, and write down what was seen.

    Args:
        alone: No other process is in this network, so all that its kernel counts was done here.
    """
    attempts: list[str] = []
    watch_network(lambda event, target, module: attempts.append(_told(event, target, module)))
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


def _told(event: str, target: object, module: str) -> str:
    """What was tried, in a line; it is noted, not refused."""
    return f"{module} opened a socket ({_name(target)})" if event == OPENING else f"{module}: {event} {target!r}"


def _name(family: object) -> str:
    import socket

    return next((one.name for one in socket.AddressFamily if one == family), str(family))


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
