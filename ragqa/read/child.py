"""The process that reads strangers' files: `python -m ragqa.read.child MEMORY SECONDS`, asked by `apart.Child`."""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any, BinaryIO

from ragqa.errors import BadInput
from ragqa.read.confine import confine
from ragqa.read.formats import BY_NAME, read_bytes
from ragqa.read.wire import HELD, LENGTH, TOO_MUCH, framed, packed, refused

GRACE = 5.0  # seconds that the process that asks has to end this one, before it ends itself


def main(memory: int, seconds: float) -> None:
    """Answer requests until there are no more, or until one took more memory than there is."""
    requests, replies = _channels()
    held = json.dumps(confine(memory)).encode()
    while head := _head(requests):
        content = requests.read(int(head["size"]))
        # In case the process that asked is gone and cannot end this one: the signal does, even inside a library.
        signal.setitimer(signal.ITIMER_REAL, seconds + GRACE)
        asked = str(head["format"])
        reply, whole = (held, True) if asked == HELD else _reply(asked, content, str(head["name"]))
        replies.write(framed(reply))
        replies.flush()
        signal.setitimer(signal.ITIMER_REAL, 0)
        if not whole:
            return


def _channels() -> tuple[BinaryIO, BinaryIO]:
    """Where requests come from and replies go: not where a library would ask and print."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    return requests, replies


def _head(requests: BinaryIO) -> dict[str, Any] | None:
    length = requests.read(LENGTH)
    return json.loads(requests.read(int.from_bytes(length, "big"))) if length else None


def _reply(format: str, content: bytes, name: str) -> tuple[bytes, bool]:
    """What to say of a file, and whether this process is still whole after it."""
    try:
        return packed(read_bytes(BY_NAME[format], content, name)), True
    except BadInput as error:
        return refused(error), True
    except MemoryError:
        reason, whole = TOO_MUCH, False  # what was taken is held until this clause is left
    except Exception:  # a parser may fail in any way on what it was not made for
        reason, whole = f"cannot be read as {format}", True
    return refused(BadInput(f"{name}: {reason}", reason)), whole


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
