"""The lines of earlier conversations, in a file that nobody else can read."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

from prompt_toolkit.history import FileHistory, History, InMemoryHistory

from ragqa.files import private_folder


class Lines(FileHistory):
    """Lines in a file of mode 0600; one that cannot be written is no loss, as the arrows still know what was typed."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self._path = path

    def load_history_strings(self) -> list[str]:
        try:
            return list(super().load_history_strings())
        except OSError:
            return []

    def store_string(self, string: str) -> None:
        typed = "".join(f"+{line}\n" for line in string.split("\n"))
        try:
            private_folder(self._path.parent)
            descriptor = os.open(self._path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
            with os.fdopen(descriptor, "ab") as file:
                file.write(f"\n# {datetime.now()}\n{typed}".encode("utf-8", "replace"))
        except OSError:
            pass


def lines(kept: Path | None) -> History:
    """What the arrows bring back: of all conversations, or where nothing is kept, of this one."""
    return Lines(kept) if kept else InMemoryHistory()
