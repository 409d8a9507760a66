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
    """

    def __init__(self, path: Path | None, quiet: bool) -> None:
        self._path = path
        self._quiet = quiet
        self._history: History | None = None

    def keep(
        self, answer: Answer, *, conversation: str = "", collections: Sequence[str] = (), instead_of: str = ""
    ) -> None:
        """Record an answer, after all that was printed has gone out.

        Args:
            conversation: The one it belongs to; empty for one of its own.
            collections: Those that were searched.
            instead_of: The turn whose place it takes.
        """
        from ragqa.history import open_history
        from ragqa.turn import turn_of

        sys.stdout.flush()
        if not self._path:
            return
        turn = turn_of(answer)
        try:
            self._history = self._history or open_history(self._path)
            if instead_of in self._history.ids(conversation=conversation):
                self._history.replace(instead_of, turn, models=answer.models, collections=collections)
            else:
                self._history.record(
                    turn, conversation=conversation or answer.id, models=answer.models, collections=collections
                )
        except RagqaError as error:
            self._path = None
            advise(f"the history is not written: {error.message}", self._quiet)

    def close(self) -> None:
        if self._history:
            self._history.close()
