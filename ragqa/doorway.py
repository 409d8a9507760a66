"""Where every `ragqa` begins: a warm process may run the command; if there is none, this one does."""

from __future__ import annotations

import os
import resource

from ragqa.warm.client import hand_over

TYPE_CHECKING = False  # `typing` takes milliseconds
if TYPE_CHECKING:
    from typing import NoReturn

INTERRUPTED, NO_MEMORY = 130, 12
LEAST = {"AS": 160, "DATA": 80}  # MB that the program takes without any model; NumPy ends the process if it has less


def main() -> NoReturn:
    """Run the command in `sys.argv` and leave with its exit code."""
    try:
        hand_over()
        _require_memory()
        from ragqa.cli.app import main
    except KeyboardInterrupt:
        os._exit(INTERRUPTED)
    main()


def _require_memory() -> None:
    for name, least in LEAST.items():
        most = resource.getrlimit(getattr(resource, f"RLIMIT_{name}"))[0]
        if 0 <= most < least * 1_000_000:
            has = f"{most // 1_000_000} MB (ulimit RLIMIT_{name})"
            os.write(2, f"ragqa: needs about {least} MB of memory, has {has}\n  hint: raise the limit\n".encode())
            os._exit(NO_MEMORY)
