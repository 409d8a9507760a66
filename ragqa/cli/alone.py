"""Commands that write the index do so one at a time."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ragqa.cli.options import advise, speaker
from ragqa.lock import writing_alone
from ragqa.settings import Settings

LARGE = 256 << 20  # bytes of SQLite's log


@contextmanager
def alone(settings: Settings, quiet: bool = False) -> Iterator[None]:
    """Meanwhile no other command writes the index; one that does now is waited for, and a person is told.

    Raises:
        IndexLocked: It still does when `patience` is over.
        NotWritable: The index cannot be written where it lies.
    """
    with writing_alone(settings.db, command_line(), settings.patience, speaker(quiet)):
        yield
    _warn_of_log(settings.db, quiet)


def _warn_of_log(db: Path, quiet: bool) -> None:
    """Say that the log has grown large: as long as somebody reads what was there before, nothing leaves it."""
    log = Path(f"{db}-wal")
    size = log.stat().st_size if log.exists() else 0
    if size > LARGE:
        advise(f"{log} has {size >> 20} MB: another process keeps the index open, and it shrinks when that ends", quiet)


def command_line() -> str:
    """This command as its user would know it again."""
    home = f"{Path.home()}{os.sep}"
    words = (f"~/{word.removeprefix(home)}" if word.startswith(home) else word for word in sys.argv[1:])
    return " ".join(["ragqa", *words])
