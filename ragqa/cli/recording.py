"""Keeping what was answered in the history, at no cost to the answer."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragqa.cli.options import advise
from ragqa.errors import RagqaError

if TYPE_CHECKING:
    from ragqa.cli.asking import Asking
    from ragqa.history import History
    from ragqa.types import Answer


class Recording:
    """Writes answers into a history that is opened for the first; one that cannot be written is a remark, no error.

    Args:
        path: Of the history; None records nothing.
    """

    def __init__(self, path: Path | None, quiet: bool) -> None:
        self._path = path
        self._quiet = quiet
        self._history: History | None = None

    def keep(self, answer: Answer, asked: Asking, *, conversation: str = "", instead_of: str = "") -> None:
        """Record an answer, after all that was printed has gone out.

        Args:
            asked: Says which documents were searched.
            conversation: The one it belongs to; empty for one of its own.
            instead_of: The turn whose place it takes.
        """
        from ragqa.history import open_history
        from ragqa.turn import turn_of

        sys.stdout.flush()
        if not self._path:
            return
        about: dict[str, Any] = {"models": answer.models, "collections": asked.collections, "conditions": asked.where}
        try:
            self._history = self._history or open_history(self._path)
            if instead_of in self._history.ids(conversation=conversation):
                self._history.replace(instead_of, turn_of(answer), **about)
            else:
                self._history.record(turn_of(answer), conversation=conversation or answer.id, **about)
        except RagqaError as error:
            self._path = None
            advise(f"the history is not written: {error.message}", self._quiet)

    def close(self) -> None:
        if self._history:
            self._history.close()
