"""Where every `ragqa` begins: a warm process may run the command; if there is none, this one does."""

from __future__ import annotations

import os

from ragqa.warm.client import hand_over

TYPE_CHECKING = False  # `typing` takes milliseconds
if TYPE_CHECKING:
    from typing import NoReturn

INTERRUPTED = 130


def main() -> NoReturn:
    """Run the command in `sys.argv` and leave with its exit code."""
    try:
        hand_over()
        from ragqa.cli.app import main
    except KeyboardInterrupt:
        os._exit(INTERRUPTED)
    main()
