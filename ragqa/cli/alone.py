"""Commands that write the index do so one at a time."""

from __future__ import annotations

import os
import sys
from contextlib import AbstractContextManager
from pathlib import Path

from ragqa.cli.options import speaker
from ragqa.lock import writing_alone
from ragqa.settings import Settings


def alone(settings: Settings, quiet: bool = False) -> AbstractContextManager[None]:
    """Meanwhile no other command writes the index; one that does now is waited for, and a person is told.

    Raises:
        IndexLocked: It still does when `patience` is over.
        NotWritable: The index cannot be written where it lies.
    """
    return writing_alone(settings.db, command_line(), settings.patience, speaker(quiet))


def command_line() -> str:
    """This command as its user would know it again."""
    home = f"{Path.home()}{os.sep}"
    words = (f"~/{word.removeprefix(home)}" if word.startswith(home) else word for word in sys.argv[1:])
    return " ".join(["ragqa", *words])
