"""Keeping what was answered in the history, at no cost to the answer."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ragqa.cli.options import advise
from ragqa.errors import RagqaError

if TYPE_CHECKING:
    from ragqa.history import History
    from ragqa.types import Answer


class Recording:
    """Writes answers into a history that is opened for the first; one that cannot be written is a remark, no error.

    Args:
        path: Of the history; None records nothing.
        collections: Those that are searched.
    """

    def __init__(self, path: Path | None, collections: Sequence[str], quiet: bool) -> None:
        self._path = path
        self._collections = collections
        self._quiet = quiet
        self._history: History | None = None

    def keep(self, answer: Answer) -> None:
        """Record an answer as a conversation of its own, after all that was printed has gone out."""
        from ragqa.history import open_history
        from ragqa.turn import turn_of

        sys.stdout.flush()
        if not self._path:
            return
        try:
            self._history = self._history or open_history(self._path)
            self._history.record(
                turn_of(answer), conversation=answer.id, models=answer.models, collections=self._collections
            )
        except RagqaError as error:
            self._path = None
            advise(f"the history is not written: {error.message}", self._quiet)

    def close(self) -> None:
        if self._history:
            self._history.close()
